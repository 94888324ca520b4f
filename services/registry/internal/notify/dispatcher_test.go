package notify_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

func TestAnEventGoesToTheChannelsOfItsOrganisationThatWantIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(mailbox())
		keys := hook()
		keys.Types = []notify.Type{notify.KeyExpires}
		w.add(keys)
		other := mailbox()
		other.Organisation, other.Address = groningen, "beheer@groningen.nl"
		w.add(other)
		w.tell(sample(notify.ContractExpires), sample(notify.KeyExpires))
		w.step()
		if got := len(w.messages("beheer@assen.nl")); got != 2 {
			t.Errorf("got %d messages for a channel that wants all, want 2", got)
		}
		hooked := w.messages(keys.Address)
		if len(hooked) != 1 || hooked[0].Events[0].Type != notify.KeyExpires || hooked[0].Events[0].Number != 2 || hooked[0].Events[0].Facts[notify.Days] != "30" {
			t.Errorf("got %+v for a channel that wants one type", hooked)
		}
		if got := w.messages(other.Address); len(got) != 0 {
			t.Errorf("another organisation was told: %+v", got)
		}
		w.want("delivered:3 ")
		w.step()
		if got := len(w.messages("beheer@assen.nl")); got != 2 {
			t.Errorf("got %d messages after another look, want still 2", got)
		}
	})
}

func TestAnActThatFailsLeavesNoEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(mailbox())
		changed := errors.New("somebody was faster")
		err := w.db.Tx(t.Context(), func(tx *sql.Tx) error {
			if err := notifysql.Enqueue(t.Context(), tx, sample(notify.KeyAdded)); err != nil {
				return err
			}
			return changed
		})
		if !errors.Is(err, changed) {
			t.Fatal(err)
		}
		wrong := sample(notify.KeyAdded)
		wrong.Facts = notify.Facts{notify.Days: "1"}
		if err := w.db.Tx(t.Context(), func(tx *sql.Tx) error { return notifysql.Enqueue(t.Context(), tx, wrong) }); err == nil {
			t.Error("an event that is wrong was taken")
		}
		w.step()
		if got := w.messages("beheer@assen.nl"); len(got) != 0 {
			t.Errorf("got %+v", got)
		}
		events, next, err := w.store.Feed(t.Context(), assen, 0, 10)
		if err != nil || len(events) != 0 || next != 0 {
			t.Errorf("got %v, %d, %v", events, next, err)
		}
	})
}

func TestAReceiverThatIsAwayGetsEverythingWhenItIsBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.add(hook())
		away := true
		w.say[c.Address] = func(int) error {
			if away {
				return errAway
			}
			return nil
		}
		w.tell(sample(notify.KeyAdded), sample(notify.KeyRevoked))
		w.step()
		if got := len(w.messages(c.Address)); got != 1 {
			t.Errorf("got %d tries of a receiver that is away, want 1: the others would not fare better", got)
		}
		w.want("pending:2 ")
		w.step()
		if got := len(w.messages(c.Address)); got != 1 {
			t.Errorf("got %d tries before the back-off was over, want 1", got)
		}
		shown, err := w.store.Channel(t.Context(), assen, c.ID)
		if err != nil || shown.Last.OK || shown.Last.Text != "HTTP 503" || !shown.Last.At.Equal(noon) {
			t.Errorf("got last result %+v, %v", shown.Last, err)
		}
		away = false
		w.later(time.Hour)
		w.step()
		w.want("delivered:2 ")
		if shown, _ = w.store.Channel(t.Context(), assen, c.ID); !shown.Last.OK {
			t.Errorf("got last result %+v", shown.Last)
		}
	})
}

func TestWhatCannotBeDeliveredIsParkedSeenAndRetried(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.add(hook())
		broken := true
		w.say[c.Address] = func(int) error {
			if broken {
				return errAway
			}
			return nil
		}
		w.tell(sample(notify.KeyAdded))
		start := w.clock()
		for range notify.MaxAttempts - 1 {
			w.step()
			w.later(24 * time.Hour)
		}
		w.want("pending:1 ")
		w.step()
		w.want("parked:1 ")
		parked, err := w.store.Parked(ctx, assen, 10)
		if err != nil || len(parked) != 1 || parked[0].Attempts != notify.MaxAttempts || parked[0].Result != "HTTP 503" || !parked[0].Changed.After(start) ||
			parked[0].Event.Type != notify.KeyAdded || parked[0].Channel != c.ID {
			t.Fatalf("got %+v, %v", parked, err)
		}
		if theirs, err := w.store.Parked(ctx, groningen, 10); err != nil || len(theirs) != 0 {
			t.Errorf("another organisation sees %+v, %v", theirs, err)
		}
		err = w.db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := notifysql.Retry(ctx, tx, groningen, c.ID, "", w.clock())
			return err
		})
		if !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("another organisation's retry gave %v", err)
		}
		broken = false
		w.act(func(tx *sql.Tx) error {
			n, err := notifysql.Retry(ctx, tx, assen, c.ID, parked[0].Event.ID, w.clock())
			if n != 1 {
				t.Errorf("got %d retried", n)
			}
			return err
		})
		w.step()
		w.want("delivered:1 ")
	})
}

func TestAnUndeliverableMessageIsParkedAtOnceAndTheNextOneGoesOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.add(mailbox())
		w.say[c.Address] = func(n int) error {
			switch n {
			case 0:
				return &notify.Failure{Result: "SMTP 550 at recipient", Class: notify.Undeliverable}
			case 1:
				return &notify.Failure{Result: "HTTP 400", Class: notify.Refused}
			}
			return nil
		}
		w.tell(sample(notify.KeyAdded), sample(notify.KeyRevoked), sample(notify.ClientRevoked))
		w.step()
		w.want("delivered:1 parked:1 pending:1 ")
	})
}

