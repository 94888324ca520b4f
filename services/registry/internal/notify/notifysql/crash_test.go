package notifysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

const (
	assen     = oin.OIN("00000099000000002000")
	groningen = oin.OIN("00000099000000001000")
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func migrated(t *testing.T, db *sqldb.DB) *notifysql.Store {
	t.Helper()
	if err := db.Migrate(t.Context(), fstest.MapFS{"00001_notify.sql": {Data: []byte(notifysql.Schema)}}); err != nil {
		t.Fatal(err)
	}
	return notifysql.New(db)
}

func keyAdded(organisation oin.OIN) notify.Event {
	return notify.Event{
		ID: notifysql.NewID(), Type: notify.KeyAdded, Organisation: organisation, Subject: notify.Subject{Kind: notify.Client, ID: "assen-zaken"}, At: noon,
	}
}

var (
	errCrash = errors.New("the process died here")
	errAway  = &notify.Failure{Result: "HTTP 503", Class: notify.Away}
)

// region is a hub whose process may die anywhere: what it has is in the database alone.
type region struct {
	db    *sqldb.DB
	store *notifysql.Store
	d     *notify.Dispatcher

	mu       sync.Mutex
	now      time.Time
	answer   func() error              // of every receiver
	accepted map[string]map[string]int // by address and event: what receivers have taken
	fatal    func(args ...any)
}

func newRegion(store *notifysql.Store, db *sqldb.DB, fatal func(...any)) *region {
	r := &region{db: db, store: store, now: noon, accepted: map[string]map[string]int{}, fatal: fatal, answer: func() error { return nil }}
	r.restart()
	return r
}

func (r *region) restart() {
	d, err := notify.New(notify.Options{
		Store: r.store, Senders: map[notify.ChannelType]notify.Sender{notify.Mail: r, notify.Webhook: r}, Workers: 1,
		Digest: notify.Rhythm{Hour: 7, Location: time.UTC}, NewID: notifysql.NewID, Logger: slog.New(slog.DiscardHandler), Now: r.clock,
	})
	if err != nil {
		r.fatal(err)
	}
	r.d = d
}

func (r *region) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *region) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// Send implements notify.Sender.
func (r *region) Send(_ context.Context, m notify.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.answer()
	if err == nil {
		if r.accepted[m.Channel.Address] == nil {
			r.accepted[m.Channel.Address] = map[string]int{}
		}
		for _, e := range m.Events {
			r.accepted[m.Channel.Address][e.ID]++
		}
	}
	return err
}

// drain lets time pass until nothing is on its way.
func (r *region) drain(ctx context.Context) {
	for range 60 {
		if err := r.d.Once(ctx); err != nil {
			r.fatal(err)
		}
		b, err := r.store.Backlog(ctx)
		if err != nil {
			r.fatal(err)
		}
		if b.Pending == 0 {
			return
		}
		r.later(12 * time.Hour)
	}
	r.fatal("still on their way after a month")
}

func (r *region) channel(ctx context.Context, c notify.Channel) notify.Channel {
	a, err := r.d.Admit(ctx, c)
	if err != nil {
		r.fatal(err)
	}
	if err := r.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		c, err = notifysql.AddChannel(ctx, tx, a, r.clock())
		return err
	}); err != nil {
		r.fatal(err)
	}
	return c
}

func (r *region) tell(ctx context.Context, e notify.Event) {
	if err := r.db.Tx(ctx, func(tx *sql.Tx) error { return notifysql.Enqueue(ctx, tx, e) }); err != nil {
		r.fatal(err)
	}
}

