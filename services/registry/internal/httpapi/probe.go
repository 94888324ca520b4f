package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/registry/api"
)

// probeTime is how long gateways have to answer; it exceeds what one takes for ten addresses that are silent.
const probeTime = 25 * time.Second

var codeProbing = &errs.Code{
	ID: "probe-running", Kind: errs.TooMany, Side: errs.SideClient, Title: "Your organisation tests a service already",
	Next: "Wait for its result: one test at a time, so that the hub cannot be used to knock on doors.",
}

// probes are those that run now. They live in memory: whoever asked waits for the answer.
type probes struct {
	mu   sync.Mutex
	open map[string]*probe
	news chan struct{} // closed when a probe is added
}

type probe struct {
	api.Probe
	organisation string
	results      map[string]api.ProbeResult // by gateway
	changed      chan struct{}              // has room for one
}

func newProbes() *probes { return &probes{open: map[string]*probe{}, news: make(chan struct{})} }

func (p *probes) add(s api.Service, organisation string) (*probe, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.open {
		if other.organisation == organisation {
			return nil, codeProbing.New("service %s is being tested", other.Service.Slug).WithRetryAfter(5 * time.Second)
		}
	}
	n := &probe{
		Probe: api.Probe{ID: uuid.NewString(), Service: s}, organisation: organisation, results: map[string]api.ProbeResult{}, changed: make(chan struct{}, 1),
	}
	p.open[n.ID] = n
	close(p.news)
	p.news = make(chan struct{})
	return n, nil
}

func (p *probes) remove(n *probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, n.ID)
}

// unanswered gives the probes that a gateway has not answered, and what is closed when there is another one.
func (p *probes) unanswered(gateway string) ([]api.Probe, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []api.Probe{}
	for _, n := range p.open {
		if _, done := n.results[gateway]; !done {
			out = append(out, n.Probe)
		}
	}
	return out, p.news
}

func (p *probes) answer(id, gateway string, r api.ProbeResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.open[id]; n != nil { // otherwise nobody waits any more
		n.results[gateway] = r
		select {
		case n.changed <- struct{}{}:
		default:
		}
	}
}

// found gives the results so far, one for each gateway, and whether all have answered.
func (p *probes) found(n *probe, gateways []string) (api.ProbeView, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, all := api.ProbeView{Service: n.Service.Slug, Gateways: []api.GatewayProbe{}}, true
	for _, g := range gateways {
		r, done := n.results[g]
		all = all && done
		v.Gateways = append(v.Gateways, api.GatewayProbe{Gateway: g, Answered: done, Steps: append([]api.ProbeStep{}, r.Steps...)})
	}
	return v, all
}

// probeQuery is a gateway that asks for work.
type probeQuery struct {
	gateway string
	wait    time.Duration
}

// Decode reads the query.
func (p *probeQuery) Decode(r *http.Request) error {
	q := kit.NewQuery(r)
	p.gateway = q.String("gateway", kit.Match(instanceShape, "name of an instance"))
	p.wait = time.Duration(q.Int("wacht", kit.Range(0, MaxWait))) * time.Second
	return q.Err()
}

// openProbes gives a gateway what it has to try, as soon as there is something.
func (h *handlers) openProbes(ctx context.Context, q probeQuery) (api.ProbeList, error) {
	if err := allow(ctx, "gateway"); err != nil {
		return api.ProbeList{}, err
	}
	timeout := time.NewTimer(q.wait)
	defer timeout.Stop()
	for {
		list, news := h.probes.unanswered(q.gateway)
		if len(list) > 0 {
			return api.ProbeList{Probes: list}, nil
		}
		select {
		case <-news:
		case <-timeout.C:
			return api.ProbeList{Probes: list}, nil
		case <-h.Stopping:
			return api.ProbeList{Probes: list}, nil
		case <-ctx.Done():
			return api.ProbeList{}, ctx.Err()
		}
	}
}

func (h *handlers) probed(ctx context.Context, c command[api.ProbeResult]) (answered, error) {
	if err := allow(ctx, "gateway"); err != nil {
		return answered{}, err
	}
	h.probes.answer(c.path("id"), c.path("instance"), c.body)
	return answered{status: http.StatusNoContent}, nil
}

// testService lets every gateway try the upstream of a service of the caller's organisation, now.
func (h *handlers) testService(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	s, err := h.Office.TestedService(ctx, a, c.path("slug"))
	if err != nil {
		return answered{}, err
	}
	n, err := h.probes.add(s, a.Organisation)
	if err != nil {
		return answered{}, err
	}
	defer h.probes.remove(n)
	gateways := instancesOf(h.Publisher.State().Snapshot.Keys, "gateway")
	timeout := time.NewTimer(probeTime)
	defer timeout.Stop()
	for {
		v, all := h.probes.found(n, gateways)
		if all {
			return answered{status: http.StatusOK, view: v}, nil
		}
		select {
		case <-n.changed:
		case <-timeout.C:
			return answered{status: http.StatusOK, view: v}, nil
		case <-h.Stopping:
			return answered{status: http.StatusOK, view: v}, nil
		case <-ctx.Done():
			return answered{}, ctx.Err()
		}
	}
}

// instancesOf gives the instances of a part that announced a key.
func instancesOf(keys []api.PartKeys, part string) []string {
	var out []string
	for _, k := range keys {
		if k.Part == part && !slices.Contains(out, k.Instance) {
			out = append(out, k.Instance)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
