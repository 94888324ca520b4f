package merkle_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"noorderhub.nl/hub/libs/merkle"
)

const origin = "hub.example.nl/beheer/audit"

func signer(t testing.TB, origin string) (*merkle.Signer, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := merkle.NewSigner(origin, private)
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

func keys(t testing.TB, public ...ed25519.PublicKey) merkle.Keys {
	t.Helper()
	k, err := merkle.NewKeys(origin, public...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ExampleKeys_Open() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := merkle.NewSigner("hub.example.nl/beheer/audit", private)
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, _ := merkle.Frontier{}.Append(merkle.Leaf(merkle.NewSalt(), []byte("somebody did something")))
	signed, err := s.Sign(tree)
	if err != nil {
		fmt.Println(err)
		return
	}
	known, err := merkle.NewKeys("hub.example.nl/beheer/audit", public)
	if err != nil {
		fmt.Println(err)
		return
	}
	checkpoint, err := known.Open(signed)
	fmt.Println(checkpoint.Size, checkpoint.Root == tree.Root(), err)
	// Output: 1 true <nil>
}

func TestACheckpointIsASignedNoteThatOtherToolsOpen(t *testing.T) {
	s, public := signer(t, origin)
	frontiers, _ := grow(t, rfcLeaves(t))
	signed, err := s.Sign(frontiers[8])
	if err != nil {
		t.Fatal(err)
	}
	want := origin + "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n— " + origin + " "
	if !strings.HasPrefix(signed, want) {
		t.Errorf("got %q, want it to begin with %q", signed, want)
	}
	vkey, err := merkle.VerifierKey(origin, public)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open([]byte(signed), note.VerifierList(v)); err != nil || len(n.Sigs) != 1 {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestCheckpointsOfAReplacedKeyStillOpen(t *testing.T) {
	old, oldPublic := signer(t, origin)
	fresh, freshPublic := signer(t, origin)
	for name, s := range map[string]*merkle.Signer{"old": old, "fresh": fresh} {
		signed, err := s.Sign(merkle.Frontier{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys(t, oldPublic, freshPublic).Open(signed); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyCheckpointsOfThisLogOpen(t *testing.T) {
	s, public := signer(t, origin)
	known := keys(t, public)
	frontiers, _ := grow(t, rfcLeaves(t))
	good, err := s.Sign(frontiers[8])
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := signer(t, origin)
	foreign, err := stranger.Sign(frontiers[8])
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// note signs whatever text with the log's own name.
	sign := func(text string) string {
		signed, err := note.Sign(&note.Note{Text: text}, forger{private, origin})
		if err != nil {
			t.Fatal(err)
		}
		return string(signed)
	}
	own := keys(t, private.Public().(ed25519.PublicKey))
	root := frontiers[8].Root().String()
	for name, tc := range map[string]struct {
		keys merkle.Keys
		text string
	}{
		"nothing":                     {known, ""},
		"text without signature":      {known, origin + "\n8\n" + root + "\n"},
		"signed by a stranger":        {known, foreign},
		"another size":                {known, strings.Replace(good, "\n8\n", "\n7\n", 1)},
		"another root":                {known, strings.Replace(good, "X", "Y", 1)},
		"another log by the same key": {own, sign("other.example.nl/log\n8\n" + root + "\n")},
		"a size with zeros before":    {own, sign(origin + "\n08\n" + root + "\n")},
		"a size below nothing":        {own, sign(origin + "\n-8\n" + root + "\n")},
		"a size beyond reason":        {own, sign(origin + "\n9223372036854775807\n" + root + "\n")},
		"a root cut short":            {own, sign(origin + "\n8\n" + root[:40] + "\n")},
		"a line more":                 {own, sign(origin + "\n8\n" + root + "\nmore\n")},
	} {
		if _, err := tc.keys.Open(tc.text); !errors.Is(err, merkle.ErrCheckpoint) {
			t.Errorf("%s: got %v, want ErrCheckpoint", name, err)
		}
	}
	if c, err := own.Open(sign(origin + "\n8\n" + root + "\n")); err != nil || c.Size != 8 {
		t.Errorf("a good one: got %v, %v", c, err)
	}
}

// forger signs any text in the name of a log.
type forger struct {
	key  ed25519.PrivateKey
	name string
}

func (f forger) Name() string { return f.name }
func (f forger) KeyHash() uint32 {
	vkey, _ := merkle.VerifierKey(f.name, f.key.Public().(ed25519.PublicKey))
	v, _ := note.NewVerifier(vkey)
	return v.KeyHash()
}
func (f forger) Sign(text []byte) ([]byte, error) { return ed25519.Sign(f.key, text), nil }

func FuzzOpen(f *testing.F) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	s, err := merkle.NewSigner(origin, private)
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Sign(merkle.Frontier{})
	if err != nil {
		f.Fatal(err)
	}
	known := keys(f, private.Public().(ed25519.PublicKey))
	f.Add(good)
	f.Add(good + good)
	f.Add("\n\n— x AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		// Others may add signatures below; nothing else may differ.
		if _, err := known.Open(text); err == nil && !strings.HasPrefix(text, good[:strings.Index(good, "\n\n")]) {
			t.Errorf("opens %q", text)
		}
	})
}

func TestBadNamesAndKeysMakeNoSigner(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "with space", "with+plus", "line\nend"} {
		if _, err := merkle.NewSigner(name, private); err == nil {
			t.Errorf("%q: accepted", name)
		}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := merkle.NewSigner(origin, ec); err == nil {
		t.Error("a P-256 key: accepted")
	}
}
