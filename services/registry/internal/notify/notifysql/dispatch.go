package notifysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// FanOut implements notify.Store. Two that fan out the same event make the same deliveries; the second changes nothing.
func (s *Store) FanOut(
	ctx context.Context, now time.Time, limit int, plan func(notify.Event, []notify.Channel, []notify.Mute) []notify.Delivery,
) (int, error) {
	fresh := `SELECT ` + eventColumns + ` FROM notification_event e WHERE e.fanned_at IS NULL ORDER BY e.id LIMIT $1`
	if rows, err := sqldb.Collect(ctx, s.db.Reader(), (*eventRow).fields, fresh, 1); err != nil || len(rows) == 0 {
		return 0, err // an idle look takes no turn as the writer
	}
	count := 0
	err := s.tx(ctx, func(tx watched) error {
		rows, err := sqldb.Collect(ctx, tx, (*eventRow).fields, fresh, limit)
		if err != nil {
			return err
		}
		count = len(rows)
		known := map[oin.OIN]audience{}
		for i := range rows {
			e, err := rows[i].event()
			if err != nil {
				return err
			}
			a, ok := known[e.Organisation]
			if !ok {
				if a, err = audienceOf(ctx, tx, e.Organisation, now); err != nil {
					return err
				}
				known[e.Organisation] = a
			}
			for _, d := range plan(e, a.channels, a.mutes) {
				if _, err := tx.exec(ctx, `
					INSERT INTO notification_delivery (event, channel, organisation, state, attempts, due, batch, result, changed_at)
					VALUES ($1, $2, $3, $4, 0, $5, $6, '', $7) ON CONFLICT (event, channel) DO NOTHING`,
					e.ID, d.Channel, string(e.Organisation), string(d.State), sqldb.At(d.Due), d.Batch, sqldb.At(d.Changed)); err != nil {
					return err
				}
			}
			if _, err := tx.exec(ctx, `UPDATE notification_event SET fanned_at = $1 WHERE id = $2`, sqldb.At(now), e.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("fan out notifications: %w", err)
	}
	return count, nil
}

// audience is who hears the events of an organisation.
type audience struct {
	channels []notify.Channel
	mutes    []notify.Mute
}

func audienceOf(ctx context.Context, q sqldb.Querier, organisation oin.OIN, now time.Time) (a audience, err error) {
	if a.channels, err = channelsOf(ctx, q, organisation); err != nil {
		return a, err
	}
	a.mutes, err = mutesOf(ctx, q, organisation, now)
	return a, err
}

// Due implements notify.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	type row struct {
		channel string
		first   sqldb.Time
	}
	rows, err := sqldb.Collect(ctx, s.db.Reader(), func(r *row) []any { return []any{&r.channel, &r.first} }, `
		SELECT channel, MIN(due) AS first FROM notification_delivery WHERE state = 'pending' AND due <= $1
		GROUP BY channel ORDER BY first, channel LIMIT $2`, sqldb.At(now), limit)
	if err != nil {
		return nil, fmt.Errorf("notifications due: %w", err)
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.channel
	}
	return out, nil
}

// Claim implements notify.Store. A second dispatcher that claims the same rows waits for the first one's commit, sees that
// they are not due any more, and gets none.
func (s *Store) Claim(ctx context.Context, channel string, now, until time.Time, limit, digest int) (notify.Claimed, error) {
	var out notify.Claimed
	err := s.tx(ctx, func(tx watched) error {
		out = notify.Claimed{}
		c, err := channelBy(ctx, tx, `id = $1`, channel)
		if errors.Is(err, sql.ErrNoRows) || err == nil && c.State != notify.ChannelActive {
			// A fan-out that read the channel just before it went can leave some behind.
			_, err = tx.exec(ctx, `UPDATE notification_delivery SET state = 'parked', result = 'channel not in use', changed_at = $1
				WHERE channel = $2 AND state = 'pending'`, sqldb.At(now), channel)
			return err
		}
		if err != nil {
			return err
		}
		if out.Channel = c; c.Digest {
			limit = digest
		}
		if out.Mutes, err = mutesOf(ctx, tx, c.Organisation, now); err != nil {
			return err
		}
		out.Deliveries, err = claim(ctx, tx, channel, now, until, limit)
		return err
	})
	if err != nil {
		return notify.Claimed{}, fmt.Errorf("claim notifications: %w", err)
	}
	return out, nil
}

type deliveryRow struct {
	d            notify.Delivery
	e            eventRow
	due, changed sqldb.Time
}

const deliveryColumns = `d.channel, d.state, d.attempts, d.due, d.batch, d.result, d.changed_at`

func (r *deliveryRow) fields() []any {
	return append([]any{&r.d.Channel, &r.d.State, &r.d.Attempts, &r.due, &r.d.Batch, &r.d.Result, &r.changed}, r.e.fields()...)
}

func (r *deliveryRow) delivery() (notify.Delivery, error) {
	var err error
	r.d.Due, r.d.Changed = r.due.Time, r.changed.Time
	r.d.Event, err = r.e.event()
	return r.d, err
}

func claim(ctx context.Context, tx watched, channel string, now, until time.Time, limit int) ([]notify.Delivery, error) {
	type key struct {
		event    string
		attempts int
	}
	if err := tx.watch("claim"); err != nil {
		return nil, err
	}
	claimed, err := sqldb.Collect(ctx, tx, func(k *key) []any { return []any{&k.event, &k.attempts} }, `
		UPDATE notification_delivery SET due = $1, attempts = attempts + 1
		WHERE channel = $2 AND state = 'pending' AND due <= $3 AND event IN (
			SELECT event FROM notification_delivery WHERE channel = $2 AND state = 'pending' AND due <= $3 ORDER BY batch, event LIMIT $4)
		RETURNING event, attempts`, sqldb.At(until), channel, sqldb.At(now), limit)
	if err != nil || len(claimed) == 0 {
		return nil, err
	}
	args := []any{channel}
	for _, k := range claimed {
		args = append(args, k.event)
	}
	rows, err := sqldb.Collect(ctx, tx, (*deliveryRow).fields, `SELECT `+deliveryColumns+`, `+eventColumns+`
		FROM notification_delivery d JOIN notification_event e ON e.id = d.event
		WHERE d.channel = $1 AND d.event IN (`+places(2, len(claimed))+`)`, args...)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Delivery, len(rows))
	for i := range rows {
		if out[i], err = rows[i].delivery(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b notify.Delivery) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Event.Number, b.Event.Number))
	})
	return out, nil
}

