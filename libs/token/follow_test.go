package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
)

func TestKeysFollowWhatIsCurrent(t *testing.T) {
	one, two := tokentest.New(t, hub, token.TypeAccess), tokentest.New(t, hub, token.TypeAccess)
	set := func(i *tokentest.Issuer) json.RawMessage {
		text, err := token.PublicSet(&i.Key().PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	versions := map[int][]json.RawMessage{
		1: {set(one)},
		2: {json.RawMessage(`{`), set(one), set(two)},
		3: {set(two)},
		4: nil,
	}
	current, parsed := 1, 0
	keys := token.Follow(func() int { return current }, func(v int) []json.RawMessage { parsed++; return versions[v] })
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: hub, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	rawOne, rawTwo := one.Token(bag, nil), two.Token(bag, nil)
	for _, step := range []struct {
		version  int
		one, two bool
	}{{1, true, false}, {2, true, true}, {3, false, true}, {4, false, false}} {
		current = step.version
		for range 3 {
			_, errOne := v.Verify(rawOne, bag)
			_, errTwo := v.Verify(rawTwo, bag)
			if (errOne == nil) != step.one || (errTwo == nil) != step.two {
				t.Errorf("version %d: got %v and %v, want %v and %v", step.version, errOne, errTwo, step.one, step.two)
			}
		}
	}
	if parsed != 4 {
		t.Errorf("the sets were parsed %d times, want once per version", parsed)
	}
}

func ExampleVerifier_Verify() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := token.NewSigner(key, token.TypeAccess)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := token.NewVerifier(token.Options{
		Type: token.TypeAccess, Issuer: "https://hub.example", Keys: token.Keys{signer.KeyID(): signer.Public()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	raw, err := signer.Sign(&token.Claims{
		Issuer: "https://hub.example", Subject: "assen-app", ClientID: "assen-app", Audience: "https://hub.example/bag",
		Issued: token.Date(now), Expires: token.Date(now.Add(5 * time.Minute)), ID: token.NewID(), Scope: "bag.lezen",
		PeerID: "00000099000000002000",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := verifier.Verify(raw, "https://hub.example/bag")
	fmt.Println(claims.ClientID, claims.HasScope("bag.lezen"), err)

	_, err = verifier.Verify(raw, "https://hub.example/zaken")
	fmt.Println(err)
	// Output:
	// assen-app true <nil>
	// token-audience: the token is for "https://hub.example/bag", this is "https://hub.example/zaken"
}
