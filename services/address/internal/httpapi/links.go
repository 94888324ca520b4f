package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"noorderhub.nl/hub/services/address/api"
)

type outsideKey struct{}

func withOutside(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, outsideKey{}, base)
}

// outsideFrom gives the address of the hub as the client knows it, without a path of the service.
func outsideFrom(ctx context.Context) string {
	base, _ := ctx.Value(outsideKey{}).(string)
	return base
}

var (
	hostShape   = regexp.MustCompile(`^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?$`)
	prefixShape = regexp.MustCompile(`^(/[A-Za-z0-9._~-]{1,64}){0,8}$`)
)

// outside derives the address from what the gateway says of the request; only the gateway can reach this service. What it
// does not say, or says in a strange way, is taken from the configuration.
func (s *surface) outside(r *http.Request) string {
	proto, host, prefix := r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Forwarded-Prefix")
	if proto != "http" && proto != "https" || !hostShape.MatchString(host) || !prefixShape.MatchString(prefix) {
		return s.PublicURL
	}
	return proto + "://" + host + prefix
}

// pageLinks gives the links of a page. First, previous, next and last are there only where they lead somewhere else
// (paginering.feature).
func pageLinks(base string, q findRequest, total int) api.Paginering {
	links := api.Paginering{Self: api.Link{Href: base + q.asked}}
	last := (total + q.size - 1) / q.size
	to := func(n int) *api.Link {
		v := url.Values{}
		for name, values := range q.given {
			v[name] = values
		}
		v.Set("page", strconv.Itoa(n))
		return &api.Link{Href: base + q.path + "?" + v.Encode()}
	}
	if q.page > 1 {
		links.First, links.Previous = to(1), to(q.page-1)
	}
	if q.page < last {
		links.Next, links.Last = to(q.page+1), to(last)
	}
	return links
}
