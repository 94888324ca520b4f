package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
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
	p.id = r.PathValue("transactieId")
	return kit.NewQuery(r).Err()
}

func (h *handlers) transaction(ctx context.Context, p transactionPath) (api.Transaction, error) {
	who, err := h.reader(ctx, "transactie")
	if err != nil {
		return api.Transaction{}, err
	}
	notFound := errs.CodeNotFound.New("your organisation has no transaction with this id")
	if !transactionID.MatchString(p.id) {
		return api.Transaction{}, notFound
	}
	calls, err := h.Store.ByTransaction(ctx, p.id)
	if err != nil {
		return api.Transaction{}, err
	}
	visible, spans := who.split(calls)
	if len(visible) == 0 {
		return api.Transaction{}, notFound
	}
	answer := api.Transaction{TransactionID: p.id, Calls: wireCalls(visible)}
	for _, trace := range traces(visible) {
		// Other calls of the same trace are fetched to keep them out of the picture.
		all, err := h.Store.ByTrace(ctx, trace)
		if err != nil {
			return api.Transaction{}, err
		}
		_, inTrace := who.split(all)
		rows, cut, err := h.rows(ctx, trace, waterfall.Calls{Visible: spans.Visible, Hidden: inTrace.Hidden})
		if err != nil {
			return api.Transaction{}, err
		}
		answer.Spans, answer.Cut = append(answer.Spans, rows...), answer.Cut || cut
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

func (h *handlers) rows(ctx context.Context, trace string, calls waterfall.Calls) (rows []api.Span, cut bool, err error) {
	spans, err := h.Store.Spans(ctx, trace, maxSpans+1)
	if err != nil {
		return nil, false, err
	}
	if cut = len(spans) > maxSpans; cut {
		spans = spans[:maxSpans]
	}
	return wireSpans(waterfall.Rows(spans, calls)), cut, nil
}

type tracePath struct{ id string }

// Decode implements kit's decoder.
func (p *tracePath) Decode(r *http.Request) error {
	p.id = r.PathValue("traceId")
	return kit.NewQuery(r).Err()
}

func (h *handlers) trace(ctx context.Context, p tracePath) (api.Trace, error) {
	who, err := h.reader(ctx, "trace")
	if err != nil {
		return api.Trace{}, err
	}
	notFound := errs.CodeNotFound.New("your organisation has no calls in a trace with this id")
	if !traceID.MatchString(p.id) {
		return api.Trace{}, notFound
	}
	calls, err := h.Store.ByTrace(ctx, p.id)
	if err != nil {
		return api.Trace{}, err
	}
	visible, inTrace := who.split(calls)
	spans, err := h.Store.Spans(ctx, p.id, maxSpans+1)
	if err != nil {
		return api.Trace{}, err
	}
	if len(visible) == 0 && (!who.operator || len(spans) == 0) {
		return api.Trace{}, notFound
	}
	cut := len(spans) > maxSpans
	spans = spans[:min(len(spans), maxSpans)]
	rows := waterfall.Rows(spans, inTrace)
	if who.operator {
		rows = waterfall.All(spans)
	}
	return api.Trace{TraceID: p.id, Calls: wireCalls(visible), Spans: wireSpans(rows), Cut: cut}, nil
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

func (h *handlers) transactions(ctx context.Context, q callQuery) (api.CallPage, error) {
	who, err := h.reader(ctx, "transacties")
	if err != nil {
		return api.CallPage{}, err
	}
	f := q.Filter
	if !who.operator {
		f.Organisation = who.organisation
	} else if f.With != "" {
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
