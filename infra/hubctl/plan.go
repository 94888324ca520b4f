package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

// step is one difference between a declaration and what the hub has.
type step struct {
	Mark string `json:"mark"` // + new, ~ other, - no longer declared
	What string `json:"what"` // e.g. "client emmen-vergunningen"
	Note string `json:"note,omitempty"`
	do   func(context.Context) error
}

func (c *cli) exportCommand() *cobra.Command {
	return c.alone(c.act("export DIR", "write what the organisation has into a folder, for plan and apply (uitvoeren)", []string{"voer-uit"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error { return o.export(ctx, args[0]) }))
}

func (c *cli) planCommand() *cobra.Command {
	var prune bool
	cmd := c.alone(c.act("plan FILE", "what apply would change; changes nothing (plannen)", nil, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			steps, err := o.plan(ctx, args[0], prune)
			if err != nil {
				return err
			}
			return o.showPlan(steps)
		}))
	cmd.Flags().BoolVar(&prune, "prune", false, "clients and drafts that are not declared go (opruimen)")
	return cmd
}

func (c *cli) applyCommand() *cobra.Command {
	var prune bool
	cmd := c.alone(c.act("apply FILE", "make it so: proposes contracts and publications, and never signs or approves (toepassen)", []string{"pas-toe"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			steps, err := o.plan(ctx, args[0], prune)
			if err != nil {
				return err
			}
			var faults []error
			for _, s := range steps {
				if err := s.do(ctx); err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", s.What, explain(err)))
				}
			}
			return errors.Join(append(faults, o.showPlan(steps))...)
		}))
	cmd.Flags().BoolVar(&prune, "prune", false, "clients and drafts that are not declared go (opruimen)")
	return cmd
}

// alone gives a verb that stands in no group the flags that say who acts.
func (c *cli) alone(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&c.by, "by", "", "person who acts (wie handelt)")
	cmd.Flags().StringVar(&c.program, "as", "", "organisation whose program acts (namens welke organisatie)")
	return cmd
}

func (o *office) showPlan(steps []step) error {
	if o.json {
		return o.print(struct {
			Steps []step `json:"steps"`
		}{append([]step{}, steps...)})
	}
	if len(steps) == 0 {
		fmt.Fprintln(o.stdout, "nothing to do: the hub has what the file says")
	}
	for _, s := range steps {
		fmt.Fprintf(o.stdout, "%s %s", s.Mark, s.What)
		if s.Note != "" {
			fmt.Fprintf(o.stdout, " (%s)", s.Note)
		}
		fmt.Fprintln(o.stdout)
	}
	return nil
}

// plan compares in the order in which things need each other.
func (o *office) plan(ctx context.Context, file string, prune bool) ([]step, error) {
	d, err := readDeclaration(file)
	if err != nil {
		return nil, err
	}
	p, err := o.present(ctx)
	if err != nil {
		return nil, err
	}
	if own := p.slugs[o.client.OIN]; d.Organisation != own {
		return nil, fmt.Errorf("the file is about organisation %q, and you act for %s", d.Organisation, own)
	}
	var steps []step
	for _, part := range []func(*declaration, *present, bool) ([]step, error){o.planActivities, o.planServices, o.planContracts, o.planClients} {
		more, err := part(d, p, prune)
		if err != nil {
			return nil, err
		}
		steps = append(steps, more...)
	}
	return steps, nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (o *office) planActivities(d *declaration, p *present, _ bool) ([]step, error) {
	have := map[string]registry.ActivityBody{}
	for _, a := range p.activities {
		have[a.ID] = a.ActivityBody
	}
	var steps []step
	for _, id := range sorted(d.Activities) {
		want := registry.ActivityBody(d.Activities[id])
		was, there := have[id]
		if there && was == want {
			continue
		}
		steps = append(steps, step{Mark: mark(there), What: "activity " + id, do: func(ctx context.Context) error {
			_, err := o.api.Do(ctx, http.MethodPut, "/verwerkingen/"+url.PathEscape(id), "", want, nil)
			return err
		}})
	}
	return steps, nil
}

func mark(there bool) string {
	if there {
		return "~"
	}
	return "+"
}

func (o *office) planServices(d *declaration, p *present, prune bool) ([]step, error) {
	have := map[string]registry.ServiceBody{}
	for _, s := range p.services {
		have[s.Slug] = *s.Body
	}
	var steps []step
	for _, slug := range sorted(d.Services) {
		f := d.Services[slug]
		want, err := f.body(d.dir)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", slug, err)
		}
		was, there := have[slug]
		if there && same(was, want) {
			continue
		}
		s := step{Mark: mark(there), What: "service " + slug}
		if want.Published || was.Published {
			s.Note, want.Reason = "waits for a second person", "as declared by "+d.Organisation
		}
		s.do = func(ctx context.Context) error { return o.put(ctx, "/diensten/"+slug, want) }
		steps = append(steps, s)
	}
	for _, slug := range sorted(have) {
		if _, declared := d.Services[slug]; declared || !prune || have[slug].Published {
			continue
		}
		steps = append(steps, step{Mark: "-", What: "service " + slug, do: func(ctx context.Context) error { return o.drop(ctx, "/diensten/"+slug) }})
	}
	return steps, nil
}

