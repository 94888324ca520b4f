package registry

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// auditLog makes the log of administrative acts. Its checkpoints are signed with a key that follows from the envelope, so
// that who has the database alone can forge none; those of older envelopes still verify.
func auditLog(cfg Config, now func() time.Time) (*audit.Log, error) {
	hub, err := url.Parse(cfg.Hub)
	if err != nil {
		return nil, err
	}
	origin := hub.Hostname() + "/beheer/audit" // without a port: a log keeps its name when that changes
	var keys []ed25519.PublicKey
	var signer *merkle.Signer
	for i, secret := range append([]config.Secret{cfg.Envelope}, cfg.OldEnvelopes...) {
		seed, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, "noorderhub audit checkpoints", ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		key := ed25519.NewKeyFromSeed(seed)
		keys = append(keys, key.Public().(ed25519.PublicKey))
		if i == 0 {
			if signer, err = merkle.NewSigner(origin, key); err != nil {
				return nil, err
			}
		}
	}
	known, err := merkle.NewKeys(origin, keys...)
	if err != nil {
		return nil, err
	}
	return audit.New(audit.Options{Signer: signer, Keys: known, Now: now})
}

// keeper signs for the organisations whose key the hub keeps.
type keeper struct {
	vault *custody.Vault
	db    *sqldb.DB
	store *store.Store
}

// openCustody takes the keys that lie in files into custody, once each.
func openCustody(ctx context.Context, cfg Config, db *sqldb.DB, log *store.Store, now func() time.Time) (*keeper, error) {
	old := make([]string, len(cfg.OldEnvelopes))
	for i, secret := range cfg.OldEnvelopes {
		old[i] = secret.Reveal()
	}
	envelope, err := custody.NewEnvelope(cfg.Envelope.Reveal(), old...)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	vault, err := custody.Open(custody.Options{Envelope: envelope, Now: now})
	if err != nil {
		return nil, err
	}
	k := &keeper{vault: vault, db: db, store: log}
	for _, h := range cfg.Hosted {
		if err := k.take(ctx, h); err != nil {
			return nil, fmt.Errorf("hosted %s: %w", h.OIN, err)
		}
	}
	return k, nil
}

func (k *keeper) take(ctx context.Context, h Hosted) error {
	key, err := os.ReadFile(h.Key)
	if err != nil {
		return err
	}
	chain, err := os.ReadFile(h.Certificate)
	if err != nil {
		return err
	}
	anchor, err := os.ReadFile(h.Anchor)
	if err != nil {
		return err
	}
	anchors := x509.NewCertPool()
	if !anchors.AppendCertsFromPEM(anchor) {
		return fmt.Errorf("%s holds no certificate", h.Anchor)
	}
	return k.store.Logged(ctx, func(tx *sql.Tx) ([]audit.Record, error) {
		kept, fresh, err := k.vault.Import(ctx, custodysql.In(tx), custody.Import{
			Organisation: oin.OIN(h.OIN), Purpose: custody.Contracts, Key: key, Chain: chain, Anchors: anchors, By: audit.Actor{Part: Part},
		})
		if err != nil || !fresh {
			return nil, err
		}
		record := aboutKey(audit.KeyImport, kept.ID, fmt.Sprintf(`{"thumbprint":%q}`, kept.Thumbprint))
		record.Organisations = []oin.OIN{kept.Organisation}
		return []audit.Record{record}, nil
	})
}

// aboutKey is the record of what the registry itself does with keys.
func aboutKey(act audit.Act, id, detail string) audit.Record {
	return audit.Record{
		Actor: audit.Actor{Part: Part}, Act: act, Subject: audit.Subject{Kind: administration.KindKey, ID: id}, Outcome: audit.Succeeded,
		Detail: json.RawMessage(detail),
	}
}

// sealBatch is how many keys are sealed anew in one transaction.
const sealBatch = 100

// reseal seals what lies under older envelope keys under the newest, and tells how many keys it did. Stopped halfway, it
// goes on at the next start.
func (k *keeper) reseal(ctx context.Context) (total int, err error) {
	for {
		var n int
		err := k.store.Logged(ctx, func(tx *sql.Tx) ([]audit.Record, error) {
			if n, err = k.vault.Reseal(ctx, custodysql.In(tx), sealBatch); err != nil || n == 0 {
				return nil, err
			}
			return []audit.Record{aboutKey(audit.KeyReseal, "envelope", fmt.Sprintf(`{"keys":%d}`, n))}, nil
		})
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
}

// Hosts implements administration.Hand.
func (k *keeper) Hosts(ctx context.Context, organisation string) (bool, error) {
	return k.vault.Hosts(ctx, custodysql.In(k.db.Reader()), oin.OIN(organisation))
}

// Sign implements administration.Hand.
func (k *keeper) Sign(
	ctx context.Context, organisation string, content *contract.Content, kind contract.SignatureType, at time.Time,
) (custody.Signature, error) {
	return k.vault.Sign(ctx, custodysql.In(k.db.Reader()), oin.OIN(organisation), content, kind, at)
}

// Draft implements administration.Keys.
func (k *keeper) Draft() administration.KeyDraft { return custodysql.NewDraft(k.db.Reader()) }
