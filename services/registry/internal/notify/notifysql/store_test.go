package notifysql_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

func TestTheFeedIsReadFromACursorOn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		var ids []string
		for i := range 5 {
			e := keyAdded(assen)
			if i == 0 {
				e.Type, e.Facts = notify.KeyExpires, notify.Facts{notify.Days: "7", notify.EndDate: "2026-11-30"}
			}
			r.tell(ctx, e)
			r.tell(ctx, keyAdded(groningen))
			ids = append(ids, e.ID)
		}
		var got []string
		for after := int64(0); ; {
			page, next, err := r.store.Feed(ctx, assen, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				got = append(got, e.ID)
				if e.Organisation != assen || !e.At.Equal(noon) || e.Subject.ID != "assen-zaken" {
					t.Errorf("got %+v", e)
				}
			}
			if after = next; len(page) < 2 {
				break
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("got %v, want %v", got, ids)
		}
		first, _, err := r.store.Feed(ctx, assen, 0, 1)
		if err != nil || first[0].Facts[notify.Days] != "7" || first[0].Number != 1 {
			t.Errorf("got %+v, %v", first, err)
		}
		if page, next, err := r.store.Feed(ctx, assen, 5, 2); err != nil || len(page) != 0 || next != 5 {
			t.Errorf("at the end: got %v, %d, %v", page, next, err)
		}
		if _, _, err := r.store.Feed(ctx, assen, 6, 2); !errs.Has(err, notify.CodeCursor) {
			t.Errorf("beyond the end: got %v", err)
		}
		if page, next, err := r.store.Feed(ctx, "00000099000000009000", 0, 2); err != nil || len(page) != 0 || next != 0 {
			t.Errorf("of an organisation without events: got %v, %d, %v", page, next, err)
		}
	})
}

func TestOldEventsAreRemovedFromTheBeginningOnly(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		at := func(d time.Duration) notify.Event {
			e := keyAdded(assen)
			e.At = noon.Add(d)
			return e
		}
		for _, d := range []time.Duration{-72 * time.Hour, -71 * time.Hour, 0, -70 * time.Hour} { // the last came late
			r.tell(ctx, at(d))
		}
		sweep := func() {
			t.Helper()
			if err := r.store.Sweep(ctx, noon.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		numbers := func() string {
			t.Helper()
			events, _, err := r.store.Feed(ctx, assen, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			var out []int64
			for _, e := range events {
				out = append(out, e.Number)
			}
			return fmt.Sprint(out)
		}
		sweep()
		if got := numbers(); got != "[1 2 3 4]" {
			t.Errorf("got %s left of events that were not fanned out, want all", got)
		}
		r.channel(ctx, notify.Channel{Organisation: assen, Kind: notify.Webhook, Address: "https://hooks.assen.nl/"})
		r.answer = func() error { return errAway }
		if err := r.d.Once(ctx); err != nil {
			t.Fatal(err)
		}
		sweep()
		if got := numbers(); got != "[1 2 3 4]" {
			t.Errorf("got %s left of events on their way, want all", got)
		}
		r.answer = func() error { return nil }
		r.drain(ctx)
		sweep()
		if got := numbers(); got != "[3 4]" {
			t.Errorf("got %s left, want all from the first young one on", got)
		}
		if _, _, err := r.store.Feed(ctx, assen, 1, 10); !errs.Has(err, notify.CodeCursor) {
			t.Errorf("got %v for a cursor whose next event is gone", err)
		}
		if page, _, err := r.store.Feed(ctx, assen, 2, 10); err != nil || len(page) != 2 {
			t.Errorf("got %v, %v for a cursor that missed nothing", page, err)
		}
		r.tell(ctx, at(0))
		if got := numbers(); got != "[3 4 5]" {
			t.Errorf("got %s, want numbers to go on", got)
		}
	})
}

func TestAChannelIsChangedByWhoReadItLast(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		c := r.channel(ctx, notify.Channel{
			Organisation: assen, Kind: notify.Mail, Address: "team@assen.nl", Language: notify.English, Digest: true, Types: []notify.Type{notify.KeyAdded},
		})
		stored, err := r.store.Channel(ctx, assen, c.ID)
		if err != nil || fmt.Sprint(stored) != fmt.Sprint(c) || stored.Revision != 1 {
			t.Errorf("got %+v, %v; want %+v", stored, err, c)
		}
		change := func(c notify.Channel) (out notify.Channel, err error) {
			a, err := r.d.Admit(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Tx(ctx, func(tx *sql.Tx) error {
				out, err = notifysql.ChangeChannel(ctx, tx, a)
				return err
			})
			return out, err
		}
		mine := c
		mine.Digest = false
		if got, err := change(mine); err != nil || got.Digest || got.Revision != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := change(c); !errs.Has(err, notify.CodeChanged) {
			t.Errorf("got %v for a change of an old revision", err)
		}
		theirs := mine
		theirs.Organisation, theirs.Revision = groningen, 2
		if _, err := change(theirs); !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("got %v for a change by another organisation", err)
		}
		remove := func(organisation oin.OIN, revision int64) error {
			return db.Tx(ctx, func(tx *sql.Tx) error {
				return notifysql.RemoveChannel(ctx, tx, organisation, c.ID, revision, noon)
			})
		}
		if err := remove(groningen, 2); !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("got %v for a removal by another organisation", err)
		}
		if err := remove(assen, 1); !errs.Has(err, notify.CodeChanged) {
			t.Errorf("got %v for a removal of an old revision", err)
		}
		if err := remove(assen, 2); err != nil {
			t.Error(err)
		}
		if list, err := r.store.Channels(ctx, assen); err != nil || len(list) != 0 {
			t.Errorf("got %+v, %v after the removal", list, err)
		}
	})
}

