package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

type fixed struct{ s *api.Snapshot }

func (f *fixed) Current() *api.Snapshot { return f.s }

func keySet(t *testing.T, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ec(t *testing.T, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestOnlyKeysThatFitAreUsed(t *testing.T) {
	p256 := ec(t, elliptic.P256())
	for name, tc := range map[string]struct {
		set  json.RawMessage
		alg  string
		want int
	}{
		"fitting":                {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a", Algorithm: "ES256", Use: "sig"}), "ES256", 1},
		"without alg and use":    {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a"}), "ES256", 1},
		"for encryption":         {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a", Use: "enc"}), "ES256", 0},
		"of another alg":         {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a", Algorithm: "ES384"}), "ES256", 0},
		"an EC key for RS256":    {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a"}), "RS256", 0},
		"of another curve":       {keySet(t, jose.JSONWebKey{Key: ec(t, elliptic.P384()), KeyID: "a"}), "ES256", 0},
		"symmetric":              {keySet(t, jose.JSONWebKey{Key: []byte("secret"), KeyID: "a"}), "ES256", 0},
		"nonsense":               {json.RawMessage(`[`), "ES256", 0},
		"an alg that is unknown": {keySet(t, jose.JSONWebKey{Key: p256, KeyID: "a"}), "HS256", 0},
	} {
		if got := len(usableKeys(tc.set, tc.alg)); got != tc.want {
			t.Errorf("%s: got %d keys, want %d", name, got, tc.want)
		}
	}
	many := make([]jose.JSONWebKey, 20)
	for i := range many {
		many[i] = jose.JSONWebKey{Key: p256}
	}
	if got := len(usableKeys(keySet(t, many...), "ES256")); got != maxKeys {
		t.Errorf("got %d keys of 20, want %d", got, maxKeys)
	}
}

func TestASnapshotIsPreparedOnce(t *testing.T) {
	source := &fixed{}
	d := NewDirectory(source)
	if c, s := d.find("a"); c != nil || s != nil {
		t.Error("found something before the first snapshot")
	}
	source.s = &api.Snapshot{
		Clients: []api.Client{{ID: "a", Organisation: "1", SigningAlg: "ES256", AdminScopes: []string{"journaal.lezen"},
			Assignments: []api.Assignment{{Name: "n", GrantHash: "g2"}}}},
		Grants: []api.Grant{
			{Hash: "g2", Consumer: "1", Terms: api.Terms{Scopes: []string{"bag.lezen"}}},
			{Hash: "g1", Consumer: "1", Terms: api.Terms{Scopes: []string{"zaken.lezen"}}},
			{Hash: "g3", Consumer: "2"},
		},
	}
	first, _ := d.find("a")
	again, _ := d.find("a")
	if first == nil || first != again {
		t.Error("the same snapshot was prepared twice")
	}
	if len(first.Grants) != 2 || first.Grants[0].Hash != "g1" {
		t.Errorf("got grants %v, want those of the organisation in order", first.Grants)
	}
	if len(first.Scopes) != 2 || first.Scopes[0] != "bag.lezen" || first.Scopes[1] != "journaal.lezen" {
		t.Errorf("got scopes %v", first.Scopes)
	}
	source.s = &api.Snapshot{}
	if c, s := d.find("a"); c != nil || s != source.s {
		t.Error("a client of the old snapshot is still found")
	}
	source.s = nil
	if _, s := d.find("a"); s == nil {
		t.Error("the last good snapshot was dropped")
	}
}

func TestEveryAlgorithmHasADecoy(t *testing.T) {
	a, err := NewAuthenticator(NewDirectory(&fixed{}), nil, oauth.Addresses{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{jws.ES256, jws.RS256, jws.PS256} {
		if a.decoys[alg] == nil {
			t.Errorf("%s has no decoy", alg)
		}
	}
}
