package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/otlp"
	"noorderhub.nl/hub/services/journal/internal/store"
)

const (
	// maxBatchBody leaves room for line ends.
	maxBatchBody = api.MaxBatchBytes + api.MaxBatchLines
	// maxSpanBody bounds a batch of spans, packed and unpacked.
	maxSpanBody = 4 << 20
)

// batch is the body of POST /transacties: lines of one gateway's log.
type batch struct {
	gateway string
	lines   []store.Line
}

// Decode implements kit's decoder.
func (b *batch) Decode(r *http.Request) error {
	if err := kit.MediaType(r, api.ContentLines); err != nil {
		return err
	}
	if err := kit.NewQuery(r).Err(); err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return kit.BodyError(err)
	}
	for len(body) > 0 {
		line, rest, ended := bytes.Cut(body, []byte{'\n'})
		if !ended {
			return errs.CodeInvalid.New("line %d has no line end: the batch is cut off", len(b.lines)+1)
		}
		body = rest
		record, err := api.Decode(line)
		if err != nil {
			return errs.CodeInvalid.New("line %d: %s", len(b.lines)+1, err.Error())
		}
		if len(b.lines) == 0 {
			b.gateway = record.ID.Gateway
		}
		if record.ID.Gateway != b.gateway {
			return errs.CodeInvalid.New("line %d is of another gateway than line 1", len(b.lines)+1)
		}
		if b.lines = append(b.lines, store.Line{Bytes: line, Record: record}); len(b.lines) > api.MaxBatchLines {
			return errs.CodeTooLarge.New("the limit is %d lines", api.MaxBatchLines)
		}
	}
	if len(b.lines) == 0 {
		return errs.CodeInvalid.New("the batch is empty")
	}
	return nil
}

func (h *handlers) append(ctx context.Context, b batch) (api.Head, error) {
	return h.Store.Append(ctx, b.gateway, b.lines)
}

type gatewayPath struct{ gateway string }

// Decode implements kit's decoder.
func (g *gatewayPath) Decode(r *http.Request) error {
	g.gateway = r.PathValue("gateway")
	return kit.NewQuery(r).Err()
}

func (h *handlers) head(ctx context.Context, g gatewayPath) (api.Head, error) {
	return h.Store.Head(ctx, g.gateway)
}

// spans takes OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). It stands outside kit: the body is protobuf
// both ways.
func (h *handlers) spans(w http.ResponseWriter, r *http.Request) {
	answer, err := h.takeSpans(w, r)
	if err != nil {
		if errs.KindOf(err) == errs.Internal {
			h.Logger.ErrorContext(r.Context(), "spans not stored", "error", err)
		}
		h.problems.Write(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (h *handlers) takeSpans(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, errs.CodeMethod.New("spans are posted")
	}
	if err := kit.MediaType(r, "application/x-protobuf"); err != nil {
		return nil, err
	}
	body, err := spanBody(http.MaxBytesReader(w, r.Body, maxSpanBody), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	spans, rejected, err := otlp.Decode(body)
	if err != nil {
		return nil, errs.CodeInvalid.Wrap(err, "the body is not an OTLP trace request")
	}
	if err := h.Store.AddSpans(r.Context(), spans, h.Now()); err != nil {
		return nil, errs.CodeUnavailable.Wrap(err, "the spans could not be stored")
	}
	return otlp.Answer(rejected)
}

// spanBody reads a body that may be packed; a small one that unpacks to a large one is refused at the limit.
func spanBody(packed io.Reader, encoding string) ([]byte, error) {
	body := packed
	switch encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return nil, bodyFault(err)
		}
		body = unpacked
	default:
		return nil, errs.CodeMediaType.New("the body may be packed with gzip only")
	}
	all, err := io.ReadAll(io.LimitReader(body, maxSpanBody+1))
	if err != nil {
		return nil, bodyFault(err)
	}
	if len(all) > maxSpanBody {
		return nil, errs.CodeTooLarge.New("the limit is %d bytes after unpacking", maxSpanBody)
	}
	return all, nil
}

func bodyFault(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errs.CodeTooLarge.New("the limit is %d bytes", tooLarge.Limit)
	}
	return errs.CodeInvalid.Wrap(err, "the body cannot be unpacked or is cut off")
}
