package custodysql_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/pem"
	"testing"
	"testing/fstest"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
)

const (
	assen oin.OIN = "00000099000000002000"
	emmen oin.OIN = "00000099000000003000"
	hub   oin.OIN = "00000099000000001000"
	group         = "noorderhub-test"
	year          = 365 * 24 * time.Hour
)

var (
	anne = audit.Actor{Person: "anne", Organisation: assen, Role: "administrator"}
	bert = audit.Actor{Person: "bert", Organisation: assen, Role: "approver", SignIn: audit.SignIn{ACR: "substantial", At: time.Unix(1795000000, 0).UTC()}}
)

// rig is a vault on a database, with an authority in the process.
type rig struct {
	t       *testing.T
	db      *sqldb.DB
	vault   *custody.Vault
	ca      *pki.CA
	issuer  *custody.Authority
	anchors *x509.CertPool
	now     time.Time
}

func each(t *testing.T, test func(t *testing.T, r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrations := fstest.MapFS{"00001_custody.sql": {Data: []byte("-- +goose Up\n" + custodysql.Schema)}}
		if err := db.Migrate(t.Context(), migrations); err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, db: db, now: time.Now()}
		r.ca = authority(t)
		r.anchors = r.ca.Pool()
		r.issuer = r.issuerOf(year)
		r.vault = r.open(envelopeKey(1))
		test(t, r)
	})
}

func authority(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func (r *rig) issuerOf(life time.Duration) *custody.Authority {
	r.t.Helper()
	key, err := r.ca.KeyPEM()
	if err != nil {
		r.t.Fatal(err)
	}
	issuer, err := custody.NewAuthority(r.ca.CertPEM, key, life, func() time.Time { return r.now })
	if err != nil {
		r.t.Fatal(err)
	}
	return issuer
}

func envelopeKey(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

func (r *rig) open(newest string, older ...string) *custody.Vault {
	r.t.Helper()
	envelope, err := custody.NewEnvelope(newest, older...)
	if err != nil {
		r.t.Fatal(err)
	}
	v, err := custody.Open(custody.Options{Envelope: envelope, Now: func() time.Time { return r.now }})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// in runs fn in a transaction; its error comes back.
func (r *rig) in(fn func(ctx context.Context, s custodysql.Store) error) error {
	return r.db.Tx(r.t.Context(), func(tx *sql.Tx) error { return fn(r.t.Context(), custodysql.In(tx)) })
}

// must runs fn in a transaction that goes well.
func (r *rig) must(fn func(ctx context.Context, s custodysql.Store) error) {
	r.t.Helper()
	if err := r.in(fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) propose(organisation oin.OIN, algorithm custody.Algorithm) (key custody.Key) {
	r.t.Helper()
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		key, err = r.vault.Propose(ctx, s, custody.Proposal{Organisation: organisation, Purpose: custody.Contracts, Algorithm: algorithm, By: anne})
		return err
	})
	return key
}

func (r *rig) issue(id string) (key custody.Key) {
	r.t.Helper()
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		key, err = r.vault.Issue(ctx, s, id, "Gemeente Assen", r.issuer, r.anchors)
		return err
	})
	return key
}

func (r *rig) confirm(id string) (rotation custody.Rotation) {
	r.t.Helper()
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		rotation, err = r.vault.Confirm(ctx, s, id, bert)
		return err
	})
	return rotation
}

// rotate gives an organisation its first or next key.
func (r *rig) rotate(organisation oin.OIN) custody.Key {
	r.t.Helper()
	key := r.propose(organisation, "")
	r.issue(key.ID)
	return r.confirm(key.ID).Key
}

func (r *rig) get(id string) (key custody.Stored) {
	r.t.Helper()
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		key, err = s.Get(ctx, id)
		return err
	})
	return key
}

func (r *rig) sign(organisation oin.OIN, content *contract.Content) (signature custody.Signature) {
	r.t.Helper()
	r.must(func(ctx context.Context, s custodysql.Store) (err error) {
		signature, err = r.vault.Sign(ctx, s, organisation, content, contract.Accept, r.now)
		return err
	})
	return signature
}

// content is of a contract between two organisations.
func (r *rig) content(till time.Time) *contract.Content {
	r.t.Helper()
	content, err := contract.Build(contract.Draft{
		GroupID: group, CreatedAt: r.now.Add(-time.Minute), NotBefore: r.now.Add(-time.Minute), NotAfter: till,
		Connections: []contract.Connection{{
			Consumer: assen.String(), Provider: emmen.String(), Service: "bag", Gateway: "gateway.hub.internal",
			Terms: contract.Terms{Purpose: "adressen controleren", LegalBasis: "Wet BAG, artikel 32", ProcessingActivity: "https://register.example.nl/1", Scopes: []string{"bag.lezen"}},
		}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return content
}

// Chain gives the certificates that the vault publishes; it makes the rig a source of contract.Verifier.
func (r *rig) Chain(ctx context.Context, peer, thumbprint string) ([]*x509.Certificate, error) {
	chains, err := r.vault.Chains(ctx, custodysql.In(r.db.Reader()), oin.OIN(peer))
	if err != nil {
		return nil, err
	}
	for _, text := range chains {
		var chain []*x509.Certificate
		for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			chain = append(chain, c)
		}
		if contract.Thumbprint(chain[0]) == thumbprint {
			return chain, nil
		}
	}
	return nil, contract.ErrNoCertificate
}

func (r *rig) verify(c *contract.Contract) *contract.Verified {
	r.t.Helper()
	v := contract.Verifier{GroupID: group, Certificates: r, Anchors: r.anchors, Now: func() time.Time { return r.now }}
	verified, err := v.Verify(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return verified
}
