package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

const (
	hub       = "hub"
	groningen = "groningen"
	assen     = "assen"
	// sha256 of "{}"
	emptyCase = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
)

var moment = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// world is everything around the exchange, in memory.
type world struct {
	t         *testing.T
	x         *exchange.Exchange
	transfer  *exchange.Transfer
	receipts  []string
	types     []exchange.State
	destroyed bool
	signed    exchange.Receipt // the last one
	events    []exchange.Event
	payload   []byte
	keys      map[string]exchange.Key
	clock     time.Time
	meanwhile func() // runs once, between reading and storing
	records   int
	ids       int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]exchange.Key{}, clock: moment}
	var err error
	w.x, err = exchange.New(exchange.Deps{
		Store: w, Agreements: w, Receipts: w, Logbook: w, Hub: hub, Now: func() time.Time { return w.clock },
		NewID: func() string { w.ids++; return fmt.Sprint("id-", w.ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Grant(hash string, _ time.Time) (exchange.Grant, bool) {
	grants := map[string]exchange.Grant{
		"to-assen": {Agreement: exchange.Agreement{GrantHash: "to-assen", Activity: "sender's"}, Consumer: groningen, Provider: assen, InForce: true},
		"assen":    {Agreement: exchange.Agreement{GrantHash: "assen", Activity: "receiver's"}, Consumer: assen, Provider: assen, InForce: true},
	}
	g, ok := grants[hash]
	return g, ok
}

func (w *world) Organisation(oin string) bool { return oin == groningen || oin == assen }

func (w *world) Sign(t *exchange.Transfer, r exchange.Receipt) (string, error) {
	w.signed = r
	return fmt.Sprintf("%d %s by %s after (%s)", r.Sequence, t.State, r.Actor, r.Previous), nil
}

func (w *world) Write(context.Context, exchange.Processing) error { w.records++; return nil }

func (w *world) Find(_ context.Context, _ exchange.View, id string) (exchange.Transfer, error) {
	if w.transfer == nil || w.transfer.ID != id {
		return exchange.Transfer{}, exchange.ErrNotFound
	}
	return *w.transfer, nil
}

func (w *world) Add(_ context.Context, tr exchange.Transition) error {
	if w.transfer != nil {
		return exchange.ErrTaken
	}
	return w.keep(tr)
}

func (w *world) Change(_ context.Context, tr exchange.Transition) error {
	if f := w.meanwhile; f != nil {
		w.meanwhile = nil
		f()
	}
	if w.transfer.Version != tr.From {
		return exchange.ErrStale
	}
	return w.keep(tr)
}

func (w *world) keep(tr exchange.Transition) error {
	if k := tr.Key; k != nil {
		w.keys[k.Organisation+" "+k.Value] = *k
	}
	w.transfer, w.receipts, w.events = &tr.Transfer, append(w.receipts, tr.Signed), append(w.events, tr.Events...)
	w.types = append(w.types, tr.Receipt.Type)
	w.destroyed = w.destroyed || tr.Destroy
	if tr.Payload != nil {
		w.payload = tr.Payload
	}
	return nil
}

func (w *world) Receipts(context.Context, string) ([]exchange.SignedReceipt, error) {
	out := make([]exchange.SignedReceipt, len(w.receipts))
	for i, compact := range w.receipts {
		out[i] = exchange.SignedReceipt{Type: w.types[i], Compact: compact}
	}
	return out, nil
}

func (w *world) Now(context.Context) (time.Time, error) { return w.clock, nil }

func (w *world) Key(_ context.Context, organisation, value string) (exchange.Key, error) {
	k, ok := w.keys[organisation+" "+value]
	if !ok {
		return k, exchange.ErrNotFound
	}
	return k, nil
}

func (w *world) Claim(_ context.Context, now time.Time, _ time.Duration, _ int) ([]exchange.Transfer, error) {
	if w.transfer == nil || w.transfer.Due().IsZero() || now.Before(w.transfer.Due()) {
		return nil, nil
	}
	return []exchange.Transfer{*w.transfer}, nil
}

func (w *world) Payload(context.Context, string) ([]byte, error) { return w.payload, nil }
func (w *world) List(context.Context, exchange.View, exchange.Filter) ([]exchange.Transfer, error) {
	return nil, nil
}

func (w *world) Events(context.Context, exchange.View, int64, int) (exchange.Feed, error) {
	return exchange.Feed{}, nil
}

var (
	sender   = exchange.Caller{Organisation: groningen, GrantHash: "to-assen"}
	receiver = exchange.Caller{Organisation: assen, GrantHash: "assen"}
)

func offer() exchange.Offer {
	return exchange.Offer{
		Receiver: assen, Kind: exchange.Handover, Case: exchange.CaseKey{Source: "000000000", ID: "Z1"},
		Manifest: exchange.Manifest{CaseSHA256: emptyCase, Bytes: 2},
	}
}

func (w *world) offer() exchange.Outcome {
	w.t.Helper()
	out, err := w.x.Offer(w.t.Context(), sender, "t", offer(), false)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestReceiptsFormAChainAndEventsGoToBoth(t *testing.T) {
	w := newWorld(t)
	w.offer()
	key := exchange.CaseKey{Source: "000000000", ID: "Z1"}
	for _, step := range []struct {
		by  exchange.Caller
		act exchange.Act
	}{
		{receiver, exchange.Act{Command: exchange.Accept}},
		{sender, exchange.Act{Command: exchange.Deliver, Payload: []byte("{}"), Case: key}},
		{receiver, exchange.Act{Command: exchange.Acknowledge, Processed: exchange.Processed{ID: "A1"}}},
	} {
		if out, err := w.x.Do(t.Context(), step.by, "t", step.act); err != nil || !out.Made {
			t.Fatalf("%s: %v", step.act.Command, err)
		}
	}
	want := []string{"1 aangeboden by hub after ()"}
	for i, next := range []string{"geaccepteerd by assen", "afgeleverd by hub", "verwerkt by assen"} {
		want = append(want, fmt.Sprintf("%d %s after (%s)", i+2, next, want[i]))
	}
	if !slices.Equal(w.receipts, want) {
		t.Errorf("receipts: got %q\nwant %q", w.receipts, want)
	}
	if len(w.events) != 8 || w.events[6].Organisation != groningen || w.events[7].Organisation != assen || w.events[6].ID != w.events[7].ID || w.events[7].Sequence != 4 {
		t.Errorf("events: %+v", w.events)
	}
	if w.records != 1 {
		t.Errorf("processing records: got %d, want that of the delivery", w.records)
	}
}

// Another instance carries out the same command between reading and storing: the caller gets what that one got.
func TestWhoComesSecondGetsTheReceiptOfTheFirst(t *testing.T) {
	w := newWorld(t)
	w.offer()
	w.meanwhile = func() {
		if _, err := w.x.Do(t.Context(), receiver, "t", exchange.Act{Command: exchange.Accept}); err != nil {
			t.Error(err)
		}
	}
	out, err := w.x.Do(t.Context(), receiver, "t", exchange.Act{Command: exchange.Accept})
	if err != nil || out.Made || out.Receipt != w.receipts[1] || len(w.receipts) != 2 {
		t.Errorf("got %+v, %v with %d receipts", out, err, len(w.receipts))
	}
}

func TestWhoComesSecondWithAnotherCommandIsToldTheState(t *testing.T) {
	w := newWorld(t)
	w.offer()
	w.meanwhile = func() {
		if _, err := w.x.Do(t.Context(), receiver, "t", exchange.Act{Command: exchange.Accept}); err != nil {
			t.Error(err)
		}
	}
	_, err := w.x.Do(t.Context(), receiver, "t", exchange.Act{Command: exchange.Decline, Reason: "nee"})
	state, ok := errors.AsType[*exchange.StateError](err)
	if !ok || state.State != exchange.Accepted || state.Version != 2 || errs.As(err).Code.ID != "transfer-state" {
		t.Errorf("got %v", err)
	}
}

func TestTheResponsibleOrganisationFollowsKindAndState(t *testing.T) {
	for _, kind := range []exchange.Kind{exchange.Copy, exchange.OnBehalf, exchange.Handover} {
		for _, state := range exchange.States() {
			transfer := exchange.Transfer{Sender: groningen, State: state, Offer: exchange.Offer{Receiver: assen, Kind: kind}}
			want := assen
			if kind == exchange.OnBehalf || state != exchange.Delivered && state != exchange.Acknowledged && state != exchange.Closed {
				want = groningen
			}
			if got := transfer.Responsible(); got != want {
				t.Errorf("%s, %s: got %s, want %s", kind, state, got, want)
			}
		}
	}
}

func TestADeadlineHoldsUntilTheDelivery(t *testing.T) {
	for _, state := range exchange.States() {
		transfer := exchange.Transfer{Sender: groningen, State: state, Deadline: moment, Offer: exchange.Offer{Receiver: assen}}
		want := state == exchange.Offered || state == exchange.Accepted
		if transfer.Overdue(moment) != want || transfer.Overdue(moment.Add(-time.Second)) {
			t.Errorf("%s: expired %v, want %v", state, transfer.Overdue(moment), want)
		}
	}
}

func TestADependencyThatIsMissingIsNoticed(t *testing.T) {
	if _, err := exchange.New(exchange.Deps{}); err == nil {
		t.Error("made without anything")
	}
}
