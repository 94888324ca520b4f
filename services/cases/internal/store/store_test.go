package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/store"
)

const (
	groningen  = "00000099000000001000"
	assen      = "00000099000000002000"
	leeuwarden = "00000099000000003000"
)

var moment = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

func each(t *testing.T, test func(t *testing.T, s *store.Store, db *sqldb.DB)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, err := store.New(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		test(t, s, db)
	})
}

func added(id, sender, receiver string) exchange.Transition {
	t := exchange.Transfer{
		ID: id, Sender: sender, State: exchange.Offered, Version: 1, Receipts: 1, OfferedAt: moment, ChangedAt: moment, Deadline: moment.Add(time.Hour),
		Offer: exchange.Offer{
			Receiver: receiver, Kind: exchange.Copy, Deadline: moment.Add(time.Hour),
			Case:     exchange.CaseKey{Source: "000000000", ID: "Z1", Type: exchange.CaseType{ID: "T"}},
			Manifest: exchange.Manifest{CaseSHA256: "00", Bytes: 2},
		},
		Agreement: exchange.Agreement{GrantHash: "g", ContractHash: "c", Purpose: "p", Activity: "a"},
	}
	return with(t, 0, nil)
}

func with(t exchange.Transfer, from int64, payload []byte) exchange.Transition {
	tr := exchange.Transition{
		Transfer: t, From: from, Payload: payload,
		Receipt: exchange.Receipt{ID: uuid.NewString(), Sequence: t.Receipts, Type: t.State, At: moment},
		Signed:  fmt.Sprintf("receipt %d of %s", t.Receipts, t.ID),
	}
	event := exchange.Event{ID: uuid.NewString(), Type: t.State, Transfer: t.ID, Sequence: t.Receipts, At: moment, Sender: t.Sender, Receiver: t.Receiver()}
	for _, o := range []string{t.Sender, t.Receiver()} {
		event.Organisation = o
		tr.Events = append(tr.Events, event)
	}
	return tr
}

// next is the transition to another state.
func next(t exchange.Transfer, to exchange.State, payload []byte) exchange.Transition {
	from := t.Version
	t.State, t.Version, t.Receipts = to, t.Version+1, t.Receipts+1
	return with(t, from, payload)
}

func TestATransferComesBackAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, _ *sqldb.DB) {
		tr := added(uuid.NewString(), groningen, assen)
		if err := s.Add(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		got, err := s.Find(t.Context(), exchange.View{Organisation: assen}, tr.Transfer.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got != tr.Transfer {
			t.Errorf("got %+v\nwant %+v", got, tr.Transfer)
		}
		if err := s.Add(t.Context(), added(tr.Transfer.ID, leeuwarden, assen)); !errors.Is(err, exchange.ErrTaken) {
			t.Errorf("the same id again: got %v, want ErrTaken", err)
		}
		if err := s.Change(t.Context(), with(tr.Transfer, 7, nil)); !errors.Is(err, exchange.ErrStale) {
			t.Errorf("from another version: got %v, want ErrStale", err)
		}
	})
}

func TestAViewShowsItsOwnAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, _ *sqldb.DB) {
		id := uuid.NewString()
		if err := s.Add(t.Context(), added(id, groningen, assen)); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name string
			view exchange.View
			sees bool
		}{
			{"the sender", exchange.View{Organisation: groningen}, true},
			{"the sender towards this receiver", exchange.View{Organisation: groningen, To: assen}, true},
			{"the sender towards another", exchange.View{Organisation: groningen, To: leeuwarden}, false},
			{"the receiver", exchange.View{Organisation: assen}, true},
			{"the receiver as sender to the sender", exchange.View{Organisation: assen, To: groningen}, false},
			{"another", exchange.View{Organisation: leeuwarden}, false},
			{"another towards the receiver", exchange.View{Organisation: leeuwarden, To: assen}, false},
			{"nobody", exchange.View{}, false},
		} {
			_, errFind := s.Find(t.Context(), tc.view, id)
			list, errList := s.List(t.Context(), tc.view, exchange.Filter{Limit: 10})
			feed, errFeed := s.Events(t.Context(), tc.view, 0, 10)
			if err := errors.Join(errList, errFeed); err != nil {
				t.Fatal(err)
			}
			if got := errFind == nil; got != tc.sees || (len(list) > 0) != tc.sees || (len(feed.Events) > 0) != tc.sees {
				t.Errorf("%s: found %v, listed %d, events %d; sees it: %v", tc.name, errFind, len(list), len(feed.Events), tc.sees)
			}
		}
	})
}

