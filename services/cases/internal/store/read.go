package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

const columns = `id, sender, state, version, receipts, offer, grant_hash, contract_hash, purpose, activity,
	offered_at, changed_at, deadline, reason, processed_id, processed_url, refusal_code, source_case, destroyed_at, trace`

// row is a transfer as it comes out of the database.
type row struct {
	t                                     exchange.Transfer
	offer                                 string
	offered, changed, deadline, destroyed sqldb.Time
}

func (r *row) fields() []any {
	t := &r.t
	return []any{
		&t.ID, &t.Sender, &t.State, &t.Version, &t.Receipts, &r.offer, &t.Agreement.GrantHash, &t.Agreement.ContractHash,
		&t.Agreement.Purpose, &t.Agreement.Activity, &r.offered, &r.changed, &r.deadline, &t.Reason, &t.Processed.ID, &t.Processed.URL,
		&t.Code, &t.Source, &r.destroyed, &t.Trace,
	}
}

func (r *row) transfer() (exchange.Transfer, error) {
	if err := json.Unmarshal([]byte(r.offer), &r.t.Offer); err != nil {
		return exchange.Transfer{}, fmt.Errorf("offer held: %w", err)
	}
	r.t.OfferedAt, r.t.ChangedAt, r.t.Deadline = r.offered.Time, r.changed.Time, r.deadline.Time
	r.t.DestroyedAt = r.destroyed.Time
	return r.t, nil
}

// visible is the one place that says what a view shows; $1 is the organisation, $2 the receiver it is bound to.
const visible = `(sender = $1 AND ($2 = '' OR receiver = $2) OR receiver = $1 AND $2 = '')`

// Find gives a transfer of a view, or exchange.ErrNotFound.
func (s *Store) Find(ctx context.Context, v exchange.View, id string) (exchange.Transfer, error) {
	r, err := sqldb.One(ctx, s.db.Reader(), (*row).fields,
		`SELECT `+columns+` FROM transfers WHERE id = $3 AND `+visible, v.Organisation, v.To, id)
	if errors.Is(err, sql.ErrNoRows) {
		return exchange.Transfer{}, exchange.ErrNotFound
	}
	if err != nil {
		return exchange.Transfer{}, refusal(fmt.Errorf("transfer: %w", err))
	}
	return r.transfer()
}

// Receipts gives the receipts of a transfer in order.
func (s *Store) Receipts(ctx context.Context, id string) ([]exchange.SignedReceipt, error) {
	list, err := sqldb.Collect(ctx, s.db.Reader(), func(r *exchange.SignedReceipt) []any { return []any{&r.Type, &r.Compact} },
		`SELECT type, jws FROM receipts WHERE transfer = $1 ORDER BY sequence`, id)
	if err != nil {
		return nil, refusal(fmt.Errorf("receipts: %w", err))
	}
	return list, nil
}

// Key gives what an organisation used an Idempotency-Key for, or exchange.ErrNotFound.
func (s *Store) Key(ctx context.Context, organisation, value string) (exchange.Key, error) {
	k, err := sqldb.One(ctx, s.db.Reader(), func(k *exchange.Key) []any { return []any{&k.Transfer, &k.Request, &k.Sequence} },
		`SELECT transfer, request, sequence FROM idempotency_keys WHERE organisation = $1 AND value = $2`, organisation, value)
	if errors.Is(err, sql.ErrNoRows) {
		return exchange.Key{}, exchange.ErrNotFound
	}
	if err != nil {
		return exchange.Key{}, refusal(fmt.Errorf("idempotency key: %w", err))
	}
	k.Organisation, k.Value = organisation, value
	return k, nil
}

// List gives at most f.Limit transfers of a view, newest first. Each role has an index of its own.
func (s *Store) List(ctx context.Context, v exchange.View, f exchange.Filter) ([]exchange.Transfer, error) {
	roles := []exchange.Role{exchange.Sender, exchange.Receiver}
	if f.Role != "" {
		roles = []exchange.Role{f.Role}
	}
	var all []exchange.Transfer
	for _, role := range roles {
		if role == exchange.Receiver && v.To != "" {
			continue // a view of what is sent to one receiver holds nothing received
		}
		some, err := s.listOf(ctx, v, role, f)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b exchange.Transfer) int {
		if c := b.OfferedAt.Compare(a.OfferedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return all[:min(len(all), f.Limit)], nil
}

func (s *Store) listOf(ctx context.Context, v exchange.View, role exchange.Role, f exchange.Filter) ([]exchange.Transfer, error) {
	party := map[exchange.Role]string{exchange.Sender: "sender", exchange.Receiver: "receiver"}[role]
	args := []any{v.Organisation, v.To}
	where := []string{party + " = $1", visible}
	arg := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	if f.State != "" {
		where = append(where, "state = "+arg(string(f.State)))
	}
	if f.After != nil {
		where = append(where, fmt.Sprintf("(offered_at, id) < (%s, %s)", arg(sqldb.At(f.After.At)), arg(f.After.ID)))
	}
	rows, err := sqldb.Collect(ctx, s.db.Reader(), (*row).fields, fmt.Sprintf(
		`SELECT %s FROM transfers WHERE %s ORDER BY offered_at DESC, id DESC LIMIT %s`, columns, strings.Join(where, " AND "), arg(f.Limit)), args...)
	if err != nil {
		return nil, refusal(fmt.Errorf("transfers: %w", err))
	}
	out := make([]exchange.Transfer, len(rows))
	for i := range rows {
		if out[i], err = rows[i].transfer(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Events gives at most limit events after a cursor. The head of the feed is read first: every event up to it is
// committed by then, so a cursor never passes one that is still on its way.
func (s *Store) Events(ctx context.Context, v exchange.View, after int64, limit int) (exchange.Feed, error) {
	head, err := sqldb.One(ctx, s.db.Reader(), func(n *int64) []any { return []any{n} }, `SELECT last FROM feeds WHERE organisation = $1`, v.Organisation)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return exchange.Feed{}, refusal(fmt.Errorf("feed: %w", err))
	}
	type line struct {
		e  exchange.Event
		at sqldb.Time
	}
	lines, err := sqldb.Collect(ctx, s.db.Reader(), func(l *line) []any {
		return []any{&l.e.Number, &l.e.ID, &l.e.Type, &l.e.Transfer, &l.e.Sequence, &l.at, &l.e.Sender, &l.e.Receiver}
	}, `
		SELECT number, id, type, transfer, sequence, at, sender, receiver FROM events
		WHERE organisation = $1 AND `+visible+` AND number > $3 AND number <= $4 ORDER BY number LIMIT $5`,
		v.Organisation, v.To, after, head, limit)
	if err != nil {
		return exchange.Feed{}, refusal(fmt.Errorf("events: %w", err))
	}
	feed := exchange.Feed{Next: max(after, head), Head: head}
	for _, l := range lines {
		l.e.Organisation, l.e.At = v.Organisation, l.at.Time
		feed.Events = append(feed.Events, l.e)
	}
	if len(lines) == limit {
		feed.Next = lines[limit-1].e.Number
	}
	return feed, nil
}
