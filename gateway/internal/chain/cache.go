package chain

import (
	"context"
	"net/http"
	"time"

	"github.com/go-kit/kit/endpoint"

	"noorderhub.nl/hub/gateway/internal/cache"
	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/gateway/internal/upstream"
)

// kept answers from the cache where the contract allows it, and tells the cache of changes. Answers with personal data are
// never kept, nor answers to a client that acts for somebody: those may depend on who that is.
func (c *Chain) kept(next endpoint.Endpoint) endpoint.Endpoint {
	if c.cfg.Cache == nil {
		return next
	}
	return func(ctx context.Context, request any) (any, error) {
		call, r := callFrom(ctx), request.(*http.Request)
		if call.Route.Class != routes.ClassService {
			return next(ctx, request)
		}
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			if call.Grant.Terms.CacheSeconds <= 0 || call.Route.Service.Personal || call.Claims.Actor != nil {
				return next(ctx, request)
			}
			return c.fromCache(ctx, call, r, next)
		case http.MethodOptions:
			return next(ctx, request)
		}
		response, err := next(ctx, request)
		if longest := call.view.Kept(call.Route.Service.Slug); err == nil && longest > 0 && response.(*http.Response).StatusCode < http.StatusBadRequest {
			c.cfg.Cache.Changed(ctx, call.Route.Service.Slug, longest)
		}
		return response, err
	}
}

func (c *Chain) fromCache(ctx context.Context, call *Call, r *http.Request, next endpoint.Endpoint) (any, error) {
	question := &cache.Question{
		Service: call.Route.Service.Slug, Revision: call.Route.Revision, Grant: call.Grant.Hash, Client: call.Claims.ClientID, Subject: call.Claims.Subject,
		Scope: call.Claims.Scope, Agreed: time.Duration(call.Grant.Terms.CacheSeconds) * time.Second,
	}
	resp, kept, err := c.cfg.Cache.Serve(ctx, question, r, func() (*http.Response, error) {
		response, err := next(ctx, r)
		if err != nil {
			return nil, err
		}
		return response.(*http.Response), nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, upstream.ErrClientGone
		}
		return nil, err
	}
	call.Cached = kept
	return resp, nil
}
