package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/sqldb"
)

// Audit is the record of one act of a person with special rights: who did what, to what, and how it ended.
type Audit struct {
	At           time.Time
	Organisation string // OIN of the actor's organisation
	ClientID     string
	Subject      string // sub of the token
	Act          string // e.g. "look-trace"
	Object       string // what was acted on: an id, or the choice of a list
	Result       string // "ok" or the code of the refusal
}

// AddAudit keeps a record and returns after it is durable.
func (s *Store) AddAudit(ctx context.Context, a Audit) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = s.db.ExecContext(ctx, `
		INSERT INTO audit (id, at, organisation, client_id, subject, act, object, result)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id.String(), sqldb.At(a.At), a.Organisation, storable(a.ClientID), storable(a.Subject), a.Act, a.Object, a.Result)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
