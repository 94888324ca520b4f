package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/errs"
)

type decoder interface {
	Decode(*http.Request) error
}

type validator interface {
	Validate() error
}

// decode turns a request into a Req: its own Decode, else strict JSON; then its own Validate.
func decode[Req any](_ context.Context, r *http.Request) (any, error) {
	req := new(Req)
	switch d := any(req).(type) {
	case decoder:
		if err := d.Decode(r); err != nil {
			return nil, err
		}
	case *struct{}:
		if err := NewQuery(r).Err(); err != nil {
			return nil, err
		}
	default:
		if err := JSON(r, req); err != nil {
			return nil, err
		}
	}
	if v, ok := any(req).(validator); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	return *req, nil
}

// JSON reads a request body as one JSON document into dst. Unknown fields, duplicate documents and any other media type
// are refused. A Decode method that also has path or query values calls it.
func JSON(r *http.Request, dst any) error {
	if err := MediaType(r, "application/json"); err != nil {
		return err
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return BodyError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errs.CodeInvalid.New("the body holds more than one JSON document")
	}
	return nil
}

// MediaType refuses a request whose body is not of one of the types.
func MediaType(r *http.Request, types ...string) error {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil {
		for _, t := range types {
			if got == t {
				return nil
			}
		}
	}
	return errs.CodeMediaType.New("the body must be %s", strings.Join(types, " or "))
}

// BodyError explains what is wrong with a body: too large, or where the JSON breaks.
func BodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errs.CodeTooLarge.New("the limit is %d bytes", tooLarge.Limit)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return errs.CodeInvalid.Wrap(err, "the body is not JSON: fault at byte %d", syntax.Offset)
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return errs.CodeInvalid.Wrap(err, "the body has a wrong type").
			WithFields(errs.Field{Name: wrongType.Field, Code: "type", Reason: "must be " + wrongType.Type.String()})
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return errs.CodeInvalid.Wrap(err, "the body has a field that the schema does not know").
			WithFields(errs.Field{Name: strings.Trim(field, `"`), Code: "unknown", Reason: "unknown field"})
	}
	return errs.CodeInvalid.Wrap(err, "the body is not complete JSON")
}

// statusCoder, headerer and contentTyper are what an answer may say of itself; a byter is no JSON and is sent as it is.
type (
	statusCoder  interface{ StatusCode() int }
	headerer     interface{ Headers() http.Header }
	contentTyper interface{ ContentType() string }
	byter        interface{ Bytes() []byte }
)

// encode writes an answer. It is made whole before the first byte leaves, so a fault in it can still become a 500.
func encode(ctx context.Context, w http.ResponseWriter, response any) error {
	contentType, status := "application/json", http.StatusOK
	if c, ok := response.(contentTyper); ok {
		contentType = c.ContentType()
	}
	if s, ok := response.(statusCoder); ok {
		status = s.StatusCode()
	}
	if h, ok := response.(headerer); ok {
		for name, values := range h.Headers() {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return nil
	}
	var body bytes.Buffer
	if b, ok := response.(byter); ok {
		body.Write(b.Bytes())
	} else {
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(response); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if requestFrom(ctx).Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // the client went away: nothing left to tell it
	}
	return nil
}
