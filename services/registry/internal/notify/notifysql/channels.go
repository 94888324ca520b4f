package notifysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

const channelColumns = `id, organisation, revision, kind, address, person, digest, language, types, ca, pin, rate, state, created_at,
	last_at, last_ok, last_result`

type channelRow struct {
	c                   notify.Channel
	organisation, types string
	created, last       sqldb.Time
}

func (r *channelRow) fields() []any {
	c := &r.c
	return []any{
		&c.ID, &r.organisation, &c.Revision, &c.Kind, &c.Address, &c.Person, &c.Digest, &c.Language, &r.types, &c.CA, &c.Pin, &c.Rate, &c.State,
		&r.created, &r.last, &c.Last.OK, &c.Last.Text,
	}
}

func (r *channelRow) channel() (notify.Channel, error) {
	r.c.Organisation, r.c.Created, r.c.Last.At = oin.OIN(r.organisation), r.created.Time, r.last.Time
	if err := json.Unmarshal([]byte(r.types), &r.c.Types); err != nil {
		return notify.Channel{}, fmt.Errorf("types held: %w", err)
	}
	return r.c, nil
}

func channelBy(ctx context.Context, q sqldb.Querier, where string, args ...any) (notify.Channel, error) {
	r, err := sqldb.One(ctx, q, (*channelRow).fields, `SELECT `+channelColumns+` FROM notification_channel WHERE `+where, args...)
	if err != nil {
		return notify.Channel{}, err
	}
	return r.channel()
}

func channelsOf(ctx context.Context, q sqldb.Querier, organisation oin.OIN) ([]notify.Channel, error) {
	rows, err := sqldb.Collect(ctx, q, (*channelRow).fields,
		`SELECT `+channelColumns+` FROM notification_channel WHERE organisation = $1 ORDER BY id`, string(organisation))
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	out := make([]notify.Channel, len(rows))
	for i := range rows {
		if out[i], err = rows[i].channel(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Channels lists the channels of an organisation with the result of their last try, oldest first.
func (s *Store) Channels(ctx context.Context, organisation oin.OIN) ([]notify.Channel, error) {
	return channelsOf(ctx, s.db.Reader(), organisation)
}

// Channel implements notify.Store.
func (s *Store) Channel(ctx context.Context, organisation oin.OIN, id string) (notify.Channel, error) {
	c, err := channelBy(ctx, s.db.Reader(), `organisation = $1 AND id = $2`, string(organisation), id)
	if errors.Is(err, sql.ErrNoRows) {
		return c, notify.CodeUnknown.New("your organisation has no channel with this id")
	}
	return c, err
}

// AddChannel stores a new channel within an act and gives it as stored, with its id.
func AddChannel(ctx context.Context, tx *sql.Tx, a notify.Admitted, now time.Time) (notify.Channel, error) {
	c := a.Channel()
	c.ID, c.Revision, c.Created, c.Last = NewID(), 1, sqldb.At(now).Time, notify.Result{}
	if err := room(ctx, tx, `SELECT COUNT(*) FROM notification_channel WHERE organisation = $1`, c.Organisation, notify.MaxChannels); err != nil {
		return notify.Channel{}, err
	}
	types, err := typesOf(c)
	if err != nil {
		return notify.Channel{}, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO notification_channel (id, organisation, revision, kind, address, person, digest, language, types, ca, pin, rate, state, created_at)
		VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, string(c.Organisation), string(c.Kind), c.Address, c.Person, c.Digest, string(c.Language), types, c.CA, c.Pin, c.Rate, string(c.State), sqldb.At(now))
	if err != nil {
		return notify.Channel{}, fmt.Errorf("add channel: %w", err)
	}
	return c, nil
}

// ChangeChannel replaces what a person says of a channel, within an act. Its Revision must be the one stored: CodeChanged.
// An ended channel is in use again.
func ChangeChannel(ctx context.Context, tx *sql.Tx, a notify.Admitted) (notify.Channel, error) {
	c := a.Channel()
	types, err := typesOf(c)
	if err != nil {
		return notify.Channel{}, err
	}
	n, err := exec(ctx, tx, `
		UPDATE notification_channel SET revision = revision + 1, kind = $1, address = $2, person = $3, digest = $4, language = $5, types = $6,
			ca = $7, pin = $8, rate = $9, state = $10
		WHERE id = $11 AND organisation = $12 AND revision = $13`,
		string(c.Kind), c.Address, c.Person, c.Digest, string(c.Language), types, c.CA, c.Pin, c.Rate, string(c.State), c.ID, string(c.Organisation), c.Revision)
	if err != nil {
		return notify.Channel{}, fmt.Errorf("change channel: %w", err)
	}
	if n == 0 {
		return notify.Channel{}, missing(ctx, tx, c.Organisation, c.ID)
	}
	return channelBy(ctx, tx, `id = $1`, c.ID)
}

// missing tells a channel that changed from one that is not there.
func missing(ctx context.Context, tx *sql.Tx, organisation oin.OIN, id string) error {
	_, err := channelBy(ctx, tx, `organisation = $1 AND id = $2`, string(organisation), id)
	if errors.Is(err, sql.ErrNoRows) {
		return notify.CodeUnknown.New("your organisation has no channel with this id")
	}
	if err != nil {
		return err
	}
	return notify.CodeChanged.New("somebody else changed the channel")
}

// RemoveChannel takes a channel away within an act. What was still on its way is parked, to be seen; it cannot be sent any
// more.
func RemoveChannel(ctx context.Context, tx *sql.Tx, organisation oin.OIN, id string, revision int64, now time.Time) error {
	n, err := exec(ctx, tx, `DELETE FROM notification_channel WHERE organisation = $1 AND id = $2 AND revision = $3`, string(organisation), id, revision)
	if err != nil {
		return fmt.Errorf("remove channel: %w", err)
	}
	if n == 0 {
		return missing(ctx, tx, organisation, id)
	}
	_, err = tx.ExecContext(ctx, `UPDATE notification_delivery SET state = 'parked', result = 'channel removed', changed_at = $1
		WHERE channel = $2 AND state = 'pending'`, sqldb.At(now), id)
	return err
}

// RemovePerson takes the mailboxes of somebody who leaves away within the act that takes the person out.
func RemovePerson(ctx context.Context, tx *sql.Tx, person string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE notification_delivery SET state = 'parked', result = 'channel removed', changed_at = $1
		WHERE state = 'pending' AND channel IN (SELECT id FROM notification_channel WHERE person = $2)`, sqldb.At(now), person); err != nil {
		return fmt.Errorf("channels of a person: %w", err)
	}
	for _, table := range []string{"notification_channel", "notification_mute"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE person = $1`, person); err != nil {
			return fmt.Errorf("channels of a person: %w", err)
		}
	}
	return nil
}

func typesOf(c notify.Channel) (string, error) {
	if c.Types == nil {
		c.Types = []notify.Type{}
	}
	text, err := json.Marshal(c.Types)
	return string(text), err
}

// room refuses one more than an organisation may have.
func room(ctx context.Context, tx *sql.Tx, count string, organisation oin.OIN, most int, args ...any) error {
	var n int
	if err := tx.QueryRowContext(ctx, count, append([]any{string(organisation)}, args...)...).Scan(&n); err != nil {
		return err
	}
	if n >= most {
		return notify.CodeFull.New("an organisation has at most %d", most)
	}
	return nil
}