// TestNoCrashLosesAnEvent kills the process before every statement of the dispatcher, in turn, while a message goes out and
// while a receiver says that it is gone.
func TestNoCrashLosesAnEvent(t *testing.T) {
	for name, answer := range map[string]func() error{
		"a message is taken":   func() error { return nil },
		"a receiver is away":   func() error { return errAway },
		"a receiver has ended": func() error { return &notify.Failure{Result: "HTTP 410", Class: notify.Gone} },
	} {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
				ctx := t.Context()
				r := newRegion(migrated(t, db), db, t.Fatal)
				crashes := 0
				for at := 0; ; at++ {
					address := fmt.Sprintf("https://hooks.assen.nl/%d", at)
					c := r.channel(ctx, notify.Channel{Organisation: assen, Kind: notify.Webhook, Address: address})
					e := keyAdded(assen)
					r.tell(ctx, e)
					r.answer = answer
					statements, died := 0, false
					r.store.SetFault(func(string) error {
						if statements++; statements > at {
							died = true
							return errCrash
						}
						return nil
					})
					_ = r.d.Once(ctx)
					r.store.SetFault(nil)
					r.answer = func() error { return nil }
					r.restart()
					r.drain(ctx)
					got, err := r.store.Deliveries(ctx, assen, e.ID)
					if err != nil || len(got) != 1 || got[0].State == notify.Pending {
						t.Fatalf("crash before statement %d: got %+v, %v", at, got, err)
					}
					if got[0].State == notify.Delivered && r.accepted[address][e.ID] == 0 {
						t.Errorf("crash before statement %d: delivered, but nobody has it", at)
					}
					if n := r.accepted[address][e.ID]; n > 2 {
						t.Errorf("crash before statement %d: taken %d times", at, n)
					}
					if err := db.Tx(ctx, func(tx *sql.Tx) error {
						now, err := r.store.Channel(ctx, assen, c.ID)
						if err != nil {
							return err
						}
						return notifysql.RemoveChannel(ctx, tx, assen, c.ID, now.Revision, r.clock())
					}); err != nil {
						t.Fatal(err)
					}
					if !died {
						break
					}
					crashes++
				}
				if crashes < 6 {
					t.Errorf("only %d places to crash were found", crashes)
				}
			})
		})
	}
}

