package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/journal/api"
)

var codeBusy = &errs.Code{
	ID: "log-busy", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The log is being shipped already",
	Next: "Ship again; make sure that only one gateway has this id.",
}

// Call is a decision record with its outcome, if that has come.
type Call struct {
	Decision api.Record
	Outcome  *api.Record
}

// Filter chooses calls for a list. Zero fields choose all.
type Filter struct {
	Organisation string // takes part in the call; the asker's own, unless it may see all
	With         string // takes part too
	Service      string
	TraceID      string
	From, Until  time.Time // From ≤ moment of the decision < Until
	After        *Position // the list goes on after this call
	Limit        int
}

// Position is a place in a list of calls: moment, gateway, sequence.
type Position struct {
	At       time.Time
	Gateway  string
	Sequence uint64
}

// Position gives the place of a call in lists.
func (c Call) Position() Position {
	return Position{At: c.Decision.At, Gateway: c.Decision.ID.Gateway, Sequence: c.Decision.ID.Sequence}
}

// selectCalls joins each decision with its outcome. The transaction id alone is not enough: it may come from a peer.
const selectCalls = `
	SELECT d.line, o.line
	FROM records d
	LEFT JOIN records o ON o.transaction_id = d.transaction_id AND o.span_id = d.span_id
	     AND o.kind = 'outcome' AND o.gateway = d.gateway`

// maxJoined bounds the calls of one transaction or trace.
const maxJoined = 1000

// ByTransaction gives the calls under a transaction id in which an organisation takes part, oldest first; organisation ""
// stands for all.
func (s *Store) ByTransaction(ctx context.Context, id, organisation string) ([]Call, error) {
	return s.joined(ctx, "transaction_id", id, organisation)
}

// ByTrace does the same for the calls of a trace.
func (s *Store) ByTrace(ctx context.Context, id, organisation string) ([]Call, error) {
	return s.joined(ctx, "trace_id", id, organisation)
}

// joined leaves other organisations out before it counts: a client chooses these ids, so under one id there may be any
// number of calls of others.
func (s *Store) joined(ctx context.Context, column, id, organisation string) ([]Call, error) {
	return s.calls(ctx, fmt.Sprintf(`%s WHERE d.%s = $1 AND d.kind = 'decision'
		AND ($2 = '' OR $2 IN (d.consumer, d.delegator, d.provider))
		ORDER BY d.at, d.gateway, d.sequence LIMIT %d`, selectCalls, column, maxJoined), id, organisation)
}

// List gives the calls that f chooses, newest first.
func (s *Store) List(ctx context.Context, f Filter) ([]Call, error) {
	var where []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	// The place in time comes from the table whose index gives the order.
	place, from := "d", selectCalls
	if f.Organisation != "" {
		place = "p"
		from += ` JOIN parties p ON p.gateway = d.gateway AND p.sequence = d.sequence`
		where = append(where, "p.organisation = "+arg(f.Organisation))
	}
	where = append(where, "d.kind = 'decision'")
	if f.With != "" {
		with := arg(f.With)
		where = append(where, "("+with+" IN (d.consumer, d.delegator, d.provider))")
	}
	if f.Service != "" {
		where = append(where, "d.service = "+arg(f.Service))
	}
	if f.TraceID != "" {
		where = append(where, "d.trace_id = "+arg(f.TraceID))
	}
	if !f.From.IsZero() {
		where = append(where, place+".at >= "+arg(sqldb.At(f.From)))
	}
	if !f.Until.IsZero() {
		where = append(where, place+".at < "+arg(sqldb.At(f.Until)))
	}
	if f.After != nil {
		where = append(where, fmt.Sprintf("(%[1]s.at, %[1]s.gateway, %[1]s.sequence) < (%[2]s, %[3]s, %[4]s)", place,
			arg(sqldb.At(f.After.At)), arg(f.After.Gateway), arg(int64(f.After.Sequence))))
	}
	query := fmt.Sprintf("%[1]s WHERE %[2]s ORDER BY %[3]s.at DESC, %[3]s.gateway DESC, %[3]s.sequence DESC LIMIT %[4]s",
		from, strings.Join(where, " AND "), place, arg(f.Limit))
	return s.calls(ctx, query, args...)
}

// lines are the two halves of a call as they stand in the logs.
type lines struct{ decision, outcome []byte }

func (s *Store) calls(ctx context.Context, query string, args ...any) ([]Call, error) {
	found, err := sqldb.Collect(ctx, s.db.Reader(), func(l *lines) []any { return []any{&l.decision, &l.outcome} }, query, args...)
	if err != nil {
		return nil, fmt.Errorf("calls: %w", err)
	}
	calls := make([]Call, len(found))
	for i, l := range found {
		if calls[i].Decision, err = api.Decode(l.decision); err != nil {
			return nil, fmt.Errorf("decision held: %w", err)
		}
		if l.outcome == nil {
			continue
		}
		outcome, err := api.Decode(l.outcome)
		if err != nil {
			return nil, fmt.Errorf("outcome held: %w", err)
		}
		calls[i].Outcome = &outcome
	}
	return calls, nil
}
