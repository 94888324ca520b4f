package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
)

// Deps are what New needs. All are required.
type Deps struct {
	Store      Store
	Agreements Agreements
	Receipts   Signer
	Logbook    Logbook
	Hub        string        // OIN of the hub, which signs for offered and delivered
	NewID      func() string // of receipts and events
	Now        func() time.Time
}

// Exchange carries out commands.
type Exchange struct{ Deps }

// New checks the dependencies.
func New(d Deps) (*Exchange, error) {
	if d.Store == nil || d.Agreements == nil || d.Receipts == nil || d.Logbook == nil || d.Hub == "" || d.NewID == nil || d.Now == nil {
		return nil, errors.New("exchange: a dependency is missing")
	}
	return &Exchange{d}, nil
}

// Outcome is a transfer as a party sees it.
type Outcome struct {
	Transfer Transfer
	Allowed  []Command
	Frozen   bool
	Receipt  string // of the command that was given, compact
	Made     bool   // by this very call
}

// StateError is a refusal that depends on where the transfer stands.
type StateError struct {
	Err     *errs.Error
	State   State
	Version int64
	Allowed []Command
}

// Error gives the text of the refusal.
func (e *StateError) Error() string { return e.Err.Error() }

// Unwrap gives the refusal.
func (e *StateError) Unwrap() error { return e.Err }