// TestEveryEventEndsSomewhere does what people, receivers and crashes do in any order, and looks at what became of each
// event on each channel that wanted it.
func TestEveryEventEndsSomewhere(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		store := migrated(t, db)
		rapid.Check(t, func(rt *rapid.T) {
			ctx := t.Context()
			for _, table := range []string{"delivery", "mute", "channel", "event", "feed"} {
				if _, err := db.ExecContext(ctx, "DELETE FROM notification_"+table); err != nil {
					rt.Fatal(err)
				}
			}
			r := newRegion(store, db, rt.Fatal)
			organisations := []oin.OIN{assen, groningen}
			channels := map[string]notify.Channel{} // by id
			var told []notify.Event
			listening := map[string][]string{} // by event: the channels that were there before it
			answers := []error{nil, nil, nil, errAway, &notify.Failure{Result: "HTTP 500"}, &notify.Failure{Result: "SMTP 550", Class: notify.Undeliverable},
				&notify.Failure{Result: "HTTP 410", Class: notify.Gone}, errors.New("a fault of ours")}
			for i := range rapid.IntRange(1, 25).Draw(rt, "steps") {
				organisation := rapid.SampledFrom(organisations).Draw(rt, "organisation")
				switch rapid.SampledFrom([]string{"tell", "tell", "tell", "add", "mute", "remove", "step", "step", "crash", "later", "retry"}).Draw(rt, "act") {
				case "tell":
					e := keyAdded(organisation)
					r.tell(ctx, e)
					told = append(told, e)
					for _, c := range channels {
						if c.Organisation == organisation {
							listening[e.ID] = append(listening[e.ID], c.ID)
						}
					}
				case "add":
					c := notify.Channel{Organisation: organisation, Kind: notify.Webhook, Address: fmt.Sprintf("https://hooks.example.nl/%d", i)}
					if rapid.Bool().Draw(rt, "mail") {
						c = notify.Channel{Organisation: organisation, Kind: notify.Mail, Address: fmt.Sprintf("team%d@example.nl", i), Language: notify.Dutch,
							Digest: rapid.Bool().Draw(rt, "digest")}
					}
					c = r.channel(ctx, c)
					channels[c.ID] = c
				case "mute":
					m := notify.Mute{Organisation: organisation, Type: notify.KeyAdded, Until: r.clock().Add(time.Hour)}
					if err := db.Tx(ctx, func(tx *sql.Tx) error {
						_, err := notifysql.AddMute(ctx, tx, m, r.clock())
						return err
					}); err != nil {
						rt.Fatal(err)
					}
				case "remove":
					list, err := store.Channels(ctx, organisation)
					if err != nil {
						rt.Fatal(err)
					}
					if len(list) == 0 {
						continue
					}
					c := list[0]
					if err := db.Tx(ctx, func(tx *sql.Tx) error {
						return notifysql.RemoveChannel(ctx, tx, organisation, c.ID, c.Revision, r.clock())
					}); err != nil {
						rt.Fatal(err)
					}
				case "crash":
					left := rapid.IntRange(0, 12).Draw(rt, "statements")
					store.SetFault(func(string) error {
						if left--; left < 0 {
							return errCrash
						}
						return nil
					})
					_ = r.d.Once(ctx)
					store.SetFault(nil)
					r.restart()
				case "step":
					answer := rapid.SampledFrom(answers).Draw(rt, "answer")
					r.answer = func() error { return answer }
					if err := r.d.Once(ctx); err != nil {
						rt.Fatal(err)
					}
				case "later":
					r.later(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 25 * time.Hour}).Draw(rt, "time"))
				case "retry":
					parked, err := store.Parked(ctx, organisation, 1)
					if err != nil {
						rt.Fatal(err)
					}
					for _, p := range parked {
						_ = db.Tx(ctx, func(tx *sql.Tx) error { // refused for a channel that is not in use
							_, err := notifysql.Retry(ctx, tx, organisation, p.Channel, p.Event.ID, r.clock())
							return err
						})
					}
				}
			}
			r.answer = func() error { return nil }
			r.drain(ctx)
			for _, e := range told {
				deliveries, err := store.Deliveries(ctx, e.Organisation, e.ID)
				if err != nil {
					rt.Fatal(err)
				}
				on := map[string]bool{}
				for _, d := range deliveries {
					on[d.Channel] = true
					if d.State != notify.Delivered && d.State != notify.Parked && d.State != notify.Silenced {
						rt.Errorf("event %s is %s on channel %s", e.ID, d.State, d.Channel)
					}
					taken := r.accepted[channels[d.Channel].Address][e.ID] > 0
					if d.State == notify.Delivered && !taken {
						rt.Errorf("event %s is delivered on channel %s, but nobody has it", e.ID, d.Channel)
					}
					if channels[d.Channel].Organisation != e.Organisation {
						rt.Errorf("event of %s went to a channel of %s", e.Organisation, channels[d.Channel].Organisation)
					}
				}
				for _, id := range listening[e.ID] {
					if c, err := store.Channel(ctx, e.Organisation, id); err == nil && c.State == notify.ChannelActive && !on[id] {
						rt.Errorf("event %s passed channel %s by", e.ID, id)
					}
				}
			}
			var feed []string
			for _, organisation := range organisations {
				for after := int64(0); ; {
					events, next, err := store.Feed(ctx, organisation, after, 3)
					if err != nil {
						rt.Fatal(err)
					}
					for i, e := range events {
						if e.Number != after+int64(i)+1 {
							rt.Errorf("the feed of %s has number %d after %d", organisation, e.Number, after+int64(i))
						}
						if e.Type != notify.ChannelEnded {
							feed = append(feed, e.ID)
						}
					}
					if after = next; len(events) < 3 {
						break
					}
				}
			}
			if len(feed) != len(told) {
				rt.Errorf("%d events were told and %d stand in the feeds", len(told), len(feed))
			}
		})
	})
}
