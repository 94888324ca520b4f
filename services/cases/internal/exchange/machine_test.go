package exchange_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

var (
	caseKey = exchange.CaseKey{Source: "000000000", ID: "Z1"}
	acts    = map[exchange.Command]exchange.Act{
		exchange.Accept:      {},
		exchange.Decline:     {Reason: "niet voor ons"},
		exchange.Withdraw:    {Reason: "vergissing"},
		exchange.Deliver:     {Payload: []byte("{}"), Case: caseKey},
		exchange.Acknowledge: {Processed: exchange.Processed{ID: "A1"}},
		exchange.Refuse:      {Reason: "bijlage ontbreekt", Code: exchange.RefusedIncomplete},
		exchange.Close:       {Source: exchange.SourceClosed},
	}
	givenBy = map[exchange.Command]exchange.Caller{
		exchange.Accept: receiver, exchange.Decline: receiver, exchange.Acknowledge: receiver, exchange.Refuse: receiver,
		exchange.Withdraw: sender, exchange.Deliver: sender, exchange.Close: sender,
	}
	// ways lead to each state.
	ways = map[exchange.State][]exchange.Command{
		exchange.Offered:      {},
		exchange.Accepted:     {exchange.Accept},
		exchange.Declined:     {exchange.Decline},
		exchange.Withdrawn:    {exchange.Accept, exchange.Withdraw},
		exchange.Expired:      {},
		exchange.Delivered:    {exchange.Accept, exchange.Deliver},
		exchange.Acknowledged: {exchange.Accept, exchange.Deliver, exchange.Acknowledge},
		exchange.Refused:      {exchange.Accept, exchange.Deliver, exchange.Refuse},
		exchange.Closed:       {exchange.Accept, exchange.Deliver, exchange.Acknowledge, exchange.Close},
	}
	// possible are the states that a command leads on from, and where to.
	possible = map[exchange.Command]struct {
		from []exchange.State
		to   exchange.State
	}{
		exchange.Accept:      {[]exchange.State{exchange.Offered}, exchange.Accepted},
		exchange.Decline:     {[]exchange.State{exchange.Offered}, exchange.Declined},
		exchange.Withdraw:    {[]exchange.State{exchange.Offered, exchange.Accepted}, exchange.Withdrawn},
		exchange.Deliver:     {[]exchange.State{exchange.Accepted}, exchange.Delivered},
		exchange.Acknowledge: {[]exchange.State{exchange.Delivered}, exchange.Acknowledged},
		exchange.Refuse:      {[]exchange.State{exchange.Delivered}, exchange.Refused},
		exchange.Close:       {[]exchange.State{exchange.Acknowledged}, exchange.Closed},
	}
)

func (w *world) do(c exchange.Command) (exchange.Outcome, error) {
	a := acts[c]
	a.Command = c
	return w.x.Do(w.t.Context(), givenBy[c], "t", a)
}

