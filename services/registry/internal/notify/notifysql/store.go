// Package notifysql keeps notifications in SQL. What people and acts change takes the *sql.Tx of the act, so that it is
// stored with the act's audit record or not at all; what the dispatcher changes is a short transaction of its own, at read
// committed, and never in the way of an act.
package notifysql

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// Schema is the migration that makes the tables, in goose's form.
//
//go:embed schema.sql
var Schema string

// Store is a notify.Store on the registry's database. Whoever opens the database brings its schema up to date.
type Store struct {
	db *sqldb.DB

	// fault is asked before every statement of the dispatcher's transactions and before their commit; an error ends the
	// transaction there, as a crash would. Tests set it.
	fault func(statement string) error
}

var _ notify.Store = (*Store)(nil)

// New makes the store.
func New(db *sqldb.DB) *Store { return &Store{db: db} }

// NewID gives a UUIDv7.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// tx runs fn in a transaction at read committed. Every statement that must not be done twice carries its condition.
func (s *Store) tx(ctx context.Context, fn func(watched) error) error {
	options := &sql.TxOptions{}
	if s.db.Dialect == sqldb.PostgreSQL {
		options.Isolation = sql.LevelReadCommitted
	}
	begun, err := s.db.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// A rollback after commit does nothing; it also ends the transaction when fn panics.
	defer func() { _ = begun.Rollback() }()
	t := watched{begun, s.fault}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.watch("COMMIT"); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// watched is a transaction that can be made to end between its statements.
type watched struct {
	*sql.Tx
	fault func(string) error
}

func (t watched) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.watch(query); err != nil {
		return 0, err
	}
	return exec(ctx, t.Tx, query, args...)
}

func (t watched) watch(statement string) error {
	if t.fault == nil {
		return nil
	}
	return t.fault(statement)
}

// exec runs a statement and tells how many rows it changed.
func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Enqueue writes an event into the outbox, and so into the feed, within the act's own transaction. An event that is wrong
// is a fault of the program. Call Dispatcher.Wake after the commit.
func Enqueue(ctx context.Context, tx *sql.Tx, e notify.Event) error {
	if e.ID == "" {
		e.ID = NewID()
	}
	if err := e.Check(); err != nil {
		return err
	}
	if e.Facts == nil {
		e.Facts = notify.Facts{}
	}
	facts, err := json.Marshal(e.Facts)
	if err != nil {
		return err
	}
	// The row of the feed stays locked until the commit, so numbers become visible in their order.
	if err := tx.QueryRowContext(ctx, `
		INSERT INTO notification_feed (organisation, last) VALUES ($1, 1)
		ON CONFLICT (organisation) DO UPDATE SET last = notification_feed.last + 1 RETURNING last`, string(e.Organisation)).Scan(&e.Number); err != nil {
		return fmt.Errorf("feed of notifications: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO notification_event (id, organisation, number, type, subject_kind, subject, facts, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.ID, string(e.Organisation), e.Number, string(e.Type), string(e.Subject.Kind), e.Subject.ID, string(facts), sqldb.At(e.At)); err != nil {
		return fmt.Errorf("outbox of notifications: %w", err)
	}
	return nil
}

const eventColumns = `e.id, e.organisation, e.number, e.type, e.subject_kind, e.subject, e.facts, e.at`

// eventRow is an event as it comes out of the database.
type eventRow struct {
	e            notify.Event
	organisation string
	facts        string
	at           sqldb.Time
}

func (r *eventRow) fields() []any {
	return []any{&r.e.ID, &r.organisation, &r.e.Number, &r.e.Type, &r.e.Subject.Kind, &r.e.Subject.ID, &r.facts, &r.at}
}

func (r *eventRow) event() (notify.Event, error) {
	r.e.Organisation, r.e.At = oin.OIN(r.organisation), r.at.Time
	if err := json.Unmarshal([]byte(r.facts), &r.e.Facts); err != nil {
		return notify.Event{}, fmt.Errorf("facts held: %w", err)
	}
	return r.e, nil
}

// Feed gives at most limit events of an organisation after a number, oldest first, and the number to go on from.
// CodeCursor says that the feed begins after the number, or ends before it.
//
// The head of the feed is read first: every event up to it is committed by then, so a cursor never passes one that is
// still on its way.
func (s *Store) Feed(ctx context.Context, organisation oin.OIN, after int64, limit int) (events []notify.Event, next int64, err error) {
	type feed struct{ last, swept int64 }
	head, err := sqldb.One(ctx, s.db.Reader(), func(f *feed) []any { return []any{&f.last, &f.swept} },
		`SELECT last, swept FROM notification_feed WHERE organisation = $1`, string(organisation))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, 0, fmt.Errorf("feed of notifications: %w", err)
	}
	if after > head.last || after > 0 && after < head.swept {
		return nil, 0, notify.CodeCursor.New("events go from %d to %d", head.swept+1, head.last)
	}
	rows, err := sqldb.Collect(ctx, s.db.Reader(), (*eventRow).fields, `SELECT `+eventColumns+`
		FROM notification_event e WHERE e.organisation = $1 AND e.number > $2 AND e.number <= $3 ORDER BY e.number LIMIT $4`,
		string(organisation), after, head.last, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("feed of notifications: %w", err)
	}
	for i := range rows {
		e, err := rows[i].event()
		if err != nil {
			return nil, 0, err
		}
		events = append(events, e)
	}
	if len(events) == limit {
		return events, events[limit-1].Number, nil
	}
	return events, head.last, nil
}

// places gives "$n, $n+1, …" for count arguments.
func places(from, count int) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
