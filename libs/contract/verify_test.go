package contract_test

import (
	"context"
	"crypto"
	"crypto/elliptic"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/contract"
)

// fixture is a contract of Assen with the hub, signed by both.
type fixture struct {
	ca       *authority
	contract *contract.Contract
	assen    contract.Signer
	hub      contract.Signer
	verifier contract.Verifier
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	ca := newAuthority(t)
	f := &fixture{ca: ca}
	f.assen = ca.signer(t, assen, ecKey(t, elliptic.P256()), time.Time{})
	f.hub = ca.signer(t, hub, ecKey(t, elliptic.P384()), time.Time{})
	content := build(t, draft())
	f.contract = &contract.Contract{Content: content, Accept: map[string]string{
		assen: sign(t, f.assen, content, contract.Accept, now),
		hub:   sign(t, f.hub, content, contract.Accept, now),
	}}
	f.verifier = contract.Verifier{
		GroupID: group, Certificates: keyring{}.add(f.assen).add(f.hub), Anchors: ca.pool(),
		Now: func() time.Time { return now },
	}
	return f
}

func TestAContractSurvivesItsWrittenForm(t *testing.T) {
	f := newFixture(t)
	raw, err := json.MarshalIndent(f.contract, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	back, err := contract.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.verifier.Verify(context.Background(), back)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.State(now); got != contract.Valid || back.Content.Hash() != f.contract.Content.Hash() {
		t.Errorf("got state %s, want VALID and the same hash", got)
	}
}

func TestEveryKeyThatFSCAllowsSigns(t *testing.T) {
	ca := newAuthority(t)
	content := build(t, draft())
	for name, key := range map[string]crypto.Signer{
		"RSA 2048": rsaKey(t, 2048), "P-256": ecKey(t, elliptic.P256()),
		"P-384": ecKey(t, elliptic.P384()), "P-521": ecKey(t, elliptic.P521()),
	} {
		s := ca.signer(t, assen, key, time.Time{})
		jws := sign(t, s, content, contract.Accept, now)
		verifier := contract.Verifier{
			GroupID: group, Certificates: keyring{}.add(s), Anchors: ca.pool(), Now: func() time.Time { return now },
		}
		c := &contract.Contract{Content: content, Accept: map[string]string{assen: jws}}
		if _, err := verifier.Verify(context.Background(), c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// A library we did not write must read it too.
		parsed, err := jose.ParseSignedCompact(jws, []jose.SignatureAlgorithm{"RS256", "ES256", "ES384", "ES512"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		payload, err := parsed.Verify(s.Certificate.PublicKey)
		if err != nil || !strings.Contains(string(payload), content.Hash()) {
			t.Errorf("%s: go-jose says %v about %s", name, err, payload)
		}
	}
	if err := contract.CheckKey(rsaKey(t, 1024).Public()); err == nil || !strings.Contains(err.Error(), "3072") {
		t.Errorf("RSA 1024: got %v, want a refusal that advises 3072", err)
	}
	if err := contract.CheckKey(ecKey(t, elliptic.P224()).Public()); err == nil {
		t.Error("P-224 was taken")
	}
}

func TestASignatureOfAnotherLibraryIsTaken(t *testing.T) {
	f := newFixture(t)
	opts := (&jose.SignerOptions{}).WithHeader("x5t#S256", contract.Thumbprint(f.assen.Certificate))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: f.assen.Key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{
		"contract_content_hash": f.contract.Content.Hash(), "type": "accept", "signed_at": now.Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	f.contract.Accept[assen], err = signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.verifier.Verify(context.Background(), f.contract); err != nil {
		t.Error(err)
	}
}

func TestAContractIsNotTaken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, f *fixture)
		want  string
	}{
		{"of another group", func(_ *testing.T, f *fixture) { f.verifier.GroupID = "x" }, "group_id"},
		{"made in the future", func(_ *testing.T, f *fixture) {
			f.verifier.Now = func() time.Time { return now.Add(-2 * time.Minute) }
		}, "created_at: in the future"},
		{"signed in the future", func(t *testing.T, f *fixture) {
			f.contract.Accept[hub] = sign(t, f.hub, f.contract.Content, contract.Accept, now.Add(2*time.Minute))
		}, "signed in the future"},
		{"signed by somebody who is not in it", func(t *testing.T, f *fixture) {
			f.contract.Accept[emmen] = f.contract.Accept[assen]
		}, "not named in the contract"},
		{"with the signature of another organisation", func(_ *testing.T, f *fixture) {
			f.contract.Accept[hub] = f.contract.Accept[assen]
		}, "no such certificate"},
		{"with the signature of another contract", func(t *testing.T, f *fixture) {
			f.contract.Accept[hub] = sign(t, f.hub, build(t, draft()), contract.Accept, now)
		}, "is of another content"},
		{"with an accept signature as a revocation", func(_ *testing.T, f *fixture) {
			f.contract.Revoke = map[string]string{hub: f.contract.Accept[hub]}
		}, `is not "revoke"`},
		{"with a certificate of another authority", func(t *testing.T, f *fixture) {
			foreign := newAuthority(t).signer(t, hub, f.hub.Key, time.Time{})
			f.verifier.Certificates = keyring{}.add(f.assen).add(foreign)
			f.contract.Accept[hub] = sign(t, foreign, f.contract.Content, contract.Accept, now)
		}, "certificate"},
		{"signed when the certificate had expired", func(t *testing.T, f *fixture) {
			old := f.ca.signer(t, hub, f.hub.Key, now.AddDate(0, 0, -1))
			f.verifier.Certificates = keyring{}.add(f.assen).add(old)
			f.contract.Accept[hub] = sign(t, old, f.contract.Content, contract.Accept, now)
		}, "certificate"},
		{"with a certificate whose OIN is another", func(t *testing.T, f *fixture) {
			ring := keyring{}.add(f.assen)
			ring[hub+" "+contract.Thumbprint(f.assen.Certificate)] = ring[assen+" "+contract.Thumbprint(f.assen.Certificate)]
			f.verifier.Certificates = ring
			f.contract.Accept[hub] = f.contract.Accept[assen]
		}, "another organisation"},
		{"with alg none", func(_ *testing.T, f *fixture) {
			f.contract.Accept[hub] = "eyJhbGciOiJub25lIiwieDV0I1MyNTYiOiJ4In0." + strings.Split(f.contract.Accept[hub], ".")[1] + "."
		}, "alg: not one of"},
		{"with trailing bits in the signature", func(_ *testing.T, f *fixture) {
			f.contract.Accept[assen] = otherSpelling(f.contract.Accept[assen])
		}, "not a compact JWS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.spoil(t, f)
			_, err := f.verifier.Verify(context.Background(), f.contract)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// otherSpelling changes bits of the last character that a lenient decoder drops: 64 bytes leave 4 of its 6 unused.
func otherSpelling(jws string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, jws[len(jws)-1])
	return jws[:len(jws)-1] + string(alphabet[last|1])
}

func TestStatesFollowSignaturesAndClock(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(t *testing.T, f *fixture)
		at      time.Time
		want    contract.State
		inForce bool
	}{
		{"signed by all", func(*testing.T, *fixture) {}, now, contract.Valid, true},
		{"a signature is missing", func(_ *testing.T, f *fixture) { delete(f.contract.Accept, hub) }, now, contract.Proposed, false},
		{"before the window", func(*testing.T, *fixture) {}, now.Add(-time.Second), contract.Valid, false},
		{"the window has passed", func(*testing.T, *fixture) {}, now.AddDate(0, 6, 0), contract.Expired, false},
		{"rejected", func(t *testing.T, f *fixture) {
			f.contract.Reject = map[string]string{hub: sign(t, f.hub, f.contract.Content, contract.Reject, now)}
		}, now, contract.Rejected, false},
		{"revoked after it expired", func(t *testing.T, f *fixture) {
			f.contract.Revoke = map[string]string{assen: sign(t, f.assen, f.contract.Content, contract.Revoke, now)}
		}, now.AddDate(2, 0, 0), contract.Revoked, false},
		{"the certificate of a signer has expired", func(t *testing.T, f *fixture) {
			short := f.ca.signer(t, hub, f.hub.Key, now.AddDate(0, 1, 0))
			f.verifier.Certificates = keyring{}.add(f.assen).add(short)
			f.contract.Accept[hub] = sign(t, short, f.contract.Content, contract.Accept, now)
		}, now.AddDate(0, 2, 0), contract.Expired, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.change(t, f)
			v, err := f.verifier.Verify(context.Background(), f.contract)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.State(tt.at); got != tt.want || v.InForce(tt.at) != tt.inForce {
				t.Errorf("got %s, in force %v; want %s, %v", got, v.InForce(tt.at), tt.want, tt.inForce)
			}
		})
	}
}

func TestWhoMayNotSign(t *testing.T) {
	f := newFixture(t)
	outsider := f.ca.signer(t, emmen, ecKey(t, elliptic.P256()), time.Time{})
	if _, err := contract.Sign(outsider, f.contract.Content, contract.Accept, now); err == nil {
		t.Error("an organisation that is not in the contract signed it")
	}
	mismatch := contract.Signer{Key: f.hub.Key, Certificate: f.assen.Certificate}
	if _, err := contract.Sign(mismatch, f.contract.Content, contract.Accept, now); err == nil {
		t.Error("a key signed under the certificate of another key")
	}
}
