package httpapi

import (
	"context"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/comparison"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// compareQuery names what a contract is compared with.
type compareQuery struct {
	path func(string) string
	with string
}

// Decode reads path and query.
func (c *compareQuery) Decode(r *http.Request) error {
	c.path = r.PathValue
	q := kit.NewQuery(r)
	c.with = q.String("met")
	return q.Err()
}

// compare says what a contract changes about its predecessor, or about another contract of the caller's organisation.
func (h *handlers) compare(ctx context.Context, q compareQuery) (api.ComparisonView, error) {
	caller, state, err := h.caller(ctx, "afspraken/{hash}/vergelijking")
	if err != nil {
		return api.ComparisonView{}, err
	}
	find := func(hash string) (*directory.Contract, error) {
		c := state.Directory.Contract(hash)
		if c == nil || !sees(state.Directory, caller, c) {
			return nil, administration.CodeUnknown.New("your organisation has no such contract")
		}
		return c, nil
	}
	c, err := find(q.path("hash"))
	if err != nil {
		return api.ComparisonView{}, err
	}
	was := state.Directory.PredecessorOf(c, h.Now())
	if provider, id, ok := strings.Cut(q.with, "/"); ok {
		t, ok := state.Directory.Get(directory.TemplateKey(provider, id)).(*directory.Template)
		if !ok || t.Provider != caller.PeerID && !state.Directory.Offered(t) {
			return api.ComparisonView{}, administration.CodeUnknown.New("there is no such template")
		}
		return withTemplate(c, t), nil
	}
	if q.with != "" {
		if was, err = find(q.with); err != nil {
			return api.ComparisonView{}, err
		}
	} else if was == nil {
		for _, g := range c.Verified().Content.Grants {
			if t := state.Directory.TemplateOf(g.Service.PeerID, g.Service.Name); t != nil && state.Directory.Offered(t) {
				return withTemplate(c, t), nil
			}
		}
	}
	if was == nil || !sees(state.Directory, caller, was) {
		return api.ComparisonView{Changes: []api.DifferenceView{}}, nil
	}
	return api.ComparisonView{With: was.Hash, Changes: differences(comparison.Contents(was.Verified().Content, c.Verified().Content))}, nil
}

// withTemplate says what the grants of a contract differ in from the terms that the provider stated.
func withTemplate(c *directory.Contract, t *directory.Template) api.ComparisonView {
	var all []comparison.Change
	for _, g := range c.Verified().Content.Grants {
		if g.Service.PeerID != t.Provider || g.Service.Name != t.Service {
			continue
		}
		for _, x := range comparison.Terms(t.Terms, g.Terms) {
			x.Service = g.Service.Name
			all = append(all, x)
		}
	}
	return api.ComparisonView{With: t.Provider + "/" + t.ID, Changes: differences(all)}
}

func differences(changes []comparison.Change) []api.DifferenceView {
	out := make([]api.DifferenceView, len(changes))
	for i, c := range changes {
		out[i] = api.DifferenceView{Service: c.Service, Term: c.Term, Effect: string(c.Effect), NL: c.NL, EN: c.EN}
	}
	return out
}
