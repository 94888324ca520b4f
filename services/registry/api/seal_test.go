package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/services/registry/api"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func seal(t testing.TB, key *ecdsa.PrivateKey, v api.Version) api.Sealed {
	t.Helper()
	sealed, err := api.Seal(&api.Snapshot{
		Version: v, CreatedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), HubOIN: "00000099000000001000",
		Services: []api.Service{{Slug: "bag", Upstream: api.Upstream{Timeout: api.Duration(5 * time.Second)}}},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestASealedSnapshotOpensWithThePinnedKeyOnly(t *testing.T) {
	key, other := newKey(t), newKey(t)
	v := api.Version{Epoch: 1, Number: 7}
	sealed := seal(t, key, v)
	got, err := sealed.Open(&other.PublicKey, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != v || got.Services[0].Upstream.Timeout != api.Duration(5*time.Second) {
		t.Errorf("got %+v", got)
	}
	for name, spoiled := range map[string]api.Sealed{
		"another key":         seal(t, other, v),
		"no signature":        {Body: sealed.Body},
		"a changed body":      {Body: []byte(strings.Replace(string(sealed.Body), `"bag"`, `"zak"`, 1)), Signature: sealed.Signature},
		"an added line end":   {Body: append(append([]byte{}, sealed.Body...), '\n'), Signature: sealed.Signature},
		"another header":      {Body: sealed.Body, Signature: "eyJhbGciOiJub25lIn0.." + strings.SplitN(sealed.Signature, "..", 2)[1]},
		"a cut-off signature": {Body: sealed.Body, Signature: sealed.Signature[:len(sealed.Signature)-4]},
	} {
		if _, err := spoiled.Open(&key.PublicKey); !errors.Is(err, api.ErrSignature) {
			t.Errorf("%s: got %v, want ErrSignature", name, err)
		}
	}
}

func TestTheSignatureIsAJWSThatOthersRead(t *testing.T) {
	key := newKey(t)
	sealed := seal(t, key, api.Version{Epoch: 1, Number: 1})
	parsed, err := jose.ParseDetached(sealed.Signature, sealed.Body, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Verify(&key.PublicKey); err != nil {
		t.Error(err)
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	order := []api.Version{{}, {Epoch: 1, Number: 1}, {Epoch: 1, Number: 2}, {Epoch: 2, Number: 1}}
	for i, v := range order {
		for j, o := range order {
			if got, want := v.After(o), i > j; got != want {
				t.Errorf("%s after %s: got %v, want %v", v, o, got, want)
			}
		}
		back, err := api.ParseVersion(v.String())
		if err != nil || !cmp.Equal(back, v) {
			t.Errorf("got %v, %v; want %v", back, err, v)
		}
	}
	for _, text := range []string{"", "1", "1.", ".1", "1.2.3", "-1.2", "a.b"} {
		if _, err := api.ParseVersion(text); err == nil {
			t.Errorf("%q was read as a version", text)
		}
	}
}
