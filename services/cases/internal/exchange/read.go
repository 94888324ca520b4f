package exchange

import (
	"context"
	"errors"
	"time"

	"noorderhub.nl/hub/libs/errs"
)

// grant gives the grant that a caller comes with.
func (x *Exchange) grant(c Caller, now time.Time) (Grant, error) {
	g, ok := x.Agreements.Grant(c.GrantHash, now)
	if !ok {
		return Grant{}, codeAgreement.New("the agreement of the token is not one on the case exchange, or has ended")
	}
	if g.Consumer != c.Organisation {
		return Grant{}, codeAgreement.New("the agreement of the token is of another organisation")
	}
	return g, nil
}

// viewOf is what a caller may see under a grant.
func viewOf(c Caller, g Grant) View {
	if g.own() {
		return View{Organisation: c.Organisation}
	}
	return View{Organisation: c.Organisation, To: g.Provider}
}

func (x *Exchange) find(ctx context.Context, c Caller, g Grant, id string) (Transfer, error) {
	t, err := x.Store.Find(ctx, viewOf(c, g), id)
	if errors.Is(err, ErrNotFound) {
		return t, NotFound()
	}
	return t, err
}

// NotFound is the refusal for a transfer that is not there, or not for the caller.
func NotFound() error {
	return codeNotFound.New("your organisation has no transfer with this id under this agreement")
}

// frozen tells whether the agreement that a transfer was offered under is not in force.
func (x *Exchange) frozen(t *Transfer, now time.Time) bool {
	g, ok := x.Agreements.Grant(t.Agreement.GrantHash, now)
	return !ok || !g.InForce
}

func (x *Exchange) outcome(c Caller, t *Transfer, now time.Time, receipt string, made bool) Outcome {
	out := Outcome{Transfer: *t, Frozen: x.frozen(t, now), Receipt: receipt, Made: made, Allowed: []Command{}}
	if !out.Frozen {
		out.Allowed = t.Allowed(c.Organisation, now)
	}
	return out
}

// refuse adds to a refusal where the transfer stands and what the caller may do.
func (x *Exchange) refuse(c Caller, t *Transfer, now time.Time, e *errs.Error) error {
	out := x.outcome(c, t, now, "", false)
	return &StateError{Err: e, State: t.State, Version: t.Version, Allowed: out.Allowed}
}

// Get gives one transfer.
func (x *Exchange) Get(ctx context.Context, c Caller, id string) (Outcome, error) {
	now, err := x.now(ctx)
	if err != nil {
		return Outcome{}, err
	}
	g, err := x.grant(c, now)
	if err != nil {
		return Outcome{}, err
	}
	t, err := x.find(ctx, c, g, id)
	if err != nil {
		return Outcome{}, err
	}
	return x.outcome(c, &t, now, "", false), nil
}

// List gives a page of transfers, newest first.
func (x *Exchange) List(ctx context.Context, c Caller, f Filter) ([]Outcome, error) {
	now, err := x.now(ctx)
	if err != nil {
		return nil, err
	}
	g, err := x.grant(c, now)
	if err != nil {
		return nil, err
	}
	transfers, err := x.Store.List(ctx, viewOf(c, g), f)
	if err != nil {
		return nil, err
	}
	out := make([]Outcome, len(transfers))
	for i := range transfers {
		out[i] = x.outcome(c, &transfers[i], now, "", false)
	}
	return out, nil
}

// ReceiptsOf gives the receipts of a transfer in order.
func (x *Exchange) ReceiptsOf(ctx context.Context, c Caller, id string) ([]SignedReceipt, error) {
	g, err := x.grant(c, x.local())
	if err != nil {
		return nil, err
	}
	if _, err := x.find(ctx, c, g, id); err != nil {
		return nil, err
	}
	return x.Store.Receipts(ctx, id)
}

// Case gives the bytes of a delivered case to its receiver, once the look is in the processing log. Reading stays
// possible when the agreement of the transfer has ended.
func (x *Exchange) Case(ctx context.Context, c Caller, id string) ([]byte, Manifest, error) {
	now := x.local()
	g, err := x.grant(c, now)
	if err != nil {
		return nil, Manifest{}, err
	}
	t, err := x.find(ctx, c, g, id)
	switch {
	case err != nil:
		return nil, Manifest{}, err
	case t.Role(c.Organisation) != Receiver:
		return nil, Manifest{}, x.refuse(c, &t, now, codeReaders.New("only the receiver fetches the case here"))
	case !t.DestroyedAt.IsZero():
		return nil, Manifest{}, codeDestroyed.New("the hub destroyed it on %s", t.DestroyedAt.Format(time.DateOnly))
	case !t.State.holdsCase():
		return nil, Manifest{}, x.refuse(c, &t, now, codeNoCase.New("the transfer is %s", t.State))
	}
	payload, err := x.Store.Payload(ctx, id)
	if err != nil {
		return nil, Manifest{}, err
	}
	activity := g.Activity // of the receiver's own register
	if t.Responsible() == t.Sender {
		activity = t.Agreement.Activity
	}
	if err := x.log(ctx, t.Responsible(), activity, "zaak ophalen", now); err != nil {
		return nil, Manifest{}, err
	}
	return payload, t.Offer.Manifest, nil
}

// Events gives a piece of the caller's feed.
func (x *Exchange) Events(ctx context.Context, c Caller, after int64, limit int) (Feed, error) {
	g, err := x.grant(c, x.local())
	if err != nil {
		return Feed{}, err
	}
	return x.Store.Events(ctx, viewOf(c, g), after, limit)
}
