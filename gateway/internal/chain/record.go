package chain

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/kit/endpoint"
	"go.opentelemetry.io/otel/trace"

	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/gateway/internal/upstream"
	"noorderhub.nl/hub/libs/errs"
	journal "noorderhub.nl/hub/services/journal/api"
)

// record makes the decision to let the call through durable. For contracts with logging "open", and for administration,
// whose acts the parts behind audit themselves, the record is appended without waiting.
func (c *Chain) record(ctx context.Context, call *Call, r *http.Request) error {
	if call.Client == nil {
		return nil // protocol and public routes: nobody is known and nothing was decided
	}
	entry := c.decision(ctx, call, r, "grant", nil)
	if call.Grant == nil || !required(call.Grant) {
		call.recorded = c.cfg.Log.Note(entry)
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, c.cfg.LogTimeout)
	defer cancel()
	if err := c.cfg.Log.Append(wait, entry); err != nil {
		if ctx.Err() != nil {
			return upstream.ErrClientGone // not the log's fault
		}
		return codeLogUnavailable.Wrap(err, "the contract demands a record of every call, and it could not be made durable").
			WithRule("logging required").WithRetryAfter(time.Second)
	}
	call.recorded = true
	return nil
}

// refusals records, without waiting, every refusal of a client that is known. It folds what repeats: above a rate per
// client and rule, refusals are counted only.
func (c *Chain) refusals(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, request any) (any, error) {
		response, err := next(ctx, request)
		call := callFrom(ctx)
		if err == nil || call.Client == nil || call.recorded || errors.Is(err, upstream.ErrClientGone) {
			return response, err
		}
		e := errs.As(err)
		if e.Code == codeLogUnavailable || !c.folds.pass(call.Client.ID, e.Code.ID, c.cfg.Now()) {
			return response, err
		}
		rule := e.Rule
		if rule == "" {
			rule = e.Code.ID
		}
		c.cfg.Log.Note(c.decision(ctx, call, request.(*http.Request), rule, e))
		return response, err
	}
}

// Folded counts refusals that were not recorded one by one.
func (c *Chain) Folded() uint64 { return c.folds.count() }

func (c *Chain) decision(ctx context.Context, call *Call, r *http.Request, rule string, refusal *errs.Error) *journal.Record {
	d := &journal.Decision{
		Permit: refusal == nil, Rule: rule, Direction: "DIRECTION_INCOMING", Method: r.Method, SnapshotVersion: call.view.Version,
		GrantHash: call.Claims.GrantHash, ClientID: call.Claims.ClientID, TokenID: call.Claims.ID, Scopes: strings.Fields(call.Claims.Scope),
		Source:      journal.Source{Type: "SOURCE_TYPE_SOURCE", OutwayPeerID: call.Claims.PeerID},
		Destination: journal.Destination{Type: "DESTINATION_TYPE_DESTINATION", ServicePeerID: call.view.HubOIN},
	}
	if refusal != nil {
		d.Code = refusal.Code.ID
	}
	if s := call.Route.Service; s != nil {
		d.Service, d.ServiceName, d.Operation, d.Destination.ServicePeerID = s.Slug, s.FSCName, call.Route.Operation.ID, call.provider()
	} else {
		d.Service, _, _ = strings.Cut(call.Route.Pattern[1:], "/")
		d.ServiceName, d.Rule = d.Service, strings.Replace(rule, "grant", "administration", 1)
	}
	if g := call.Grant; g != nil {
		d.ContractHash, d.Purpose, d.LegalBasis = g.ContractHash, g.Terms.Purpose, g.Terms.LegalBasis
		d.ProcessingActivity = g.Terms.ProcessingActivity
		if g.Delegator != "" {
			d.Source.Type, d.Source.DelegatorPeerID = "SOURCE_TYPE_DELEGATED_SOURCE", g.Delegator
		}
	}
	entry := c.entry(ctx, call, journal.KindDecision)
	entry.Decision = d
	return entry
}

func (c *Chain) entry(ctx context.Context, call *Call, kind journal.Kind) *journal.Record {
	sc := trace.SpanContextFromContext(ctx)
	return &journal.Record{
		Kind: kind, At: c.cfg.Now().UTC().Truncate(time.Microsecond), TransactionID: call.ID,
		TraceID: sc.TraceID().String(), SpanID: sc.SpanID().String(),
	}
}

// Finish records how a call ended that was let through.
func (c *Chain) Finish(ctx context.Context, call *Call, end Ending) {
	if !call.recorded {
		return
	}
	o := &journal.Outcome{
		Status: end.Status, AnsweredBy: end.AnsweredBy, RequestBytes: end.RequestBytes, ResponseBytes: end.ResponseBytes,
		DurationUS: c.cfg.Now().Sub(call.Begin).Microseconds(),
	}
	if !call.Answered.IsZero() {
		o.UpstreamUS = call.Answered.Sub(call.Sent).Microseconds()
	}
	var refusal *errs.Error
	switch {
	case errors.As(end.Err, &refusal):
		o.Code = refusal.Code.ID
	case end.Err != nil:
		o.Code = "answer-cut"
	}
	entry := c.entry(ctx, call, journal.KindOutcome)
	entry.Outcome = o
	c.cfg.Log.Note(entry)
}

// Class gives the class of the route, 0 when no route was found.
func (c *Call) Class() routes.Class {
	if c.Route == nil {
		return 0
	}
	return c.Route.Class
}

// folder lets through so many refusals per second, client and rule. A client that is refused in a loop must not fill the
// log.
type folder struct {
	mu     sync.Mutex
	second int64
	seen   map[foldKey]int
	folded uint64
}

type foldKey struct{ client, code string }

const foldAbove = 10 // per second, client and rule

func newFolder() *folder { return &folder{seen: map[foldKey]int{}} }

func (f *folder) pass(client, code string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := now.Unix(); s != f.second {
		f.second = s
		clear(f.seen)
	}
	k := foldKey{client, code}
	f.seen[k]++
	if f.seen[k] > foldAbove {
		f.folded++
		return false
	}
	return true
}

func (f *folder) count() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.folded
}