// A crash between any two statements of any transition leaves what was there before, and the transition goes well
// afterwards.
func TestACrashBetweenTwoStatementsLeavesNothingHalf(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, db *sqldb.DB) {
		crash := errors.New("crash")
		current := added(uuid.NewString(), groningen, assen)
		first := current.Transfer
		store := func(tr exchange.Transition) error {
			if tr.From == 0 {
				return s.Add(t.Context(), tr)
			}
			return s.Change(t.Context(), tr)
		}
		count := func() string {
			var rows []int
			for _, table := range []string{"transfers", "receipts", "payloads", "events", "feeds"} {
				var n int
				if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, n)
			}
			var state any
			_ = db.QueryRowContext(t.Context(), "SELECT state FROM transfers").Scan(&state)
			var heads int
			if err := db.QueryRowContext(t.Context(), "SELECT CAST(COALESCE(SUM(last), 0) AS BIGINT) FROM feeds").Scan(&heads); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%v %v %d", rows, state, heads)
		}
		crashes := 0
		for _, step := range []exchange.State{"", exchange.Accepted, exchange.Delivered, exchange.Acknowledged} {
			if step != "" {
				var payload []byte
				if step == exchange.Delivered {
					payload = []byte(`{}`)
				}
				current = next(first, step, payload)
			}
			before := count()
			for at := 1; ; at++ {
				n := 0
				s.SetFault(func(string) error {
					if n++; n == at {
						return crash
					}
					return nil
				})
				err := store(current)
				if err == nil {
					break // there were fewer statements
				}
				crashes++
				if !errors.Is(err, crash) {
					t.Fatalf("%q, fault %d: got %v", step, at, err)
				}
				if after := count(); after != before {
					t.Fatalf("%q, fault %d: %s became %s", step, at, before, after)
				}
			}
			s.SetFault(nil)
			first = current.Transfer
		}
		if want := 4*7 + 2; crashes != want { // row, receipt, two events of two statements, commit; a payload with its data key once
			t.Errorf("crashes: got %d, want %d", crashes, want)
		}
		if got, want := count(), "[1 4 1 8 2] verwerkt 8"; got != want {
			t.Errorf("at the end: got %s, want %s", got, want)
		}
	})
}

// Readers follow the feed while many write. None of them may miss an event, and all see the same order.
func TestACursorNeverPassesAnEventThatIsStillOnItsWay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, _ *sqldb.DB) {
		const writers, each = 8, 10
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var writing, reading sync.WaitGroup
		for range writers {
			writing.Go(func() {
				for range each {
					if err := s.Add(ctx, added(uuid.NewString(), groningen, assen)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		orders := make([][]string, 3)
		for i := range orders {
			reading.Go(func() {
				after := int64(0)
				for len(orders[i]) < writers*each && ctx.Err() == nil {
					heard := s.Heard(assen)
					feed, err := s.Events(ctx, exchange.View{Organisation: assen}, after, 7)
					if err != nil {
						t.Error(err)
						return
					}
					for _, e := range feed.Events {
						orders[i] = append(orders[i], e.ID)
					}
					if after = feed.Next; len(feed.Events) == 0 {
						s.Await(ctx, heard)
					}
				}
			})
		}
		writing.Wait()
		reading.Wait()
		for i, order := range orders {
			if len(order) != writers*each || !slices.Equal(order, orders[0]) {
				t.Errorf("reader %d: %d events, want %d in one order", i, len(order), writers*each)
			}
		}
	})
}

// The same transition from many at once happens once.
func TestOneOfManyEqualTransitionsIsStored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, _ *sqldb.DB) {
		tr := added(uuid.NewString(), groningen, assen)
		if err := s.Add(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		const many = 30
		results := make(chan error, many)
		for range many {
			go func() { results <- s.Change(t.Context(), next(tr.Transfer, exchange.Accepted, nil)) }()
		}
		good := 0
		for range many {
			if err := <-results; err == nil {
				good++
			} else if !errors.Is(err, exchange.ErrStale) {
				t.Error(err)
			}
		}
		receipts, err := s.Receipts(t.Context(), tr.Transfer.ID)
		if err != nil || good != 1 || len(receipts) != 2 {
			t.Errorf("stored %d times, %d receipts, %v", good, len(receipts), err)
		}
	})
}

func TestTheBellWakesWhoWaits(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, _ *sqldb.DB) {
		heard := s.Heard(assen)
		if err := s.Add(t.Context(), added(uuid.NewString(), groningen, assen)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-heard:
		default:
			t.Error("the bell did not ring before Add returned")
		}
	})
}

func TestADatabaseThatIsAwayIsARefusalToTryAgain(t *testing.T) {
	db, err := sqldb.Open(t.Context(), sqldbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	view := exchange.View{Organisation: assen}
	_, errFind := s.Find(t.Context(), view, "x")
	_, errList := s.List(t.Context(), view, exchange.Filter{Limit: 1})
	_, errFeed := s.Events(t.Context(), view, 0, 1)
	_, errReceipts := s.Receipts(t.Context(), "x")
	_, errPayload := s.Payload(t.Context(), "x")
	for name, err := range map[string]error{
		"find": errFind, "list": errList, "feed": errFeed, "receipts": errReceipts, "payload": errPayload,
		"add": s.Add(t.Context(), added(uuid.NewString(), groningen, assen)),
	} {
		if e := errs.As(err); err == nil || e.Code.Kind != errs.Unavailable || e.RetryAfter == 0 {
			t.Errorf("%s: got %v, want a refusal with Retry-After", name, err)
		}
	}
}