// Offer makes a transfer. The same offer under the same id gives what the first one gave.
func (x *Exchange) Offer(ctx context.Context, c Caller, id string, o Offer) (Outcome, error) {
	now := x.now()
	grant, err := x.grant(c, now)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case o.Receiver == c.Organisation:
		return Outcome{}, codeSelf.New("ontvanger is the organisation that offers")
	case !x.Agreements.Organisation(o.Receiver):
		return Outcome{}, codeReceiver.New("no organisation of this hub has the OIN in ontvanger")
	case o.Receiver != grant.Provider:
		return Outcome{}, codeOtherReceiver.New("the agreement of the token is with %s", grant.Provider).WithRule(grant.ContractHash)
	}
	// A repeat is looked for first: the receipt of an offer may be asked for as long as it is kept.
	held, err := x.Store.Find(ctx, viewOf(c, grant), id)
	switch {
	case err == nil:
		return x.offeredBefore(ctx, c, &held, o, now)
	case !errors.Is(err, ErrNotFound):
		return Outcome{}, err
	case !grant.InForce:
		return Outcome{}, codeFrozen.New("the agreement with the receiver is suspended or has ended").WithRule(grant.ContractHash)
	case !o.Deadline.IsZero() && !now.Before(o.Deadline):
		return Outcome{}, codeDeadline.New("vervaltOp is not in the future")
	}
	t := Transfer{
		ID: id, Sender: c.Organisation, Offer: o, State: Offered, Version: 1, Receipts: 1,
		Agreement: grant.Agreement, OfferedAt: now, ChangedAt: now, Trace: c.Trace,
	}
	tr, err := x.transition(t, x.Hub, "", now)
	if err != nil {
		return Outcome{}, err
	}
	err = x.Store.Add(ctx, tr)
	if errors.Is(err, ErrTaken) { // by the same offer a moment ago, or by somebody else
		if held, err = x.Store.Find(ctx, viewOf(c, grant), id); errors.Is(err, ErrNotFound) {
			return Outcome{}, codeTaken.New("another transfer has this id")
		} else if err == nil {
			return x.offeredBefore(ctx, c, &held, o, now)
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	return x.outcome(c, &t, now, tr.Signed, true), nil
}

func (x *Exchange) offeredBefore(ctx context.Context, c Caller, held *Transfer, o Offer, now time.Time) (Outcome, error) {
	before, errBefore := json.Marshal(held.Offer)
	again, errAgain := json.Marshal(o)
	if err := errors.Join(errBefore, errAgain); err != nil {
		return Outcome{}, err
	}
	if held.Sender != c.Organisation || string(before) != string(again) {
		return Outcome{}, x.refuse(c, held, now, codeContent.New("an offer with this id and other content is there already"))
	}
	return x.repeated(ctx, c, held, Offered, now)
}

// Act is a command with what comes along.
type Act struct {
	Command   Command
	IfVersion int64     // the version the caller looked at; 0: any
	Reason    string    // Decline
	Processed Processed // Acknowledge
	Payload   []byte    // Deliver: the case
	Case      CaseKey   // Deliver: Source and ID as they stand in the payload
}

// attempts bounds how often a command starts over because another one came first. Each time the transfer has moved on,
// and it has five states.
const attempts = 8

// Do carries out a command. Repeating one that was carried out gives its receipt again, also when the transfer has moved
// on since: a caller whose answer was lost must be able to ask again.
func (x *Exchange) Do(ctx context.Context, c Caller, id string, a Act) (Outcome, error) {
	grant, err := x.grant(c, x.now())
	if err != nil {
		return Outcome{}, err
	}
	for range attempts {
		out, err := x.try(ctx, c, grant, id, a)
		if !errors.Is(err, ErrStale) {
			return out, err
		}
	}
	return Outcome{}, fmt.Errorf("transfer changed %d times during one command", attempts)
}

func (x *Exchange) try(ctx context.Context, c Caller, grant Grant, id string, a Act) (Outcome, error) {
	now := x.now()
	t, err := x.find(ctx, c, grant, id)
	if err != nil {
		return Outcome{}, err
	}
	s := steps[a.Command]
	if t.Role(c.Organisation) != s.by {
		return Outcome{}, x.refuse(c, &t, now, codeTurn.New("only the %s can do this", s.by))
	}
	// What the sender does rests on its agreement with the receiver, what the receiver does on that for its own inbox.
	if grant.own() != (s.by == Receiver) {
		return Outcome{}, x.refuse(c, &t, now, codeAgreement.New("the agreement of the token is not for what the %s does", s.by).WithRule(grant.ContractHash))
	}
	if reached(t.State, s.to) {
		return x.again(ctx, c, &t, s, a, now)
	}
	if err := x.guard(c, &t, s, a, now); err != nil {
		return Outcome{}, err
	}
	next := t
	next.State, next.Version, next.Receipts, next.ChangedAt = s.to, t.Version+1, t.Receipts+1, now
	next.Reason, next.Processed = a.Reason, a.Processed
	receipts, err := x.Store.Receipts(ctx, id)
	if err != nil {
		return Outcome{}, err
	}
	if len(receipts) != t.Receipts { // another command came between the two readings
		return Outcome{}, ErrStale
	}
	actor := x.Hub
	if s.signer != "" {
		actor = c.Organisation
	}
	tr, err := x.transition(next, actor, receipts[len(receipts)-1], now)
	if err != nil {
		return Outcome{}, err
	}
	if tr.From, tr.Payload = t.Version, a.Payload; a.Command == Deliver {
		if err := x.log(ctx, t.Responsible(), t.Agreement.Activity, "zaak afleveren", now); err != nil {
			return Outcome{}, err
		}
	}
	if err := x.Store.Change(ctx, tr); err != nil {
		return Outcome{}, err
	}
	return x.outcome(c, &next, now, tr.Signed, true), nil
}

// again answers a command that was carried out before, if it says the same.
func (x *Exchange) again(ctx context.Context, c Caller, t *Transfer, s step, a Act, now time.Time) (Outcome, error) {
	same := true
	switch a.Command {
	case Decline:
		same = a.Reason == t.Reason
	case Acknowledge:
		same = a.Processed == t.Processed
	case Deliver:
		same = matches(t.Offer.Manifest, a.Payload)
	case Accept:
	}
	if !same {
		return Outcome{}, x.refuse(c, t, now, codeContent.New("this was done before, in other words"))
	}
	return x.repeated(ctx, c, t, s.to, now)
}

// reached tells whether a transfer in state now has been in state earlier. Declined lies on no way to anything.
func reached(now, earlier State) bool {
	if now == Declined || earlier == Declined {
		return now == earlier || earlier == Offered
	}
	order := map[State]int{Offered: 0, Accepted: 1, Delivered: 2, Acknowledged: 3}
	return order[now] >= order[earlier]
}

// repeated answers a repeat with the receipt that the first one got.
func (x *Exchange) repeated(ctx context.Context, c Caller, t *Transfer, made State, now time.Time) (Outcome, error) {
	receipts, err := x.Store.Receipts(ctx, t.ID)
	if err != nil {
		return Outcome{}, err
	}
	place := map[State]int{Offered: 0, Accepted: 1, Declined: 1, Delivered: 2, Acknowledged: 3}[made]
	if place >= len(receipts) {
		return Outcome{}, fmt.Errorf("transfer has %d receipts, number %d is missing", len(receipts), place+1)
	}
	return x.outcome(c, t, now, receipts[place], false), nil
}

// guard refuses what is not possible now.
func (x *Exchange) guard(c Caller, t *Transfer, s step, a Act, now time.Time) error {
	var refusal *errs.Error
	switch {
	case t.State != s.from:
		refusal = codeState.New("the transfer is %s; your organisation can do now: %s", t.State, x.possible(c, t, now))
	case a.IfVersion != 0 && a.IfVersion != t.Version:
		refusal = codeChanged.New("the version is %d, not %d", t.Version, a.IfVersion)
	case x.frozen(t, now):
		refusal = codeFrozen.New("the agreement that the case was offered under is suspended or has ended").WithRule(t.Agreement.ContractHash)
	case t.Expired(now):
		refusal = codeExpired.New("the offer was open until %s", t.Offer.Deadline.Format(time.RFC3339))
	case a.Command != Deliver:
		return nil
	case !matches(t.Offer.Manifest, a.Payload):
		refusal = codeDigest.New("SHA-256 or length of the body differ from the manifest of the offer")
	case a.Case.Source != t.Offer.Case.Source || a.Case.ID != t.Offer.Case.ID:
		refusal = codeOtherCase.New("bronorganisatie or identificatie differ from the offer")
	default:
		return nil
	}
	return x.refuse(c, t, now, refusal)
}

// possible names what a party can do now, for people.
func (x *Exchange) possible(c Caller, t *Transfer, now time.Time) string {
	out := x.outcome(c, t, now, "", false)
	if len(out.Allowed) == 0 {
		return "nothing"
	}
	names := make([]string, len(out.Allowed))
	for i, command := range out.Allowed {
		names[i] = string(command)
	}
	return strings.Join(names, ", ")
}

func matches(m Manifest, payload []byte) bool {
	sum := sha256.Sum256(payload)
	return m.Bytes == int64(len(payload)) && m.CaseSHA256 == hex.EncodeToString(sum[:])
}

// transition signs the receipt of a transfer's new state and writes its events.
func (x *Exchange) transition(t Transfer, actor, previous string, now time.Time) (Transition, error) {
	r := Receipt{ID: x.NewID(), Sequence: t.Receipts, Type: t.State, Actor: actor, At: now, Previous: previous}
	signed, err := x.Receipts.Sign(&t, r)
	if err != nil {
		return Transition{}, err
	}
	tr := Transition{Transfer: t, Receipt: r, Signed: signed}
	event := Event{
		ID: x.NewID(), Type: t.State, Transfer: t.ID, Sequence: r.Sequence, At: now, Sender: t.Sender, Receiver: t.Receiver(),
	}
	for _, party := range []string{t.Sender, t.Receiver()} {
		event.Organisation = party
		tr.Events = append(tr.Events, event)
	}
	return tr, nil
}

func (x *Exchange) log(ctx context.Context, controller, activity, name string, now time.Time) error {
	if err := x.Logbook.Write(ctx, Processing{Controller: controller, Activity: activity, Name: name, At: now}); err != nil {
		return codeLogbook.Wrap(err, "the record of this processing was not confirmed").WithRetryAfter(retryLogbook)
	}
	return nil
}

// retryLogbook is when a caller may try again after the logbook was away.
const retryLogbook = 5 * time.Second

// now is the moment, as exactly as it is stored.
func (x *Exchange) now() time.Time { return x.Now().UTC().Truncate(time.Microsecond) }