func TestAnOrganisationHasOnlySoManyChannelsAndMutes(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		c := notify.Channel{Organisation: assen, Kind: notify.Mail, Address: "team@assen.nl", Language: notify.Dutch}
		for range notify.MaxChannels {
			r.channel(ctx, c)
		}
		a, err := r.d.Admit(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := notifysql.AddChannel(ctx, tx, a, noon)
			return err
		})
		if !errs.Has(err, notify.CodeFull) {
			t.Errorf("got %v", err)
		}
		mute := notify.Mute{Organisation: assen, Until: noon.Add(time.Hour)}
		err = db.Tx(ctx, func(tx *sql.Tx) error {
			for range notify.MaxMutes + 1 {
				if _, err := notifysql.AddMute(ctx, tx, mute, noon); err != nil {
					return err
				}
			}
			return nil
		})
		if !errs.Has(err, notify.CodeFull) {
			t.Errorf("got %v", err)
		}
		mute.Channel = notifysql.NewID()
		err = db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := notifysql.AddMute(ctx, tx, mute, noon)
			return err
		})
		if !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("got %v for a mute of a channel that is not there", err)
		}
	})
}

func TestAMuteIsLiftedByItsOwnOrganisation(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		var m notify.Mute
		if err := db.Tx(ctx, func(tx *sql.Tx) (err error) {
			m, err = notifysql.AddMute(ctx, tx, notify.Mute{Organisation: assen, Until: noon.Add(time.Hour), By: "jan"}, noon)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Tx(ctx, func(tx *sql.Tx) error { return notifysql.RemoveMute(ctx, tx, groningen, m.ID) }); !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("got %v for another organisation", err)
		}
		if err := db.Tx(ctx, func(tx *sql.Tx) error { return notifysql.RemoveMute(ctx, tx, assen, m.ID) }); err != nil {
			t.Error(err)
		}
		if got, err := r.store.Mutes(ctx, assen, noon); err != nil || len(got) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestALateSettlementDoesNotUndoANewerClaim(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := newRegion(migrated(t, db), db, t.Fatal)
		c := r.channel(ctx, notify.Channel{Organisation: assen, Kind: notify.Webhook, Address: "https://hooks.assen.nl/"})
		e := keyAdded(assen)
		r.tell(ctx, e)
		if _, err := r.store.FanOut(ctx, noon, 10, func(e notify.Event, channels []notify.Channel, _ []notify.Mute) []notify.Delivery {
			return []notify.Delivery{{Event: e, Channel: channels[0].ID, State: notify.Pending, Due: noon, Changed: noon}}
		}); err != nil {
			t.Fatal(err)
		}
		claim := func(at time.Time) notify.Claimed {
			t.Helper()
			got, err := r.store.Claim(ctx, c.ID, at, at.Add(time.Minute), 10, 10)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		first := claim(noon)
		if len(first.Deliveries) != 1 || first.Deliveries[0].Attempts != 1 {
			t.Fatalf("got %+v", first)
		}
		if again := claim(noon.Add(30 * time.Second)); len(again.Deliveries) != 0 {
			t.Errorf("a claim within another's time got %+v", again)
		}
		second := claim(noon.Add(2 * time.Minute))
		if len(second.Deliveries) != 1 || second.Deliveries[0].Attempts != 2 {
			t.Fatalf("got %+v after the first claim ran out", second)
		}
		late := first.Deliveries
		late[0].State, late[0].Result = notify.Parked, "HTTP 500"
		state := func() notify.Delivery {
			t.Helper()
			got, err := r.store.Deliveries(ctx, assen, e.ID)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			return got[0]
		}
		settle := func(d []notify.Delivery) {
			t.Helper()
			if err := r.store.Settle(ctx, noon, notify.Settlement{Channel: first.Channel, Deliveries: d}); err != nil {
				t.Fatal(err)
			}
		}
		settle(late)
		if got := state(); got.State != notify.Pending || got.Attempts != 2 {
			t.Errorf("got %+v after a late failure", got)
		}
		late[0].State, late[0].Changed = notify.Delivered, noon
		settle(late)
		if got := state(); got.State != notify.Delivered {
			t.Errorf("got %+v after a late success: the other side has it", got)
		}
		second.Deliveries[0].Result = "HTTP 500"
		settle(second.Deliveries)
		if got := state(); got.State != notify.Delivered {
			t.Errorf("got %+v, want it to stay delivered", got)
		}
	})
}
