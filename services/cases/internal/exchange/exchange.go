package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	Hub        string           // OIN of the hub, which signs for offered, delivered and what the timer does
	NewID      func() string    // of receipts and events
	Now        func() time.Time // the clock that agreements are judged by; deadlines go by the store's
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

// Offer makes a transfer. The same offer under the same id gives what the first one gave. A trial checks everything that
// an offer is checked for, the receipt key included, and stores and sends nothing; its outcome has no receipt.
func (x *Exchange) Offer(ctx context.Context, c Caller, id string, o Offer, trial bool) (Outcome, error) {
	now, err := x.now(ctx)
	if err != nil {
		return Outcome{}, err
	}
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
		Agreement: grant.Agreement, OfferedAt: now, ChangedAt: now, Deadline: o.Deadline, Trace: c.Trace,
	}
	if t.Deadline.IsZero() {
		t.Deadline = now.Add(DefaultTerm)
	}
	tr, err := x.transition(t, Offered, x.Hub, "", "", now)
	if err != nil {
		return Outcome{}, err
	}
	if trial {
		return x.outcome(c, &t, now, "", false), nil
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
	IfVersion int64       // the version the caller looked at; 0: any
	Key       string      // Idempotency-Key; empty: none
	Reason    string      // Decline, Withdraw, Refuse
	Code      RefusalCode // Refuse
	Source    Disposition // Close
	Processed Processed   // Acknowledge
	Payload   []byte      // Deliver: the case
	Case      CaseKey     // Deliver: Source and ID as they stand in the payload
}

// fingerprint identifies what a command asks, for the Idempotency-Key that it comes with.
func (a Act) fingerprint(id string) string {
	text, _ := json.Marshal([]string{ // strings only: cannot fail
		id, string(a.Command), a.Reason, string(a.Code), string(a.Source), a.Processed.ID, a.Processed.URL,
	})
	sum := sha256.Sum256(append(text, a.Payload...))
	return hex.EncodeToString(sum[:])
}

// apply brings what comes along with a command into the transfer.
func (a Act) apply(t *Transfer) {
	switch a.Command {
	case Decline, Withdraw:
		t.Reason = a.Reason
	case Refuse:
		t.Reason, t.Code = a.Reason, a.Code
	case Acknowledge:
		t.Processed = a.Processed
	case Close:
		t.Source = a.Source
	case Accept, Deliver:
	}
}

// attempts bounds how often a command starts over because another one came first. Each time the transfer has moved on,
// and no way through its states is as long.
const attempts = 8

// Do carries out a command. Repeating one that was carried out gives its receipt again, also when the transfer has moved
// on since: a caller whose answer was lost must be able to ask again.
func (x *Exchange) Do(ctx context.Context, c Caller, id string, a Act) (Outcome, error) {
	grant, err := x.grant(c, x.local())
	if err != nil {
		return Outcome{}, err
	}
	for range attempts {
		out, err := x.try(ctx, c, grant, id, a)
		if !errors.Is(err, ErrStale) && !errors.Is(err, ErrKeyUsed) {
			return out, err
		}
	}
	return Outcome{}, fmt.Errorf("transfer changed %d times during one command", attempts)
}

func (x *Exchange) try(ctx context.Context, c Caller, grant Grant, id string, a Act) (Outcome, error) {
	now, err := x.now(ctx)
	if err != nil {
		return Outcome{}, err
	}
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
	receipts, err := x.receiptsOf(ctx, &t)
	if err != nil {
		return Outcome{}, err
	}
	if err := x.keyFits(ctx, c, &t, a, now); err != nil {
		return Outcome{}, err
	}
	if made := receiptOf(receipts, s.to); made != "" {
		if !a.repeats(&t) {
			return Outcome{}, x.refuse(c, &t, now, codeContent.New("this was done before, in other words"))
		}
		return x.outcome(c, &t, now, made, false), nil
	}
	if t.Overdue(now) { // the timer was not here yet
		if err := x.timeOut(ctx, &t, now); err != nil {
			return Outcome{}, err
		}
		return Outcome{}, ErrStale // look again: it has expired now
	}
	if err := x.guard(c, &t, s, a, now); err != nil {
		return Outcome{}, err
	}
	next := t
	next.State, next.Version, next.Receipts, next.ChangedAt = s.to, t.Version+1, t.Receipts+1, now
	a.apply(&next)
	actor := c.Organisation
	if s.hub {
		actor = x.Hub
	}
	tr, err := x.transition(next, s.to, actor, receipts[len(receipts)-1].Compact, "", now)
	if err != nil {
		return Outcome{}, err
	}
	tr.From, tr.Payload = t.Version, a.Payload
	if a.Key != "" {
		tr.Key = &Key{Organisation: c.Organisation, Value: a.Key, Transfer: id, Request: a.fingerprint(id), Sequence: next.Receipts}
	}
	if a.Command == Deliver {
		if err := x.log(ctx, t.Responsible(), t.Agreement.Activity, "zaak afleveren", now); err != nil {
			return Outcome{}, err
		}
	}
	if err := x.Store.Change(ctx, tr); err != nil {
		return Outcome{}, err
	}
	return x.outcome(c, &next, now, tr.Signed, true), nil
}

