package notify_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

// world is a store with a dispatcher, a clock that tests move, and receivers that answer as they are told.
type world struct {
	t     *testing.T
	db    *sqldb.DB
	store *notifysql.Store
	d     *notify.Dispatcher

	mu   sync.Mutex
	now  time.Time
	got  map[string][]notify.Message  // by address
	say  map[string]func(n int) error // by address: the answer to message n, from 0
	meet func(notify.Channel) (notify.Channel, error)
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	if err := db.Migrate(t.Context(), fstest.MapFS{"00001_notify.sql": {Data: []byte(notifysql.Schema)}}); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, store: notifysql.New(db), now: noon, got: map[string][]notify.Message{}, say: map[string]func(int) error{}}
	w.d = w.dispatcher()
	return w
}

func (w *world) dispatcher() *notify.Dispatcher {
	w.t.Helper()
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := notify.New(notify.Options{
		Store: w.store, Senders: map[notify.ChannelType]notify.Sender{notify.Mail: w, notify.Webhook: w},
		Digest: notify.Rhythm{Hour: 7, Location: amsterdam}, NewID: notifysql.NewID, Logger: slog.New(slog.DiscardHandler), Now: w.clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Send implements notify.Sender.
func (w *world) Send(_ context.Context, m notify.Message) error {
	w.mu.Lock()
	n := len(w.got[m.Channel.Address])
	w.got[m.Channel.Address] = append(w.got[m.Channel.Address], m)
	say := w.say[m.Channel.Address]
	w.mu.Unlock()
	if say == nil {
		return nil
	}
	return say(n)
}

// Introduce implements notify.Introducer.
func (w *world) Introduce(_ context.Context, c notify.Channel) (notify.Channel, error) {
	if w.meet != nil {
		return w.meet(c)
	}
	return c, nil
}

func (w *world) messages(address string) []notify.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got[address])
}

// act runs fn as an administrative act does: in one transaction of the registry's own kind.
func (w *world) act(fn func(*sql.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tell(events ...notify.Event) {
	w.t.Helper()
	w.act(func(tx *sql.Tx) error {
		for _, e := range events {
			if err := notifysql.Enqueue(w.t.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) add(c notify.Channel) notify.Channel {
	w.t.Helper()
	a, err := w.d.Admit(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.act(func(tx *sql.Tx) (err error) {
		c, err = notifysql.AddChannel(w.t.Context(), tx, a, w.clock())
		return err
	})
	return c
}

func (w *world) step() {
	w.t.Helper()
	if err := w.d.Once(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// states counts what became of all deliveries.
func (w *world) states() string {
	w.t.Helper()
	type row struct {
		state string
		n     int
	}
	rows, err := sqldb.Collect(w.t.Context(), w.db.Reader(), func(r *row) []any { return []any{&r.state, &r.n} },
		`SELECT state, COUNT(*) FROM notification_delivery GROUP BY state ORDER BY state`)
	if err != nil {
		w.t.Fatal(err)
	}
	out := ""
	for _, r := range rows {
		out += fmt.Sprintf("%s:%d ", r.state, r.n)
	}
	return out
}

func (w *world) want(states string) {
	w.t.Helper()
	if got := w.states(); got != states {
		w.t.Errorf("got deliveries %q, want %q", got, states)
	}
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newWorld(t, db)) })
}

var errAway = &notify.Failure{Result: "HTTP 503", Class: notify.Away}
