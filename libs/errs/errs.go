// Package errs holds the closed list of error kinds and the shape of a refusal: what went wrong, by which rule, who can
// mend it and what to do next. It knows nothing of HTTP; libs/problem maps kinds to status codes, once.
//
// A part declares each refusal it can give as a package variable of type *Code. Every code has a page in Dutch and in
// English at /portaal/fouten/{ID}; a test walks the source and proves it.
package errs

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of an error. The zero value is Internal, so that whatever nobody classified tells the caller nothing.
type Kind uint8

// The closed list of kinds.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	MethodNotAllowed
	NotAcceptable
	Conflict
	Gone
	PreconditionFailed
	Unprocessable
	TooLarge
	UnsupportedMedia
	TooMany
	BadGateway
	Unavailable
	Timeout
)

// Side is who can mend an error.
type Side string

// The sides. SideClient is the calling application, SideOrganisation its own organisation (an agreement, a key),
// SideProvider the organisation behind the service, SideHub the operators of the hub.
const (
	SideClient       Side = "client"
	SideOrganisation Side = "organisation"
	SideProvider     Side = "provider"
	SideHub          Side = "hub"
)

// Code is one refusal the hub can give, declared once.
type Code struct {
	ID    string // stable, kebab-case, e.g. "no-contract"; callers branch on it
	Kind  Kind
	Side  Side
	Title string // the same for every occurrence (RFC 9457 §3.1.3)
	Next  string // what to do now, one sentence
}

// New makes an error of this code. The text is for the caller: no personal data, no tokens, no internals.
func (c *Code) New(format string, args ...any) *Error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of this code with its cause. The cause reaches the log, never the caller.
func (c *Code) Wrap(cause error, format string, args ...any) *Error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...), cause: cause}
}

// Error is one occurrence of a refusal.
type Error struct {
	Code       *Code
	Detail     string
	Rule       string // the rule that refused, where it is not the code itself (a contract, a scope, a standard's id)
	Fields     []Field
	RetryAfter time.Duration // 0: not known
	Page       string        // where the code is explained; known of refusals that came from another part
	cause      error
}

// Field is one fault of the input.
type Field struct {
	Name   string `json:"name"` // parameter name or JSON pointer
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Error gives the text for logs: code, detail and cause.
func (e *Error) Error() string {
	text := e.Code.ID + ": " + e.Detail
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is(err, other) true for errors of the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code && other.Detail == ""
}

// WithRule names the rule that refused.
func (e *Error) WithRule(rule string) *Error {
	e.Rule = rule
	return e
}

// WithFields adds faults of the input.
func (e *Error) WithFields(fields ...Field) *Error {
	e.Fields = append(e.Fields, fields...)
	return e
}

// WithRetryAfter says when a new try makes sense.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// As finds the refusal in an error chain. Anything else becomes CodeInternal with the error as its cause; nil stays nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return CodeInternal.Wrap(err, "something went wrong on our side")
}

// KindOf gives the kind of an error, Internal for one that nobody classified and for none at all.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	return As(err).Code.Kind
}

// Has tells whether err is a refusal of this code.
func Has(err error, code *Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