// keyFits refuses an Idempotency-Key that came with another request before. One that came with the same request needs no
// more: that a repeat gets the receipt of the first one holds without a key too.
func (x *Exchange) keyFits(ctx context.Context, c Caller, t *Transfer, a Act, now time.Time) error {
	if a.Key == "" {
		return nil
	}
	used, err := x.Store.Key(ctx, c.Organisation, a.Key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case used.Request != a.fingerprint(t.ID):
		return x.refuse(c, t, now, codeKeyUsed.New("your organisation sent another request with this Idempotency-Key"))
	}
	return nil
}

// repeats tells whether a command says what was said when it was carried out.
func (a Act) repeats(t *Transfer) bool {
	if a.Command == Deliver {
		return matches(t.Offer.Manifest, a.Payload)
	}
	again := *t
	a.apply(&again)
	return again == *t
}

// receiptsOf gives the receipts of a transfer as it was read; ErrStale when another command came between the readings.
func (x *Exchange) receiptsOf(ctx context.Context, t *Transfer) ([]SignedReceipt, error) {
	receipts, err := x.Store.Receipts(ctx, t.ID)
	if err == nil && (len(receipts) == 0 || len(receipts) != t.Receipts) {
		err = ErrStale
	}
	return receipts, err
}

// receiptOf gives the receipt of one type, compact; empty when there is none. No state is reached twice.
func receiptOf(receipts []SignedReceipt, made State) string {
	for _, r := range receipts {
		if r.Type == made {
			return r.Compact
		}
	}
	return ""
}

// repeated answers a repeat with the receipt that the first one got.
func (x *Exchange) repeated(ctx context.Context, c Caller, t *Transfer, made State, now time.Time) (Outcome, error) {
	receipts, err := x.Store.Receipts(ctx, t.ID)
	if err != nil {
		return Outcome{}, err
	}
	receipt := receiptOf(receipts, made)
	if receipt == "" {
		return Outcome{}, fmt.Errorf("transfer has no receipt %s", made)
	}
	return x.outcome(c, t, now, receipt, false), nil
}

// guard refuses what is not possible now.
func (x *Exchange) guard(c Caller, t *Transfer, s step, a Act, now time.Time) error {
	var refusal *errs.Error
	switch {
	case t.State == Expired:
		refusal = codeExpired.New("the offer was open until %s", t.Deadline.Format(time.RFC3339))
	case !slices.Contains(s.from, t.State):
		refusal = codeState.New("the transfer is %s; your organisation can do now: %s", t.State, x.possible(c, t, now))
	case a.IfVersion != 0 && a.IfVersion != t.Version:
		refusal = codeChanged.New("the version is %d, not %d", t.Version, a.IfVersion)
	case x.frozen(t, now):
		refusal = codeFrozen.New("the agreement that the case was offered under is suspended or has ended").WithRule(t.Agreement.ContractHash)
	case a.Command == Close && t.Offer.Kind == Handover && a.Source != SourceClosed:
		refusal = codeDisposition.New("a case that was handed over is closed at its sender")
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

// transition signs the receipt of what was made of a transfer and writes its events.
func (x *Exchange) transition(t Transfer, made State, actor, previous, waitedFor string, now time.Time) (Transition, error) {
	r := Receipt{
		ID: x.NewID(), Sequence: t.Receipts, Type: made, Actor: actor, At: now, Previous: previous, WaitedFor: waitedFor,
	}
	signed, err := x.Receipts.Sign(&t, r)
	if err != nil {
		return Transition{}, err
	}
	tr := Transition{Transfer: t, Receipt: r, Signed: signed}
	event := Event{
		ID: x.NewID(), Type: made, Transfer: t.ID, Sequence: r.Sequence, At: now, Sender: t.Sender, Receiver: t.Receiver(),
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

// now is the moment by the store's clock: deadlines, receipts and every instance of the service go by the same one.
func (x *Exchange) now(ctx context.Context) (time.Time, error) {
	at, err := x.Store.Now(ctx)
	return at.UTC().Truncate(time.Microsecond), err
}

// local is the moment by this process's clock, for what needs no agreement with other instances.
func (x *Exchange) local() time.Time { return x.Now().UTC().Truncate(time.Microsecond) }
