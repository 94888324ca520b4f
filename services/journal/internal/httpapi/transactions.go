package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/store"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

const (
	defaultPage = 50
	maxPage     = 100
	// maxSpans bounds the waterfall of one trace.
	maxSpans = 2000
)

var (
	traceID       = regexp.MustCompile(`^[0-9a-f]{32}$`)
	transactionID = regexp.MustCompile(`^[!-~]{1,64}$`)
	oin           = regexp.MustCompile(`^[0-9]{20}$`)
	slug          = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
)

type transactionPath struct{ id string }

// Decode implements kit's decoder.
func (p *transactionPath) Decode(r *http.Request) error {
	if p.id = r.PathValue("transactieId"); !transactionID.MatchString(p.id) {
		return noTransaction()
	}
	return kit.NewQuery(r).Err()
}

func (p transactionPath) object() string { return p.id }

func noTransaction() error {
	return errs.CodeNotFound.New("your organisation has no transaction with this id")
}

func (h *handlers) transaction(ctx context.Context, who reader, p transactionPath) (api.Transaction, error) {
	calls, err := h.Store.ByTransaction(ctx, p.id, who.organisation)
	if err != nil {
		return api.Transaction{}, err
	}
	if len(calls) == 0 {
		return api.Transaction{}, noTransaction()
	}
	answer := api.Transaction{TransactionID: p.id, Calls: wireCalls(calls)}
	for _, trace := range traces(calls) {
		// Calls below these may have a transaction id of their own.
		all, err := h.Store.ByTrace(ctx, trace, who.organisation)
		if err != nil {
			return api.Transaction{}, err
		}
		spans, cut, err := h.spansOf(ctx, trace)
		if err != nil {
			return api.Transaction{}, err
		}
		rows := waterfall.Rows(spans, waterfall.Calls{Asked: spanIDs(calls), Visible: spanIDs(append(all, calls...))})
		answer.Spans, answer.Cut = append(answer.Spans, wireSpans(rows)...), answer.Cut || cut
	}
	return answer, nil
}

// traces gives the trace ids of calls, each once.
func traces(calls []store.Call) []string {
	seen, out := map[string]bool{}, []string(nil)
	for _, c := range calls {
		if id := c.Decision.TraceID; !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func spanIDs(calls []store.Call) map[string]bool {
	ids := make(map[string]bool, len(calls))
	for _, c := range calls {
		ids[c.Decision.SpanID] = true
	}
	return ids
}

// spansOf gives the spans of a trace, cut at the limit of a waterfall.
func (h *handlers) spansOf(ctx context.Context, trace string) (spans []waterfall.Span, cut bool, err error) {
	spans, err = h.Store.Spans(ctx, trace, maxSpans+1)
	return spans[:min(len(spans), maxSpans)], len(spans) > maxSpans, err
}

type tracePath struct{ id string }

// Decode implements kit's decoder.
func (p *tracePath) Decode(r *http.Request) error {
	if p.id = r.PathValue("traceId"); !traceID.MatchString(p.id) {
		return noTrace()
	}
	return kit.NewQuery(r).Err()
}

func (p tracePath) object() string { return p.id }

func noTrace() error {
	return errs.CodeNotFound.New("your organisation has no calls in a trace with this id")
}

func (h *handlers) trace(ctx context.Context, who reader, p tracePath) (api.Trace, error) {
	calls, err := h.Store.ByTrace(ctx, p.id, who.organisation)
	if err != nil {
		return api.Trace{}, err
	}
	spans, cut, err := h.spansOf(ctx, p.id)
	if err != nil {
		return api.Trace{}, err
	}
	if len(calls) == 0 && (!who.operator || len(spans) == 0) {
		return api.Trace{}, noTrace()
	}
	var rows []waterfall.Row
	if who.operator {
		rows = waterfall.All(spans)
	} else {
		own := spanIDs(calls)
		rows = waterfall.Rows(spans, waterfall.Calls{Asked: own, Visible: own})
	}
	return api.Trace{TraceID: p.id, Calls: wireCalls(calls), Spans: wireSpans(rows), Cut: cut}, nil
}

// callQuery is the query of GET /transacties.
type callQuery struct{ store.Filter }

// Decode implements kit's decoder.
func (q *callQuery) Decode(r *http.Request) error {
	in := kit.NewQuery(r)
	q.With = in.String("organisatie", kit.Match(oin, "must be an OIN of 20 digits"))
	q.Service = in.String("dienst", kit.Match(slug, "must be the short name of a service"))
	q.TraceID = in.String("traceId", kit.Match(traceID, "must be 32 lower-case hex digits"))
	q.From, q.Until = in.Time("van"), in.Time("tot")
	if !q.From.IsZero() && !q.Until.IsZero() && !q.From.Before(q.Until) {
		in.Fault("tot", "order", "must be after van")
	}
	if q.Limit = in.Int("aantal", kit.Range(1, maxPage)); q.Limit == 0 {
		q.Limit = defaultPage
	}
	if cursor := in.String("cursor"); cursor != "" {
		after, err := readCursor(cursor)
		if err != nil {
			in.Fault("cursor", "format", "must be the cursor of an earlier answer")
		}
		q.After = &after
	}
	return in.Err()
}

// object names what the query chooses. Every value has passed Decode.
func (q callQuery) object() string {
	chosen := url.Values{}
	for name, value := range map[string]string{"organisatie": q.With, "dienst": q.Service, "traceId": q.TraceID} {
		if value != "" {
			chosen.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"van": q.From, "tot": q.Until} {
		if !at.IsZero() {
			chosen.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	return chosen.Encode()
}

func (h *handlers) transactions(ctx context.Context, who reader, q callQuery) (api.CallPage, error) {
	f := q.Filter
	if f.Organisation = who.organisation; who.operator {
		f.Organisation, f.With = f.With, ""
	}
	f.Limit++ // one more tells whether there is a next page
	calls, err := h.Store.List(ctx, f)
	if err != nil {
		return api.CallPage{}, err
	}
	page := api.CallPage{}
	if len(calls) == f.Limit {
		calls = calls[:f.Limit-1]
		page.Next = cursor(calls[len(calls)-1].Position())
	}
	page.Calls = wireCalls(calls)
	return page, nil
}

// cursor is opaque to clients; inside it is "microseconds sequence gateway".
func cursor(p store.Position) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", p.At.UnixMicro(), p.Sequence, p.Gateway))
}

func readCursor(s string) (store.Position, error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return store.Position{}, err
	}
	at, rest, _ := strings.Cut(string(text), " ")
	number, gateway, _ := strings.Cut(rest, " ")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return store.Position{}, err
	}
	sequence, err := strconv.ParseInt(number, 10, 64)
	if err != nil || sequence < 0 || !transactionID.MatchString(gateway) {
		return store.Position{}, fmt.Errorf("cursor %d is malformed", len(s))
	}
	return store.Position{At: time.UnixMicro(micros), Sequence: uint64(sequence), Gateway: gateway}, nil
}