// Settle implements notify.Store.
func (s *Store) Settle(ctx context.Context, now time.Time, st notify.Settlement) error {
	err := s.tx(ctx, func(tx watched) error {
		for _, d := range st.Deliveries {
			if err := settle(ctx, tx, d, st.Channel.ID); err != nil {
				return err
			}
		}
		if st.Result != nil {
			if err := record(ctx, tx, st.Channel.ID, *st.Result); err != nil {
				return err
			}
		}
		if st.Ended == nil {
			return nil
		}
		return end(ctx, tx, st, now)
	})
	if err != nil {
		return fmt.Errorf("settle notifications: %w", err)
	}
	return nil
}

func settle(ctx context.Context, tx watched, d notify.Delivery, channel string) error {
	if d.State == notify.Delivered { // whatever else was decided meanwhile: the other side has it
		_, err := tx.exec(ctx, `UPDATE notification_delivery SET state = 'delivered', result = '', changed_at = $1 WHERE event = $2 AND channel = $3`,
			sqldb.At(d.Changed), d.Event.ID, channel)
		return err
	}
	attempts := d.Attempts
	if d.Untried {
		attempts--
	}
	_, err := tx.exec(ctx, `UPDATE notification_delivery SET state = $1, attempts = $2, due = $3, result = $4, changed_at = $5
		WHERE event = $6 AND channel = $7 AND state = 'pending' AND attempts = $8`,
		string(d.State), attempts, sqldb.At(d.Due), d.Result, sqldb.At(d.Changed), d.Event.ID, channel, d.Attempts)
	return err
}

// end takes a channel out of use because its receiver is gone, and tells the organisation by its other channels.
func end(ctx context.Context, tx watched, st notify.Settlement, now time.Time) error {
	n, err := tx.exec(ctx, `UPDATE notification_channel SET state = 'ended', revision = revision + 1 WHERE id = $1 AND state = 'active' AND revision = $2`,
		st.Channel.ID, st.Channel.Revision)
	if err != nil || n == 0 { // a person has changed the channel meanwhile: that holds
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE notification_delivery SET state = 'parked', result = $1, changed_at = $2 WHERE channel = $3 AND state = 'pending'`,
		st.Result.Text, sqldb.At(now), st.Channel.ID); err != nil {
		return err
	}
	if err := tx.watch("enqueue"); err != nil {
		return err
	}
	return Enqueue(ctx, tx.Tx, *st.Ended)
}

// Record implements notify.Store.
func (s *Store) Record(ctx context.Context, channel string, r notify.Result) error {
	return s.tx(ctx, func(tx watched) error { return record(ctx, tx, channel, r) })
}

func record(ctx context.Context, tx watched, channel string, r notify.Result) error {
	_, err := tx.exec(ctx, `UPDATE notification_channel SET last_at = $1, last_ok = $2, last_result = $3 WHERE id = $4`,
		sqldb.At(r.At), r.OK, r.Text, channel)
	return err
}

// Sweep implements notify.Store. It removes whole beginnings of feeds only, so that a cursor is either good or refused.
func (s *Store) Sweep(ctx context.Context, before time.Time) error {
	type feed struct {
		organisation string
		upTo         int64
	}
	// Of each organisation: up to the event before the first that is young or not done yet.
	feeds, err := sqldb.Collect(ctx, s.db.Reader(), func(f *feed) []any { return []any{&f.organisation, &f.upTo} }, `
		SELECT organisation, up_to FROM (
			SELECT f.organisation, f.swept, COALESCE((
				SELECT e.number - 1 FROM notification_event e
				WHERE e.organisation = f.organisation AND (e.at >= $1 OR e.fanned_at IS NULL OR EXISTS (
					SELECT 1 FROM notification_delivery d WHERE d.event = e.id AND d.state = 'pending'))
				ORDER BY e.number LIMIT 1), f.last) AS up_to
			FROM notification_feed f) AS ends
		WHERE up_to > swept`, sqldb.At(before))
	if err != nil {
		return fmt.Errorf("sweep notifications: %w", err)
	}
	for _, f := range feeds {
		if err := s.tx(ctx, func(tx watched) error { return sweep(ctx, tx, f.organisation, f.upTo) }); err != nil {
			return fmt.Errorf("sweep notifications: %w", err)
		}
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM notification_mute WHERE until < $1`, sqldb.At(before)); err != nil {
		return fmt.Errorf("sweep mutes: %w", err)
	}
	return nil
}

func sweep(ctx context.Context, tx watched, organisation string, upTo int64) error {
	if _, err := tx.exec(ctx, `UPDATE notification_feed SET swept = $1 WHERE organisation = $2 AND swept < $1`, upTo, organisation); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM notification_delivery WHERE organisation = $1 AND event IN (
		SELECT id FROM notification_event WHERE organisation = $1 AND number <= $2)`, organisation, upTo); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM notification_event WHERE organisation = $1 AND number <= $2`, organisation, upTo)
	return err
}