// same compares as the API would send it: what is left out is the same as what is empty.
func same(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}

func (o *office) planContracts(d *declaration, p *present, _ bool) ([]step, error) {
	have := map[string]contractFile{}
	for _, a := range p.agreements {
		if c, ok := contractOf(a, p); ok {
			have[a.Name] = c
		}
	}
	var steps []step
	for _, name := range sorted(d.Contracts) {
		want := d.Contracts[name]
		for i := range want.Grants {
			g := &want.Grants[i]
			for _, a := range p.activities {
				if a.ID == g.Activity {
					g.Activity = a.URI
				}
			}
			slices.Sort(g.Scopes)
		}
		was, there := have[name]
		if there && agrees(was, want) {
			continue
		}
		s := step{Mark: mark(there), What: "contract " + name, Note: "is proposed, to be signed by people"}
		if there {
			s.Note = "a successor is proposed; revoke the old one when it is signed"
		}
		s.do = func(ctx context.Context) error { return o.proposeDeclared(ctx, name, want) }
		steps = append(steps, s)
	}
	return steps, nil
}

func agrees(a, b contractFile) bool {
	if !a.From.Equal(b.From) || !a.Until.Equal(b.Until) {
		return false
	}
	return reflect.DeepEqual(a.Grants, b.Grants) || same(a.Grants, b.Grants)
}

func (o *office) proposeDeclared(ctx context.Context, name string, c contractFile) error {
	draft := registry.ContractDraft{Name: name, From: c.From, Till: c.Until}
	for _, g := range c.Grants {
		out := registry.GrantDraft{
			Service: g.Service, Purpose: g.Purpose, LegalBasis: g.LegalBasis, Scopes: g.Scopes, Fields: g.Fields,
			Binding: g.Binding, Rate: g.Rate, Quota: g.Quota, CacheSeconds: g.CacheSeconds, Logging: g.Logging, Tariff: g.Tariff,
		}
		var err error
		for _, of := range []struct {
			name string
			to   *string
		}{{g.Consumer, &out.Consumer}, {g.Provider, &out.Provider}, {g.OnBehalfOf, &out.Delegator}} {
			if of.name == "" {
				continue
			}
			if *of.to, err = o.oin(ctx, of.name); err != nil {
				return err
			}
		}
		if out.ProcessingActivity, err = o.activity(ctx, g.Activity); err != nil {
			return err
		}
		draft.Grants = append(draft.Grants, out)
	}
	_, err := o.api.Do(ctx, http.MethodPost, "/afspraken", "", draft, nil)
	return err
}

func (o *office) planClients(d *declaration, p *present, prune bool) ([]step, error) {
	have := map[string]registry.ClientView{}
	for _, c := range p.clients {
		have[c.ID] = c
	}
	var steps []step
	for _, id := range sorted(d.Clients) {
		f := d.Clients[id]
		body, err := f.body(d.dir)
		if err != nil {
			return nil, fmt.Errorf("client %s: %w", id, err)
		}
		was, there := have[id]
		note, other := f.differs(body, was, p)
		if there && !other {
			continue
		}
		steps = append(steps, step{Mark: mark(there), What: "client " + id, Note: note, do: func(ctx context.Context) error {
			return o.putClient(ctx, id, f, body, was)
		}})
	}
	for _, id := range sorted(have) {
		if _, declared := d.Clients[id]; !declared && prune {
			steps = append(steps, step{Mark: "-", What: "client " + id, do: func(ctx context.Context) error { return o.drop(ctx, "/clients/"+id) }})
		}
	}
	return steps, nil
}

// put is replace without telling.
func (o *office) put(ctx context.Context, path string, in any) error {
	match, err := o.current(ctx, path)
	if err != nil {
		return err
	}
	_, err = o.api.Do(ctx, http.MethodPut, path, match, in, nil)
	return err
}

func (o *office) drop(ctx context.Context, path string) error {
	match, err := o.current(ctx, path)
	if err != nil {
		return err
	}
	_, err = o.api.Do(ctx, http.MethodDelete, path, match, nil, nil)
	return err
}
