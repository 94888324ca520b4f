package chain

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// route finds what the request is for.
func (c *Chain) route(ctx context.Context, call *Call, r *http.Request) error {
	path, err := routes.Canonical(r)
	if err != nil {
		return err
	}
	if call.view = c.cfg.Policy.View(); call.view == nil {
		return codeNotReady.New("no agreements are known yet").WithRetryAfter(time.Second)
	}
	route, allow, err := call.view.Routes.Match(r.Method, path)
	if err != nil {
		if allow != nil {
			call.refuseWith("Allow", strings.Join(allow, ", "))
		}
		return err
	}
	call.Route = route
	telemetry.SetRoute(ctx, strings.ReplaceAll(route.Pattern, "/*", "/…"))
	if _, announced := call.view.Calls.Key(c.cfg.Calls.KeyID()); !announced && route.Audience != "" {
		return codeNotReady.New("the services do not know this gateway yet").WithRetryAfter(time.Second)
	}
	if r.ContentLength > route.MaxBody {
		return errs.CodeTooLarge.New("the limit is %d bytes", route.MaxBody)
	}
	return nil
}

// authenticate finds out who calls: a token for exactly this audience, not revoked, and held by who it was given to.
// Every failure tells the client so as RFC 6750 §3 has it.
func (c *Chain) authenticate(_ context.Context, call *Call, r *http.Request) error {
	if call.Route.Class != routes.ClassService && call.Route.Class != routes.ClassAdministration {
		return nil
	}
	raw, err := token.FromRequest(r)
	if err == nil {
		call.Claims, err = c.cfg.Tokens.Verify(raw, call.Route.Audience)
	}
	if call.Claims != nil {
		// A client that is known although the token is refused makes the refusal part of its organisation's log.
		call.Client = call.view.Client(call.Claims.ClientID)
	}
	if err == nil {
		err = checkToken(call)
	}
	if err != nil {
		call.refuseWith("WWW-Authenticate", token.Challenge(err))
		return err
	}
	return nil
}

// checkToken looks at what may change while a token lives: revocation, and the connection it comes over. The certificate
// is compared on every call, so a stolen token is worth nothing on another connection (RFC 8705 §3).
func checkToken(call *Call) error {
	if call.view.Revoked(call.Claims.ID) {
		return codeRevoked.New("the token was revoked before its end")
	}
	cnf := call.Claims.Confirmation
	switch {
	case cnf == nil:
		return nil
	case cnf.Certificate == "":
		return codeProof.New("this hub does not take proofs of possession by key yet")
	case call.Certificate == nil:
		return codeUnbound.New("the call came without a client certificate")
	case call.Certificate.Thumbprint != cnf.Certificate:
		return codeMismatch.New("the client certificate of the call is not the one the token is bound to").WithRule("cnf x5t#S256")
	}
	return nil
}

// authorise asks whether the contract allows the call, as it stands at this moment. For administration the API behind
// decides on scope and role; here only the client must still be good.
func (c *Chain) authorise(ctx context.Context, call *Call, _ *http.Request) error {
	switch call.Route.Class {
	case routes.ClassProtocol, routes.ClassPublic:
		return nil
	case routes.ClassAdministration:
		telemetry.SetOrganisations(ctx, call.Claims.PeerID, call.view.HubOIN)
		return checkClient(call)
	case routes.ClassService:
		err := c.checkGrant(call)
		telemetry.SetOrganisations(ctx, call.Claims.PeerID, call.provider())
		if e := errs.As(err); err != nil && e.Code.Kind == errs.Forbidden && e.Code == codeScopeMissing {
			call.refuseWith("WWW-Authenticate", `Bearer realm="noorderhub", error="insufficient_scope", scope="`+call.Route.Operation.Scope+`"`)
		} else if err != nil && e.Code.Kind == errs.Unauthenticated {
			call.refuseWith("WWW-Authenticate", token.Challenge(err))
		}
		return err
	}
	return errs.CodeInternal.New("the route has no class")
}

func checkClient(call *Call) error {
	switch {
	case call.Client == nil, call.Client.Organisation != call.Claims.PeerID:
		return codeUnknownClient.New("the registry does not know the client %q of this organisation", call.Claims.ClientID)
	case call.Client.Disabled:
		return codeDisabled.New("the client %q is disabled", call.Client.ID)
	}
	return nil
}

// checkGrant applies the contract. The order goes from what concerns everybody to what concerns this operation, so that
// the first refusal is the one worth mending first.
func (c *Chain) checkGrant(call *Call) error {
	if err := checkClient(call); err != nil {
		return err
	}
	now, service, scope := c.cfg.Now(), call.Route.Service, call.Route.Operation.Scope
	if scope == "" {
		return codeNoScope.New("the operation %q of %s has no scope", call.Route.Operation.ID, service.Slug)
	}
	g := call.view.Grant(call.Claims.GrantHash)
	if g == nil || g.Service != service.Slug || g.Consumer != call.Claims.PeerID {
		return codeNoContract.New("no contract in force gives your organisation access to %s", service.Slug).WithRule("grant")
	}
	call.Grant = g
	rule := "contract " + g.ContractHash
	switch {
	case now.Before(g.NotBefore):
		return codeContractEarly.New("the contract is in force from %s", g.NotBefore.UTC().Format(time.RFC3339)).WithRule(rule)
	case !now.Before(g.NotAfter):
		return codeContractExpired.New("the contract ended at %s", g.NotAfter.UTC().Format(time.RFC3339)).WithRule(rule)
	case g.Narrowing != nil && g.Narrowing.Suspended:
		return codeSuspended.New("suspended by organisation %s: %s", g.Narrowing.By, g.Narrowing.Reason).WithRule(rule)
	case !call.Client.Assigned(g.Hash):
		return codeNotAssigned.New("the contract is not assigned to the client %q", call.Client.ID).WithRule("assignment")
	case !slices.Contains(g.Terms.Scopes, scope):
		return codeScopeMissing.New("the contract does not have the scope %q", scope).WithRule("scope " + scope)
	case !call.Claims.HasScope(scope):
		return codeScopeMissing.New("the token does not have the scope %q", scope).WithRule("scope " + scope)
	case g.Narrowing != nil && slices.Contains(g.Narrowing.BlockedScopes, scope):
		return codeScopeBlocked.New("blocked by organisation %s: %s", g.Narrowing.By, g.Narrowing.Reason).WithRule("scope " + scope)
	}
	if err := checkBinding(g, call.Claims); err != nil {
		return err
	}
	if required(g) && c.cfg.Policy.Age() > c.cfg.SnapshotMax {
		return codeStale.New("the agreements were last confirmed more than %s ago", c.cfg.SnapshotMax).WithRetryAfter(time.Minute)
	}
	return nil
}

// checkBinding demands what the contract says of the token. A contract that says nothing readable demands most.
func checkBinding(g *registry.Grant, claims *token.Claims) error {
	if g.Terms.Binding == "none" {
		return nil
	}
	cnf := claims.Confirmation
	if cnf == nil || cnf.Certificate == "" && (g.Terms.Binding != "any" || cnf.Key == "") {
		return codeBinding.New("the contract demands the binding %q", g.Terms.Binding).WithRule("binding " + g.Terms.Binding)
	}
	return nil
}

// required tells whether a call may only leave with a durable record. Only the exact word opens.
func required(g *registry.Grant) bool { return g.Terms.Logging != "open" }
