package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

// Add stores a new transfer with its receipt and events, or nothing: exchange.ErrTaken.
func (s *Store) Add(ctx context.Context, tr exchange.Transition) error {
	t := &tr.Transfer
	offer, err := json.Marshal(t.Offer)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	return s.store(ctx, tr, func(tx tx) error {
		n, err := tx.exec(ctx, `
			INSERT INTO transfers (id, sender, receiver, state, version, receipts, offer, grant_hash, contract_hash, purpose, activity,
			                       offered_at, changed_at, deadline, due_at, trace, reason, processed_id, processed_url)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', '', '')
			ON CONFLICT (id) DO NOTHING`,
			t.ID, t.Sender, t.Receiver(), string(t.State), t.Version, t.Receipts, string(offer),
			t.Agreement.GrantHash, t.Agreement.ContractHash, t.Agreement.Purpose, t.Agreement.Activity,
			sqldb.At(t.OfferedAt), sqldb.At(t.ChangedAt), sqldb.At(t.Deadline), sqldb.At(t.Due()), t.Trace)
		if err == nil && n == 0 {
			err = exchange.ErrTaken
		}
		return err
	})
}

// Change stores a transition, or nothing: exchange.ErrStale.
func (s *Store) Change(ctx context.Context, tr exchange.Transition) error {
	t := &tr.Transfer
	return s.store(ctx, tr, func(tx tx) error {
		n, err := tx.exec(ctx, `
			UPDATE transfers SET state = $1, version = $2, receipts = $3, changed_at = $4, reason = $5, processed_id = $6, processed_url = $7,
			                     refusal_code = $8, source_case = $9, deadline = $10, due_at = $11, leased_until = 0, destroyed_at = $12
			WHERE id = $13 AND version = $14`,
			string(t.State), t.Version, t.Receipts, sqldb.At(t.ChangedAt), t.Reason, t.Processed.ID, t.Processed.URL,
			string(t.Code), string(t.Source), sqldb.At(t.Deadline), sqldb.At(t.Due()), sqldb.At(t.DestroyedAt),
			t.ID, tr.From)
		if err == nil && n == 0 {
			err = exchange.ErrStale
		}
		return err
	})
}

// store writes the row of the transfer and, with it or not at all, what goes with every transition.
func (s *Store) store(ctx context.Context, tr exchange.Transition, row func(tx) error) error {
	// Everybody locks feeds in the same order.
	events := slices.SortedFunc(slices.Values(tr.Events), func(a, b exchange.Event) int { return cmp.Compare(a.Organisation, b.Organisation) })
	err := s.tx(ctx, func(tx tx) error {
		if err := row(tx); err != nil {
			return err
		}
		r := tr.Receipt
		if _, err := tx.exec(ctx, `INSERT INTO receipts (transfer, sequence, id, type, at, jws) VALUES ($1, $2, $3, $4, $5, $6)`,
			tr.Transfer.ID, r.Sequence, r.ID, string(r.Type), sqldb.At(r.At), tr.Signed); err != nil {
			return fmt.Errorf("receipt: %w", err)
		}
		if k := tr.Key; k != nil {
			n, err := tx.exec(ctx, `
				INSERT INTO idempotency_keys (organisation, value, transfer, request, sequence) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (organisation, value) DO NOTHING`, k.Organisation, k.Value, k.Transfer, k.Request, k.Sequence)
			if err == nil && n == 0 {
				err = exchange.ErrKeyUsed
			}
			if err != nil {
				return fmt.Errorf("idempotency key: %w", err)
			}
		}
		if tr.Payload != nil {
			if err := keep(ctx, tx, tr.Transfer.ID, tr.Payload); err != nil {
				return fmt.Errorf("payload: %w", err)
			}
		}
		if tr.Destroy {
			if err := destroy(ctx, tx, tr.Transfer.ID); err != nil {
				return fmt.Errorf("destroy: %w", err)
			}
		}
		for _, e := range events {
			if err := appendEvent(ctx, tx, e); err != nil {
				return fmt.Errorf("event: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return refusal(err)
	}
	for _, e := range events {
		s.changed.ring(e.Organisation)
	}
	return nil
}

// appendEvent gives an event its number in the feed and adds it. The first statement holds the feed's row until the commit.
func appendEvent(ctx context.Context, tx tx, e exchange.Event) error {
	number, err := tx.number(ctx, `
		INSERT INTO feeds (organisation, last) VALUES ($1, 1)
		ON CONFLICT (organisation) DO UPDATE SET last = feeds.last + 1 RETURNING last`, e.Organisation)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `
		INSERT INTO events (organisation, number, id, type, transfer, sequence, at, sender, receiver)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.Organisation, number, e.ID, string(e.Type), e.Transfer, e.Sequence, sqldb.At(e.At), e.Sender, e.Receiver)
	return err
}