func TestAReceiverThatIsGoneEndsItsChannelAndTheOthersAreTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.add(hook())
		w.add(mailbox())
		w.say[c.Address] = func(int) error { return &notify.Failure{Result: "HTTP 410", Class: notify.Gone} }
		w.tell(sample(notify.KeyAdded), sample(notify.KeyRevoked))
		w.step()
		w.step()
		if got := len(w.messages(c.Address)); got != 1 {
			t.Errorf("got %d messages to a receiver that is gone, want 1", got)
		}
		mails := w.messages("beheer@assen.nl")
		if len(mails) != 3 || mails[2].Events[0].Type != notify.ChannelEnded || mails[2].Events[0].Subject.ID != c.ID {
			t.Errorf("got mails %+v", mails)
		}
		w.want("delivered:3 parked:2 ")
		shown, err := w.store.Channel(ctx, assen, c.ID)
		if err != nil || shown.State != notify.ChannelGone || shown.Last.Text != "HTTP 410" {
			t.Errorf("got %+v, %v", shown, err)
		}
		retry := func() error {
			return w.db.Tx(ctx, func(tx *sql.Tx) error {
				_, err := notifysql.Retry(ctx, tx, assen, c.ID, "", w.clock())
				return err
			})
		}
		if err := retry(); !errs.Has(err, notify.CodeEnded) {
			t.Errorf("got %v for a retry on a channel that ended", err)
		}
		if _, err := w.d.Test(ctx, assen, c.ID); !errs.Has(err, notify.CodeEnded) {
			t.Errorf("got %v for a test of a channel that ended", err)
		}
		w.tell(sample(notify.ClientRevoked))
		w.step()
		if got := len(w.messages(c.Address)); got != 1 {
			t.Errorf("an ended channel got %d messages", got)
		}

		// A person gives it another address: what was parked can be sent.
		shown.Address = "https://hooks.assen.nl/anew"
		a, err := w.d.Admit(ctx, shown)
		if err != nil {
			t.Fatal(err)
		}
		w.act(func(tx *sql.Tx) error {
			_, err := notifysql.ChangeChannel(ctx, tx, a)
			return err
		})
		if err := retry(); err != nil {
			t.Error(err)
		}
		w.step()
		if got := len(w.messages(shown.Address)); got != 2 {
			t.Errorf("got %d messages at the new address, want the 2 that were parked", got)
		}
	})
}

func TestAMutedChannelIsQuietAndTheFeedIsNot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		jan := mailbox()
		jan.Person, jan.Address = "jan", "j.jansen@assen.nl"
		c := w.add(jan)
		w.add(mailbox())
		var m notify.Mute
		w.act(func(tx *sql.Tx) (err error) {
			m, err = notifysql.AddMute(ctx, tx, notify.Mute{Organisation: assen, Person: "jan", Until: noon.Add(time.Hour), By: "piet"}, w.clock())
			return err
		})
		w.tell(sample(notify.KeyAdded))
		w.step()
		w.want("delivered:1 muted:1 ")
		if events, _, err := w.store.Feed(ctx, assen, 0, 10); err != nil || len(events) != 1 {
			t.Errorf("got %v, %v", events, err)
		}
		if got, err := w.store.Mutes(ctx, assen, w.clock()); err != nil || len(got) != 1 || got[0] != m {
			t.Errorf("got %+v, %v; want %+v", got, err, m)
		}
		w.later(2 * time.Hour)
		w.tell(sample(notify.KeyRevoked))
		w.step()
		if got := len(w.messages(c.Address)); got != 1 {
			t.Errorf("got %d messages after the mute was over, want 1", got)
		}
		// Muted while a message waits for its next try.
		w.say[c.Address] = func(int) error { return errAway }
		w.tell(sample(notify.KeyExpires))
		w.step()
		w.act(func(tx *sql.Tx) error {
			_, err := notifysql.AddMute(ctx, tx, notify.Mute{Organisation: assen, Channel: c.ID, Type: notify.KeyExpires, Until: w.clock().Add(48 * time.Hour)}, w.clock())
			return err
		})
		w.later(time.Hour)
		w.step()
		w.want("delivered:4 muted:2 ")
	})
}

func TestADigestIsOneMailADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := mailbox()
		c.Digest = true
		w.add(c)
		w.tell(sample(notify.KeyAdded), sample(notify.KeyRevoked))
		w.step()
		if got := w.messages(c.Address); len(got) != 0 {
			t.Errorf("got %+v before the hour", got)
		}
		w.later(19 * time.Hour)              // 07:00 the next day
		w.tell(sample(notify.ClientRevoked)) // belongs to the day after
		w.say[c.Address] = func(n int) error {
			if n == 0 {
				return errAway
			}
			return nil
		}
		w.step()
		w.later(time.Hour)
		w.step()
		w.later(24 * time.Hour)
		w.step()
		got := w.messages(c.Address)
		if len(got) != 3 || len(got[0].Events) != 2 || len(got[1].Events) != 2 || len(got[2].Events) != 1 || !got[0].Digest || !got[2].Digest {
			t.Fatalf("got %+v, want the first day's mail twice and the second day's", got)
		}
		if got[0].Events[0].ID != got[1].Events[0].ID || got[0].Events[1].ID != got[1].Events[1].ID {
			t.Error("the second try of a digest has other events than the first")
		}
		w.want("delivered:3 ")
	})
}
