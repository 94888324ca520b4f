package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/api"
)

// forgotten is when a gateway that says nothing any more is no longer shown: it says what it is known by every minute.
const forgotten = 24 * time.Hour

// maxGateways bounds what is held for gateways that come and go.
const maxGateways = 1000

// gateways holds what the gateways said of themselves. It lives in memory: each says it again within a minute.
type gateways struct {
	mu   sync.Mutex
	seen map[string]api.GatewayView
}

func (g *gateways) tell(v api.GatewayView) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, old := range g.seen {
		if v.Seen.Sub(old.Seen) > forgotten {
			delete(g.seen, name)
		}
	}
	if _, known := g.seen[v.Gateway]; !known && len(g.seen) >= maxGateways {
		return errs.CodeUnavailable.New("more than %d gateways said something today", maxGateways)
	}
	g.seen[v.Gateway] = v
	return nil
}

func (g *gateways) list(now time.Time) []api.GatewayView {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := []api.GatewayView{}
	for _, v := range g.seen {
		if now.Sub(v.Seen) <= forgotten {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b api.GatewayView) int { return strings.Compare(a.Gateway, b.Gateway) })
	return out
}

func (h *handlers) tellFacts(ctx context.Context, c command[api.GatewayFacts]) (answered, error) {
	if err := allow(ctx, "gateway"); err != nil {
		return answered{}, err
	}
	instance := c.path("instance")
	if !instanceShape.MatchString(instance) {
		return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "instance", Code: "pattern", Reason: "is not the name of an instance"})
	}
	for _, text := range c.body.Addresses {
		if _, err := netip.ParseAddr(text); err != nil {
			return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/adressen", Code: "format", Reason: "has something that is not an IP address"})
		}
	}
	if err := h.gateways.tell(api.GatewayView{Gateway: instance, GatewayFacts: c.body, Seen: h.Office.Now().UTC()}); err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusNoContent}, nil
}

// listGateways is open to every organisation: who lets the hub's calls in must know where they come from.
func (h *handlers) listGateways(ctx context.Context, _ struct{}) (api.GatewayList, error) {
	if _, _, err := h.caller(ctx, "gateways"); err != nil {
		return api.GatewayList{}, err
	}
	return api.GatewayList{Gateways: h.gateways.list(h.Office.Now())}, nil
}
