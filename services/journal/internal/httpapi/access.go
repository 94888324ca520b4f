package httpapi

import (
	"context"
	"errors"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/store"
)

var codeScope = &errs.Code{
	ID: "scope-missing", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The access token lacks a scope",
	Next: "Ask for an access token with the scope that rule names.",
}

// reader is who asks.
type reader struct {
	organisation string // whose calls are shown; "" for the hub operator, who sees metadata of all
	operator     bool
}

// allowed gives the caller if its token has the scope.
func allowed(ctx context.Context, scope string) (token.Caller, error) {
	caller, ok := token.CallerFrom(ctx)
	if !ok || caller.PeerID == "" {
		return token.Caller{}, errors.New("request without a caller reached an operation")
	}
	if !caller.HasScope(scope) {
		return token.Caller{}, codeScope.New("this operation needs the scope %s", scope).WithRule(scope)
	}
	return caller, nil
}

// looking makes an operation of one that tells organisations apart. Every look of the hub operator leaves an audit record
// before it is answered: a look that cannot be recorded shows nothing. object names what is looked at.
func looking[Req, Resp any](h *handlers, act string, object func(Req) string, op func(context.Context, reader, Req) (Resp, error)) func(context.Context, Req) (Resp, error) {
	return func(ctx context.Context, in Req) (Resp, error) {
		var none Resp
		caller, err := allowed(ctx, api.ScopeRead)
		if err != nil {
			return none, err
		}
		if !caller.HasRole(token.RoleHubOperator) {
			return op(ctx, reader{organisation: caller.PeerID}, in)
		}
		answer, err := op(ctx, reader{operator: true}, in)
		result := "ok"
		if err != nil {
			result = errs.As(err).Code.ID
		}
		fault := h.Store.AddAudit(ctx, store.Audit{
			At: h.Now(), Organisation: caller.PeerID, ClientID: caller.ClientID, Subject: caller.Subject,
			Act: act, Object: object(in), Result: result,
		})
		if fault != nil {
			h.Logger.ErrorContext(ctx, "audit record not stored", "act", act, "error", fault)
			return none, errs.CodeUnavailable.Wrap(fault, "this look could not be recorded in the audit log")
		}
		return answer, err
	}
}
