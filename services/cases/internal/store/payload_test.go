package store_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/store"
)

func TestACaseIsKeptEncryptedUntilItsKeyIsDestroyed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, db *sqldb.DB) {
		body := []byte(`{"omschrijving":"dakkapel"}`)
		tr := added(uuid.NewString(), groningen, assen)
		other := added(uuid.NewString(), groningen, assen)
		for _, a := range []exchange.Transition{tr, other} {
			if err := s.Add(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			if err := s.Change(t.Context(), next(a.Transfer, exchange.Delivered, body)); err != nil {
				t.Fatal(err)
			}
		}
		id := tr.Transfer.ID
		if got, err := s.Payload(t.Context(), id); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("got %q, %v", got, err)
		}
		var held []byte
		if err := db.QueryRowContext(t.Context(), `SELECT body FROM payloads WHERE transfer = $1`, id).Scan(&held); err != nil || bytes.Contains(held, []byte("dakkapel")) {
			t.Errorf("held: %q, %v", held, err)
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE payloads SET body = $1 WHERE transfer = $2`, held, other.Transfer.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Payload(t.Context(), other.Transfer.ID); err == nil {
			t.Error("the case of another transfer opens")
		}
		gone := tr.Transfer
		gone.Version, gone.Receipts, gone.State, gone.DestroyedAt = 3, 3, exchange.Closed, moment
		end := with(gone, 2, nil)
		end.Destroy = true
		if err := s.Change(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Payload(t.Context(), id); err == nil {
			t.Error("it opens after it was destroyed")
		}
		var keys int
		if err := db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM data_keys) + (SELECT count(*) FROM payloads)`).Scan(&keys); err != nil || keys != 2 {
			t.Errorf("rows left: got %d, %v, want those of the other transfer", keys, err)
		}
	})
}
