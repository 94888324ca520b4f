package custodysql_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
)

// imported takes a key in whose private half the test knows.
func (r *rig) imported(organisation string) (custody.Key, []byte) {
	r.t.Helper()
	pair, err := r.ca.Issue(pki.Request{CommonName: "x", OIN: organisation, Validity: year})
	if err != nil {
		r.t.Fatal(err)
	}
	var key custody.Key
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		key, _, err = r.vault.Import(ctx, s, custody.Import{
			Organisation: oin.OIN(organisation), Purpose: custody.Contracts, Key: pair.KeyPEM, Chain: pair.CertPEM, Anchors: r.anchors, By: anne,
		})
		return err
	})
	block, _ := pem.Decode(pair.KeyPEM)
	return key, block.Bytes
}

func (r *rig) signs() error {
	return r.in(func(ctx context.Context, s custodysql.Store) error {
		_, err := r.vault.Sign(ctx, s, assen, r.content(r.now.Add(year/2)), contract.Accept, r.now)
		return err
	})
}

func TestAStoredKeyOpensOnlyInItsPlaceUnderItsEnvelope(t *testing.T) {
	for name, statement := range map[string]string{
		"another key's sealed text": `UPDATE custody_key SET sealed = (SELECT sealed FROM custody_key WHERE organisation = '00000099000000003000') WHERE organisation = '00000099000000002000'`,
		"another public key":        `UPDATE custody_key SET public_key = (SELECT public_key FROM custody_key WHERE organisation = '00000099000000003000') WHERE organisation = '00000099000000002000'`,
		"another id":                `UPDATE custody_key SET id = 'x' WHERE organisation = '00000099000000002000'`,
		"another organisation":      `UPDATE custody_key SET organisation = CASE organisation WHEN '00000099000000003000' THEN '00000099000000009000' ELSE organisation END; UPDATE custody_key SET organisation = '00000099000000003000' WHERE organisation = '00000099000000002000'; UPDATE custody_key SET organisation = '00000099000000002000' WHERE organisation = '00000099000000009000'`,
		"another envelope":          `UPDATE custody_key SET envelope = '0000000000000000'`,
		"nothing sealed":            `UPDATE custody_key SET sealed = NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, r *rig) {
				r.rotate(assen)
				r.rotate(emmen)
				if err := r.signs(); err != nil {
					t.Fatal(err)
				}
				for _, one := range strings.Split(statement, "; ") {
					if _, err := r.db.ExecContext(t.Context(), one); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.signs(); err == nil {
					t.Error("signs all the same")
				} else if !errors.Is(err, custody.ErrSealed) && !strings.Contains(err.Error(), "certificate") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestAnotherEnvelopeOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.rotate(assen)
		r.vault = r.open(envelopeKey(2))
		if err := r.signs(); !errors.Is(err, custody.ErrSealed) {
			t.Errorf("got %v, want ErrSealed", err)
		}
	})
}

func TestEnvelopeKeysRotate(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for _, o := range []string{"00000099000000002000", "00000099000000003000", "00000099000000001000"} {
			r.imported(o)
		}
		gone := r.propose(assen, "").ID
		r.must(func(ctx context.Context, s custodysql.Store) error {
			_, err := r.vault.Destroy(ctx, s, gone)
			return err
		})
		reseal := func() (n int) {
			r.must(func(ctx context.Context, s custodysql.Store) (err error) {
				n, err = r.vault.Reseal(ctx, s, 2)
				return err
			})
			return n
		}
		if n := reseal(); n != 0 {
			t.Errorf("resealed %d under the same key", n)
		}
		r.vault = r.open(envelopeKey(2), envelopeKey(1))
		if err := r.signs(); err != nil {
			t.Errorf("under the older key: %v", err)
		}
		if a, b, c := reseal(), reseal(), reseal(); a != 2 || b != 1 || c != 0 {
			t.Errorf("resealed %d, %d and %d, want 2, 1 and 0", a, b, c)
		}
		r.vault = r.open(envelopeKey(2))
		if err := r.signs(); err != nil {
			t.Errorf("under the newer key alone: %v", err)
		}
		r.vault = r.open(envelopeKey(1))
		if err := r.signs(); !errors.Is(err, custody.ErrSealed) {
			t.Errorf("under the older key alone: got %v, want ErrSealed", err)
		}
	})
}

func TestWhatIsNoEnvelopeKeyIsRefused(t *testing.T) {
	for name, keys := range map[string][]string{
		"empty": {""}, "too short": {"AAAA"}, "not base64": {strings.Repeat("!", 44)}, "twice": {envelopeKey(1), envelopeKey(1)}, "a bad older one": {envelopeKey(1), "AAAA"},
	} {
		_, err := custody.NewEnvelope(keys[0], keys[1:]...)
		if err == nil || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := custody.Open(custody.Options{}); err == nil {
		t.Error("a vault without envelope opens")
	}
}

func TestNothingShowsAPrivateKey(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		key, der := r.imported(assen.String())
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		scalar, err := parsed.(interface{ Bytes() ([]byte, error) }).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		stored := r.get(key.ID)
		if bytes.Contains(stored.Sealed.Text, scalar) {
			t.Error("the key lies open in the store")
		}
		secrets := []string{}
		for _, secret := range [][]byte{scalar, bytes.Repeat([]byte{1}, 32), stored.Sealed.Text} {
			secrets = append(secrets, string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.StdEncoding.EncodeToString(secret),
				base64.RawURLEncoding.EncodeToString(secret), strings.Trim(fmt.Sprint(secret), "[]"), strings.ReplaceAll(strings.Trim(fmt.Sprint(secret), "[]"), " ", ","))
		}
		secrets = append(secrets, new(big.Int).SetBytes(scalar).String())
		var signer contract.Signer
		r.must(func(ctx context.Context, s custodysql.Store) (err error) {
			signer, err = r.vault.Signer(ctx, s, assen, r.now)
			return err
		})
		envelope, err := custody.NewEnvelope(envelopeKey(1))
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]any{
			"vault": r.vault, "vault by value": *r.vault, "envelope": envelope, "stored key": stored, "sealed": stored.Sealed, "signer": signer, "hand": signer.Key,
			"authority": r.issuer, "a list of them": []any{r.vault, stored, signer.Key},
		} {
			var out strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				fmt.Fprintf(&out, verb+"\n", v)
			}
			text, err := json.Marshal(v)
			if err != nil && !strings.Contains(err.Error(), "unsupported type") {
				t.Errorf("%s: %v", name, err)
			}
			out.Write(text)
			slog.New(slog.NewJSONHandler(&out, nil)).InfoContext(t.Context(), "x", "v", v)
			slog.New(slog.NewTextHandler(&out, nil)).InfoContext(t.Context(), "x", "v", v)
			for _, secret := range secrets {
				if strings.Contains(out.String(), secret) {
					t.Errorf("%s shows a secret", name)
				}
			}
		}
	})
}