// at brings a new world's transfer to a state.
func at(t *testing.T, state exchange.State) *world {
	t.Helper()
	w := newWorld(t)
	w.offer()
	for _, c := range ways[state] {
		if _, err := w.do(c); err != nil {
			t.Fatalf("%s: %v", c, err)
		}
	}
	if state == exchange.Expired {
		w.clock = moment.Add(exchange.DefaultTerm)
		if _, err := w.x.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if w.transfer.State != state {
		t.Fatalf("got %s, want %s", w.transfer.State, state)
	}
	return w
}

// The whole table of states and commands: what leads on, what is a repeat that gets the first receipt, and what is refused
// with the state and what can be done.
func TestEveryCommandInEveryState(t *testing.T) {
	if len(ways) != len(exchange.States()) || len(possible) != len(exchange.Commands()) {
		t.Fatal("the table is not whole")
	}
	for _, state := range exchange.States() {
		for _, command := range exchange.Commands() {
			w := at(t, state)
			before, n := *w.transfer, len(w.receipts)
			out, err := w.do(command)
			rule := possible[command]
			switch {
			case slices.Contains(rule.from, state):
				if err != nil || !out.Made || w.transfer.State != rule.to || w.transfer.Version != before.Version+1 || len(w.receipts) != n+1 || out.Receipt != w.receipts[n] {
					t.Errorf("%s in %s: got %+v, %v", command, state, out, err)
				}
			case slices.Contains(ways[state], command):
				if place := slices.Index(ways[state], command) + 1; err != nil || out.Made || out.Receipt != w.receipts[place] || len(w.receipts) != n {
					t.Errorf("%s again in %s: got %+v, %v", command, state, out, err)
				}
			default:
				want := "transfer-state"
				if state == exchange.Expired {
					want = "transfer-expired"
				}
				refused, ok := errors.AsType[*exchange.StateError](err)
				if !ok || refused.State != state || refused.Version != before.Version || refused.Allowed == nil || errs.As(err).Code.ID != want || *w.transfer != before {
					t.Errorf("%s in %s: got %v", command, state, err)
				}
				if ok && slices.Contains(refused.Allowed, command) {
					t.Errorf("%s in %s is refused and allowed", command, state)
				}
			}
		}
	}
}

func TestTheTimerNamesWhoWasWaitedFor(t *testing.T) {
	for _, tc := range []struct {
		state exchange.State
		after time.Duration
		want  exchange.State
		who   string
	}{
		{exchange.Offered, exchange.DefaultTerm - time.Second, exchange.Offered, ""},
		{exchange.Offered, exchange.DefaultTerm, exchange.Expired, assen},
		{exchange.Accepted, exchange.DefaultTerm, exchange.Expired, groningen},
		{exchange.Delivered, 10 * exchange.DefaultTerm, exchange.Delivered, ""},
		{exchange.Acknowledged, exchange.CloseAfter - time.Second, exchange.Acknowledged, ""},
		{exchange.Acknowledged, exchange.CloseAfter, exchange.Closed, ""},
	} {
		w := at(t, tc.state)
		w.clock = moment.Add(tc.after)
		if _, err := w.x.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.transfer.State != tc.want || tc.want == exchange.Expired && (w.signed.WaitedFor != tc.who || w.signed.Actor != hub) {
			t.Errorf("%s after %s: got %s, %+v", tc.state, tc.after, w.transfer.State, w.signed)
		}
		if tc.want == exchange.Closed && (w.transfer.Source != exchange.NotTold || w.signed.Actor != hub) {
			t.Errorf("closed by the timer: %+v", w.transfer)
		}
	}
}

func TestTheCaseIsDestroyedAfterTheEnd(t *testing.T) {
	for _, state := range exchange.States() {
		w := at(t, state)
		ended := w.transfer.ChangedAt
		for _, later := range []time.Duration{exchange.DestroyAfter - time.Second, exchange.DestroyAfter} {
			w.clock = ended.Add(later)
			if _, err := w.x.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := (state == exchange.Closed || state == exchange.Refused) && later == exchange.DestroyAfter
			if w.destroyed != want || w.transfer.State != state || w.transfer.DestroyedAt.IsZero() == want {
				t.Errorf("%s after %s: destroyed %v, want %v", state, later, w.destroyed, want)
			}
		}
		if !w.destroyed {
			continue
		}
		if w.signed.Type != exchange.Destroyed || w.signed.Actor != hub || !w.transfer.ChangedAt.Equal(ended) {
			t.Errorf("%s: receipt %+v", state, w.signed)
		}
		if _, _, err := w.x.Case(t.Context(), receiver, "t"); err == nil || errs.As(err).Code.ID != "case-destroyed" {
			t.Errorf("%s: reading gives %v", state, err)
		}
		w.clock = ended.Add(10 * exchange.DestroyAfter)
		if n, err := w.x.Tick(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: it is destroyed again: %d, %v", state, n, err)
		}
	}
}

func TestACommandAfterTheDeadlineFindsTheTransferExpired(t *testing.T) {
	w := at(t, exchange.Offered)
	w.clock = moment.Add(exchange.DefaultTerm)
	_, err := w.do(exchange.Accept)
	if refused, ok := errors.AsType[*exchange.StateError](err); !ok || refused.State != exchange.Expired || len(w.receipts) != 2 {
		t.Errorf("got %v with %d receipts", err, len(w.receipts))
	}
}

func TestATrialChecksEverythingAndStoresNothing(t *testing.T) {
	w := newWorld(t)
	out, err := w.x.Offer(t.Context(), sender, "t", offer(), true)
	if err != nil || out.Receipt != "" || out.Made || w.transfer != nil || len(w.events) != 0 || w.signed.Type != exchange.Offered {
		t.Errorf("got %+v, %v", out, err)
	}
	past := offer()
	past.Deadline = moment
	if _, err := w.x.Offer(t.Context(), sender, "t", past, true); err == nil || errs.As(err).Code.ID != "deadline-passed" {
		t.Errorf("got %v, want deadline-passed", err)
	}
}

func TestAnIdempotencyKeyIsForOneCommand(t *testing.T) {
	w := at(t, exchange.Offered)
	withKey := func(c exchange.Command, key string) (exchange.Outcome, error) {
		a := acts[c]
		a.Command, a.Key = c, key
		return w.x.Do(t.Context(), givenBy[c], "t", a)
	}
	first, err := withKey(exchange.Accept, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := withKey(exchange.Accept, "k1"); err != nil || again.Receipt != first.Receipt || again.Made {
		t.Errorf("again: got %+v, %v", again, err)
	}
	if _, err := withKey(exchange.Decline, "k1"); err == nil || errs.As(err).Code.ID != "idempotency-key-reused" {
		t.Errorf("for another command: got %v", err)
	}
	if _, err := withKey(exchange.Withdraw, "k1"); err != nil {
		t.Errorf("another organisation's key is another: %v", err)
	}
}

func TestACaseThatWasHandedOverIsClosedAtItsSender(t *testing.T) {
	w := at(t, exchange.Acknowledged)
	_, err := w.x.Do(t.Context(), sender, "t", exchange.Act{Command: exchange.Close, Source: exchange.SourceOpen})
	if err == nil || errs.As(err).Code.ID != "source-case-open" {
		t.Errorf("got %v, want source-case-open", err)
	}
	w = at(t, exchange.Acknowledged)
	w.transfer.Offer.Kind = exchange.Copy
	if _, err := w.x.Do(t.Context(), sender, "t", exchange.Act{Command: exchange.Close, Source: exchange.SourceOpen}); err != nil {
		t.Errorf("a copy: %v", err)
	}
}
