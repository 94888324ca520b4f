package notifysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

type muteRow struct {
	m            notify.Mute
	organisation string
	until, at    sqldb.Time
}

func (r *muteRow) fields() []any {
	return []any{&r.m.ID, &r.organisation, &r.m.Channel, &r.m.Person, &r.m.Type, &r.until, &r.m.By, &r.at}
}

func mutesOf(ctx context.Context, q sqldb.Querier, organisation oin.OIN, now time.Time) ([]notify.Mute, error) {
	rows, err := sqldb.Collect(ctx, q, (*muteRow).fields, `
		SELECT id, organisation, channel, person, type, until, muted_by, muted_at FROM notification_mute
		WHERE organisation = $1 AND until > $2 ORDER BY id`, string(organisation), sqldb.At(now))
	if err != nil {
		return nil, fmt.Errorf("mutes: %w", err)
	}
	out := make([]notify.Mute, len(rows))
	for i, r := range rows {
		out[i] = r.m
		out[i].Organisation, out[i].Until, out[i].At = oin.OIN(r.organisation), r.until.Time, r.at.Time
	}
	return out, nil
}

// Mutes lists what is muted now.
func (s *Store) Mutes(ctx context.Context, organisation oin.OIN, now time.Time) ([]notify.Mute, error) {
	return mutesOf(ctx, s.db.Reader(), organisation, now)
}

// AddMute stores a mute within an act and gives it with its id. What is on its way already is kept back too.
func AddMute(ctx context.Context, tx *sql.Tx, m notify.Mute, now time.Time) (notify.Mute, error) {
	if err := m.Check(now); err != nil {
		return notify.Mute{}, err
	}
	if m.Channel != "" {
		if _, err := channelBy(ctx, tx, `organisation = $1 AND id = $2`, string(m.Organisation), m.Channel); errors.Is(err, sql.ErrNoRows) {
			return notify.Mute{}, notify.CodeUnknown.New("your organisation has no channel with this id")
		} else if err != nil {
			return notify.Mute{}, err
		}
	}
	if err := room(ctx, tx, `SELECT COUNT(*) FROM notification_mute WHERE organisation = $1 AND until > $2`, m.Organisation, notify.MaxMutes, sqldb.At(now)); err != nil {
		return notify.Mute{}, err
	}
	m.ID, m.At, m.Until = NewID(), sqldb.At(now).Time, sqldb.At(m.Until).Time
	_, err := tx.ExecContext(ctx, `
		INSERT INTO notification_mute (id, organisation, channel, person, type, until, muted_by, muted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		m.ID, string(m.Organisation), m.Channel, m.Person, string(m.Type), sqldb.At(m.Until), m.By, sqldb.At(m.At))
	if err != nil {
		return notify.Mute{}, fmt.Errorf("mute: %w", err)
	}
	return m, nil
}

// RemoveMute lifts a mute within an act. What was muted meanwhile stays so; the feed has it.
func RemoveMute(ctx context.Context, tx *sql.Tx, organisation oin.OIN, id string) error {
	n, err := exec(ctx, tx, `DELETE FROM notification_mute WHERE organisation = $1 AND id = $2`, string(organisation), id)
	if err == nil && n == 0 {
		err = notify.CodeUnknown.New("your organisation has no mute with this id")
	}
	return err
}

// Parked lists what could not be delivered, newest first, at most limit.
func (s *Store) Parked(ctx context.Context, organisation oin.OIN, limit int) ([]notify.Delivery, error) {
	return s.deliveries(ctx, `d.organisation = $1 AND d.state = 'parked' ORDER BY d.changed_at DESC, d.event DESC, d.channel LIMIT $2`,
		string(organisation), limit)
}

// Deliveries lists what became of one event of an organisation, by channel.
func (s *Store) Deliveries(ctx context.Context, organisation oin.OIN, event string) ([]notify.Delivery, error) {
	return s.deliveries(ctx, `d.organisation = $1 AND d.event = $2 ORDER BY d.channel`, string(organisation), event)
}

func (s *Store) deliveries(ctx context.Context, where string, args ...any) ([]notify.Delivery, error) {
	rows, err := sqldb.Collect(ctx, s.db.Reader(), (*deliveryRow).fields, `SELECT `+deliveryColumns+`, `+eventColumns+`
		FROM notification_delivery d JOIN notification_event e ON e.id = d.event WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	out := make([]notify.Delivery, len(rows))
	for i := range rows {
		if out[i], err = rows[i].delivery(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Retry makes what is parked on a channel pending again within an act: one event, or all of them with event "". It tells
// how many there were; CodeUnknown for none, CodeEnded when the channel is not in use.
func Retry(ctx context.Context, tx *sql.Tx, organisation oin.OIN, channel, event string, now time.Time) (int, error) {
	var parked int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notification_delivery
		WHERE organisation = $1 AND channel = $2 AND state = 'parked' AND ($3 = '' OR event = $3)`, string(organisation), channel, event).Scan(&parked); err != nil {
		return 0, err
	}
	if parked == 0 {
		return 0, notify.CodeUnknown.New("nothing of your organisation is parked under this channel and event")
	}
	c, err := channelBy(ctx, tx, `organisation = $1 AND id = $2`, string(organisation), channel)
	if errors.Is(err, sql.ErrNoRows) || err == nil && c.State != notify.ChannelActive {
		return 0, notify.CodeEnded.New("the channel was removed, or its receiver said that it is gone; the feed has the events")
	}
	if err != nil {
		return 0, err
	}
	n, err := exec(ctx, tx, `UPDATE notification_delivery SET state = 'pending', attempts = 0, due = $1, changed_at = $1
		WHERE organisation = $2 AND channel = $3 AND state = 'parked' AND ($4 = '' OR event = $4)`, sqldb.At(now), string(organisation), channel, event)
	return int(n), err
}

// Backlog is how far the dispatcher is behind, for readiness and alarms.
type Backlog struct {
	Pending int
	Parked  int
	Due     time.Time // of the first pending one; long past: the dispatcher does not run. Zero: nothing is pending
}

// Backlog counts what is on its way and what is parked, of all organisations.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	type row struct {
		pending, parked int
		due             sqldb.Time
	}
	r, err := sqldb.One(ctx, s.db.Reader(), func(r *row) []any { return []any{&r.pending, &r.parked, &r.due} }, `
		SELECT (SELECT COUNT(*) FROM notification_delivery WHERE state = 'pending'),
		       (SELECT COUNT(*) FROM notification_delivery WHERE state = 'parked'),
		       (SELECT MIN(due) FROM notification_delivery WHERE state = 'pending')`)
	if err != nil {
		return Backlog{}, fmt.Errorf("backlog of notifications: %w", err)
	}
	return Backlog{Pending: r.pending, Parked: r.parked, Due: r.due.Time}, nil
}
