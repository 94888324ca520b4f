// Package problem writes and reads refusals as RFC 9457 problem details, and holds the one table from error kind to HTTP
// status. OAuth endpoints keep the errors of RFC 6749 §5.2, which WriteOAuth writes.
package problem

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"noorderhub.nl/hub/libs/errs"
)

// MediaType is the content type of every refusal outside the OAuth endpoints.
const MediaType = "application/problem+json"

// StatusOf maps a kind to its HTTP status, as the API Design Rules want it: invalid input is 400, never 422
// (/core/error-handling/invalid-input).
func StatusOf(kind errs.Kind) int {
	if status, ok := statuses[kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

var statuses = map[errs.Kind]int{
	errs.Internal:           http.StatusInternalServerError,
	errs.Invalid:            http.StatusBadRequest,
	errs.Unauthenticated:    http.StatusUnauthorized,
	errs.Forbidden:          http.StatusForbidden,
	errs.NotFound:           http.StatusNotFound,
	errs.MethodNotAllowed:   http.StatusMethodNotAllowed,
	errs.NotAcceptable:      http.StatusNotAcceptable,
	errs.Conflict:           http.StatusConflict,
	errs.Gone:               http.StatusGone,
	errs.PreconditionFailed: http.StatusPreconditionFailed,
	errs.Unprocessable:      http.StatusUnprocessableEntity,
	errs.TooLarge:           http.StatusRequestEntityTooLarge,
	errs.UnsupportedMedia:   http.StatusUnsupportedMediaType,
	errs.TooMany:            http.StatusTooManyRequests,
	errs.BadGateway:         http.StatusBadGateway,
	errs.Unavailable:        http.StatusServiceUnavailable,
	errs.Timeout:            http.StatusGatewayTimeout,
}

// Details is the body of a refusal: RFC 9457 §3.1 and the hub's extension members.
type Details struct {
	Type   string `json:"type"` // the page of the code, in Dutch and English
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`

	Code          string       `json:"code"`
	TraceID       string       `json:"traceId,omitempty"` // 32 hex
	Rule          string       `json:"rule"`
	Side          errs.Side    `json:"side"`
	NextStep      string       `json:"nextStep"`
	InvalidParams []errs.Field `json:"invalidParams,omitempty"`
}

// Writer writes refusals for one hub. Hub is its outside address without a trailing slash, e.g. https://hub.example.nl.
type Writer struct {
	Hub string
}

// Page gives the address of the page that explains a code.
func (w Writer) Page(code *errs.Code) string { return w.Hub + "/portaal/fouten/" + code.ID }

// Details describes an error for its caller; what the caller must not see is not in it.
func (w Writer) Details(r *http.Request, err error) Details {
	e := errs.As(err)
	rule := e.Rule
	if rule == "" {
		rule = e.Code.ID
	}
	d := Details{
		Type: w.Page(e.Code), Status: StatusOf(e.Code.Kind), Title: e.Code.Title, Detail: e.Detail,
		Code: e.Code.ID, Rule: rule, Side: e.Code.Side, NextStep: e.Code.Next, InvalidParams: e.Fields,
	}
	if sc := trace.SpanContextFromContext(r.Context()); sc.HasTraceID() {
		d.TraceID = sc.TraceID().String()
	}
	return d
}

// Write answers r with err. It sets Retry-After where the error knows it.
func (w Writer) Write(rw http.ResponseWriter, r *http.Request, err error) {
	d := w.Details(r, err)
	body, _ := json.Marshal(d) // strings and ints only: cannot fail
	h := rw.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Del("ETag")
	if after := errs.As(err).RetryAfter; after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	rw.WriteHeader(d.Status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(body)
	}
}

// maxRead bounds what Read takes of an answer, in bytes.
const maxRead = 64 << 10

// Read turns the answer of another part into an error, nil for a 2xx. An answer that is no problem document keeps its
// status in the text and counts as a bad gateway.
func Read(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRead))
	var d Details
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), MediaType) || json.Unmarshal(body, &d) != nil || d.Code == "" {
		return fmt.Errorf("unexpected answer: status %d", resp.StatusCode)
	}
	code := &errs.Code{ID: d.Code, Kind: kindOf(resp.StatusCode), Side: d.Side, Title: d.Title, Next: d.NextStep}
	e := code.New("%s", d.Detail).WithRule(d.Rule).WithFields(d.InvalidParams...)
	e.Page = d.Type
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}

func kindOf(status int) errs.Kind {
	for kind, s := range statuses {
		if s == status {
			return kind
		}
	}
	if status < 500 {
		return errs.Invalid
	}
	return errs.BadGateway
}
