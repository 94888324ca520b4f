package custodysql

import (
	"context"
	"database/sql"

	"noorderhub.nl/hub/services/registry/internal/custody"
)

// Draft is a custody.Store that reads keys as they are and collects what becomes of them, for Step to carry out in the
// transaction of the act. A key that another act changed in between is not overwritten: Step gives custody.ErrChanged.
type Draft struct {
	Store
	writes []func(context.Context, Store) error
}

// NewDraft reads from tx; a pool will do.
func NewDraft(tx Tx) *Draft { return &Draft{Store: In(tx)} }

// Add implements custody.Store.
func (d *Draft) Add(_ context.Context, k custody.Stored) error {
	d.writes = append(d.writes, func(ctx context.Context, s Store) error { return s.Add(ctx, k) })
	return nil
}

// Change implements custody.Store.
func (d *Draft) Change(_ context.Context, from custody.State, k custody.Stored) error {
	d.writes = append(d.writes, func(ctx context.Context, s Store) error { return s.Change(ctx, from, k) })
	return nil
}

// Step stores what was collected.
func (d *Draft) Step(ctx context.Context, tx *sql.Tx) error {
	for _, write := range d.writes {
		if err := write(ctx, In(tx)); err != nil {
			return err
		}
	}
	return nil
}
