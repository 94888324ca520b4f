package store

import (
	"context"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

// Claim gives transfers that the timer has to look at and keeps other workers from them until the lease ends. Workers that
// claim at the same time skip each other's rows instead of waiting for them; a SQLite file has one writer anyhow.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]exchange.Transfer, error) {
	skip := ""
	if s.db.Dialect == sqldb.PostgreSQL {
		skip = "FOR UPDATE SKIP LOCKED"
	}
	var out []exchange.Transfer
	err := s.tx(ctx, func(tx tx) error {
		rows, err := sqldb.Collect(ctx, tx, (*row).fields, `SELECT `+columns+` FROM transfers
			WHERE due_at <= $1 AND leased_until <= $1 ORDER BY due_at LIMIT $2 `+skip, sqldb.At(now), limit)
		if err != nil {
			return err
		}
		for i := range rows {
			t, err := rows[i].transfer()
			if err != nil {
				return err
			}
			if _, err := tx.exec(ctx, `UPDATE transfers SET leased_until = $1 WHERE id = $2`, sqldb.At(now.Add(lease)), t.ID); err != nil {
				return err
			}
			out = append(out, t)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(fmt.Errorf("claim: %w", err))
	}
	return out, nil
}
