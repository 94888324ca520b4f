package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"noorderhub.nl/hub/libs/sqldb"
)

// A delivered case is kept encrypted (AES-256-GCM) with a data key of its own, which stands in another table. Destroying
// the key is what destroys the case: also in a copy of the database that was made with the payloads and without the keys.

const dataKeySize = 32 // bytes: AES-256

// keep stores a case under a new data key.
func keep(ctx context.Context, tx tx, transfer string, body []byte) error {
	key := make([]byte, dataKeySize)
	_, _ = rand.Read(key) // never fails
	aead, err := sealer(key)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO data_keys (transfer, data_key) VALUES ($1, $2)`, transfer, key); err != nil {
		return err
	}
	// The nonce goes in front. The transfer's id is bound in, so that a row that was moved does not open.
	_, err = tx.exec(ctx, `INSERT INTO payloads (transfer, body) VALUES ($1, $2)`, transfer, aead.Seal(nil, nil, body, []byte(transfer)))
	return err
}

// destroy removes the data key and what it opened.
func destroy(ctx context.Context, tx tx, transfer string) error {
	for _, statement := range []string{`DELETE FROM data_keys WHERE transfer = $1`, `DELETE FROM payloads WHERE transfer = $1`} {
		if _, err := tx.exec(ctx, statement, transfer); err != nil {
			return err
		}
	}
	return nil
}

// Payload gives the bytes that were delivered.
func (s *Store) Payload(ctx context.Context, id string) ([]byte, error) {
	type row struct{ body, key []byte }
	r, err := sqldb.One(ctx, s.db.Reader(), func(r *row) []any { return []any{&r.body, &r.key} }, `
		SELECT p.body, k.data_key FROM payloads p LEFT JOIN data_keys k ON k.transfer = p.transfer WHERE p.transfer = $1`, id)
	if err != nil {
		return nil, refusal(fmt.Errorf("payload: %w", err))
	}
	if r.key == nil { // delivered before there were data keys; it is destroyed with its row
		return r.body, nil
	}
	aead, err := sealer(r.key)
	if err != nil {
		return nil, err
	}
	body, err := aead.Open(nil, nil, r.body, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("payload of %s does not open: %w", id, err)
	}
	return body, nil
}

// sealer encrypts with a random nonce that it writes in front.
func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
