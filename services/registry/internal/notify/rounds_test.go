package notify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

func TestAReceiversRateIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.meet = func(c notify.Channel) (notify.Channel, error) {
			c.Rate = 6 // one in ten seconds
			return c, nil
		}
		c := w.add(hook())
		w.tell(sample(notify.KeyAdded), sample(notify.KeyRevoked), sample(notify.ClientRevoked))
		for want := 1; want <= 3; want++ {
			w.step()
			w.later(9 * time.Second)
			w.step()
			if got := len(w.messages(c.Address)); got != want {
				t.Errorf("got %d messages, want %d", got, want)
			}
			w.later(time.Second)
		}
		w.want("delivered:3 ")
	})
}

func TestOnlyAdmittedChannelsAreStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.meet = func(c notify.Channel) (notify.Channel, error) { return c, errs.CodeInvalid.New("the receiver says no") }
		if _, err := w.d.Admit(t.Context(), hook()); !errs.Has(err, errs.CodeInvalid) {
			t.Errorf("got %v, want the refusal of the receiver", err)
		}
		wrong := hook()
		wrong.Address = "http://hooks.assen.nl"
		if _, err := w.d.Admit(t.Context(), wrong); err == nil {
			t.Error("a channel of a wrong form was admitted")
		}
	})
}

func TestTheTestButtonTellsWhatHappened(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.add(hook())
		r, err := w.d.Test(ctx, assen, c.ID)
		if err != nil || !r.OK {
			t.Errorf("got %+v, %v", r, err)
		}
		if got := w.messages(c.Address); len(got) != 1 || got[0].Events[0].Type != notify.ChannelTest || got[0].Events[0].Check() != nil {
			t.Errorf("got %+v", got)
		}
		if _, err := w.d.Test(ctx, assen, c.ID); errs.KindOf(err) != errs.TooMany || errs.As(err).RetryAfter != 30*time.Second {
			t.Errorf("got %v for a test right after another", err)
		}
		w.later(time.Minute)
		w.say[c.Address] = func(int) error { return &notify.Failure{Result: "HTTP 500"} }
		if r, err = w.d.Test(ctx, assen, c.ID); err != nil || r.OK || r.Text != "HTTP 500" {
			t.Errorf("got %+v, %v", r, err)
		}
		if shown, _ := w.store.Channel(ctx, assen, c.ID); shown.Last != r {
			t.Errorf("got %+v as the channel's result, want %+v", shown.Last, r)
		}
		if _, err := w.d.Test(ctx, groningen, c.ID); !errs.Has(err, notify.CodeUnknown) {
			t.Errorf("got %v for another organisation's channel", err)
		}
		if events, _, _ := w.store.Feed(ctx, assen, 0, 10); len(events) != 0 {
			t.Errorf("the test stands in the feed: %+v", events)
		}
	})
}

func TestASlowReceiverHoldsUpNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		slow := w.add(hook())
		w.add(mailbox())
		release, begun := make(chan struct{}), make(chan struct{})
		w.say[slow.Address] = func(int) error {
			close(begun)
			<-release
			return nil
		}
		done := make(chan error)
		go func() { done <- w.d.Run(ctx) }()
		w.tell(sample(notify.KeyAdded))
		w.d.Wake()
		<-begun
		w.tell(sample(notify.KeyRevoked))
		w.d.Wake()
		deadline := time.Now().Add(20 * time.Second)
		for len(w.messages("beheer@assen.nl")) < 2 {
			if time.Now().After(deadline) {
				t.Fatal("the mailbox waits for the webhook")
			}
			<-time.After(5 * time.Millisecond)
		}
		if got := len(w.messages(slow.Address)); got != 1 {
			t.Errorf("got %d messages at once on one channel", got)
		}
		cancel()
		close(release) // a message on its way is finished and kept
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.want("delivered:3 pending:1 ")
	})
}

func TestTwoDispatchersSendNothingTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.add(mailbox())
		const count = 100
		for range count / 10 {
			w.tell(slices.Repeat([]notify.Event{sample(notify.KeyAdded)}, 10)...)
		}
		other := w.dispatcher()
		var wg sync.WaitGroup
		for _, d := range []*notify.Dispatcher{w.d, other} {
			wg.Go(func() {
				for range 20 {
					if err := d.Once(t.Context()); err != nil {
						t.Log(err) // a collision is tried again
					}
				}
			})
		}
		wg.Wait()
		w.step()
		seen := map[string]int{}
		for _, m := range w.messages(c.Address) {
			seen[m.Events[0].ID]++
		}
		if len(seen) != count || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
			t.Errorf("got %d of %d events, %v", len(seen), count, seen)
		}
		w.want(fmt.Sprintf("delivered:%d ", count))
	})
}
