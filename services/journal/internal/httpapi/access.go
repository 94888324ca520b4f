package httpapi

import (
	"context"
	"errors"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/store"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

var codeScope = &errs.Code{
	ID: "scope-missing", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The access token lacks a scope",
	Next: "Ask for an access token with the scope that rule names.",
}

// reader is who asks: an organisation sees its own, the hub operator sees metadata of all.
type reader struct {
	organisation string
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

// reader gives who asks. Every look of the hub operator leaves a line in the log.
func (h *handlers) reader(ctx context.Context, operation string) (reader, error) {
	caller, err := allowed(ctx, api.ScopeRead)
	if err != nil {
		return reader{}, err
	}
	who := reader{organisation: caller.PeerID, operator: caller.HasRole(token.RoleHubOperator)}
	if who.operator {
		h.Logger.InfoContext(ctx, "hub operator looks at metadata", "operation", operation, "client_id", caller.ClientID, "sub", caller.Subject)
	}
	return who, nil
}

// split parts the calls into those that r may see and, by span id, those it may not.
func (r reader) split(calls []store.Call) (visible []store.Call, spans waterfall.Calls) {
	spans = waterfall.Calls{Visible: map[string]bool{}, Hidden: map[string]bool{}}
	for _, c := range calls {
		if r.operator || c.Involves(r.organisation) {
			visible = append(visible, c)
			spans.Visible[c.Decision.SpanID] = true
		} else {
			spans.Hidden[c.Decision.SpanID] = true
		}
	}
	return visible, spans
}
