package directory

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

// State is everything that is administered at a moment. It is immutable and without faults.
type State struct {
	at       time.Time // the moment it was checked for
	entities map[Kind]map[string]Entity
	index    index
	faults   Faults               // of what was stored under older rules; they are held against no change
	known    map[string]time.Time // Known
}

// Known tells of contracts that were verified before, by content hash, until when a snapshot that the registry signed has
// their grants. A state that is read again with it does not check their signatures once more.
func (s *State) Known(of *api.Snapshot) *State {
	known := *s
	known.known = make(map[string]time.Time, len(of.Grants))
	for _, g := range of.Grants {
		known.known[g.ContractHash] = g.NotAfter
	}
	return &known
}

// attested tells whether the signed snapshot says that a contract was agreed by all and taken back by none, and until
// when. What says no to a contract is always checked.
func (s *State) attested(c *Contract) (till time.Time, ok bool) {
	till, ok = s.known[c.Hash]
	if !ok || len(c.parsed.Reject) > 0 || len(c.parsed.Revoke) > 0 || c.parsed.Content.GroupID != s.Hub().GroupID {
		return till, false
	}
	for _, peer := range c.parsed.Content.Signers() {
		if !c.parsed.Signed(contract.Accept, peer) {
			return till, false
		}
	}
	return till, true
}

// index finds entities by what they say. It is made anew for every state.
type index struct {
	slugs        map[string]*Organisation
	parts        map[string][]*Organisation // by the OIN they are part of
	keys         map[string]*Client         // by thumbprint of a key
	names        map[string][]*Service
	paths        map[string]*Service // by base path
	ivs          map[string]*Contract
	grants       map[string]*grant      // by hash
	successors   map[string][]*Contract // by the hash of their predecessor
	publications []publication
	narrowings   map[string][]*Narrowing // by grant hash
}

// Empty is a state without anything in it, not even the hub. It is where the first change starts from.
func Empty() *State { return &State{entities: map[Kind]map[string]Entity{}} }

// Get gives an entity, nil when there is none.
func (s *State) Get(k Key) Entity { return s.entities[k.Kind][k.ID] }

// Hub gives what holds for the whole region. A state that lacks it gives a hub that refuses everything.
func (s *State) Hub() *Hub {
	if h, ok := s.Get(Key{KindHub, HubID}).(*Hub); ok {
		return h
	}
	return &Hub{}
}

// Organisation gives one by its OIN, nil when there is none.
func (s *State) Organisation(oin string) *Organisation {
	o, _ := s.Get(Key{KindOrganisation, oin}).(*Organisation)
	return o
}

// OrganisationBySlug gives one by its short name, nil when there is none.
func (s *State) OrganisationBySlug(slug string) *Organisation { return s.index.slugs[slug] }

// Person gives one by id, nil when there is none.
func (s *State) Person(id string) *Person {
	p, _ := s.Get(Key{KindPerson, id}).(*Person)
	return p
}

// Client gives one by id, nil when there is none.
func (s *State) Client(id string) *Client {
	c, _ := s.Get(Key{KindClient, id}).(*Client)
	return c
}

// Service gives one by slug, nil when there is none.
func (s *State) Service(slug string) *Service {
	v, _ := s.Get(Key{KindService, slug}).(*Service)
	return v
}

// Contract gives one by content hash, nil when there is none.
func (s *State) Contract(hash string) *Contract {
	c, _ := s.Get(Key{KindContract, hash}).(*Contract)
	return c
}

// ContractOf gives the contract that a grant belongs to, nil when there is none.
func (s *State) ContractOf(grant string) *Contract {
	if g := s.index.grants[grant]; g != nil {
		return g.contract
	}
	return nil
}

// All gives the entities of one type in the order of their ids.
func All[T Entity](s *State) []T {
	var zero T
	table := s.entities[kindOf(zero)]
	out := make([]T, 0, len(table))
	for _, id := range slices.Sorted(maps.Keys(table)) {
		out = append(out, table[id].(T))
	}
	return out
}

func kindOf(e Entity) Kind {
	switch e.(type) {
	case *Hub:
		return KindHub
	case *Organisation:
		return KindOrganisation
	case *Person:
		return KindPerson
	case *Service:
		return KindService
	case *Contract:
		return KindContract
	case *Narrowing:
		return KindNarrowing
	case *Client:
		return KindClient
	case *Activity:
		return KindActivity
	case *Proposal:
		return KindProposal
	case *Application:
		return KindApplication
	case *Template:
		return KindTemplate
	case *Offer:
		return KindOffer
	}
	return ""
}

// serviceOf finds what a grant is about.
func (s *State) serviceOf(g contract.Grant) *Service {
	for _, service := range s.index.names[g.Service.Name] {
		if service.Owner == g.Service.PeerID || service.PerOrganisation {
			return service
		}
	}
	return nil
}

// With makes the state in which these entities stand under their keys and the removed ones are gone. The error is Faults:
// everything that is wrong with what was put, and with anything else because of it.
func (s *State) With(ctx context.Context, at time.Time, put []Entity, removed ...Key) (*State, error) {
	next, faults, err := s.Try(ctx, at, put, removed...)
	if err != nil {
		return nil, err
	}
	faults = slices.DeleteFunc(faults, func(f Fault) bool { return slices.Contains(s.faults, f) })
	if len(faults) > 0 {
		return nil, faults
	}
	return next, nil
}

// Try is With for who has more to check: it gives the state with its faults, to look into and not to put in force.
func (s *State) Try(ctx context.Context, at time.Time, put []Entity, removed ...Key) (*State, Faults, error) {
	next := &State{at: at, entities: maps.Clone(s.entities), known: s.known}
	defer func() { next.known = nil }() // it attests to what was stored, not to what comes in later
	touched := map[Kind]bool{}
	table := func(k Kind) map[string]Entity {
		if !touched[k] {
			touched[k] = true
			if next.entities[k] = maps.Clone(s.entities[k]); next.entities[k] == nil {
				next.entities[k] = map[string]Entity{}
			}
		}
		return next.entities[k]
	}
	list := Faults{}
	f := faults{list: &list}
	fresh := map[*Contract]bool{}
	for _, told := range prepareAll(put) {
		list = append(list, told...)
	}
	for _, e := range put {
		if c, ok := e.(*Contract); ok {
			fresh[c] = true
		}
		if lostTrust(s.Get(e.Key()), e) {
			for _, c := range All[*Contract](next) {
				copied := *c
				copied.prepare(faults{list: new(Faults)})
				table(KindContract)[c.Hash], fresh[&copied] = &copied, true
			}
		}
		table(e.Key().Kind)[e.Key().ID] = e
	}
	for _, k := range removed {
		delete(table(k.Kind), k.ID)
	}
	if err := next.verify(ctx, fresh, f); err != nil {
		return nil, nil, err
	}
	next.makeIndex()
	for _, k := range kinds {
		for _, id := range slices.Sorted(maps.Keys(next.entities[k.kind])) {
			next.entities[k.kind][id].check(next, f.of(Key{k.kind, id}))
		}
	}
	next.faults = slices.Clone(list)
	return next, list, nil
}

// prepareAll prepares entities on all cores and gives the faults of each.
func prepareAll(put []Entity) []Faults {
	found := make([]Faults, len(put))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, e := range put {
		group.Go(func() error {
			e.prepare(faults{list: &found[i], key: e.Key()})
			return nil
		})
	}
	_ = group.Wait() // none of them gives an error
	return found
}

// lostTrust tells that signatures which rested on the old entity may not rest on the new one.
func lostTrust(old, fresh Entity) bool {
	lost := func(had, has []string) bool {
		return slices.ContainsFunc(had, func(text string) bool { return !slices.Contains(has, text) })
	}
	switch was := old.(type) {
	case *Hub:
		is := fresh.(*Hub)
		return was.GroupID != is.GroupID || lost(was.Anchors, is.Anchors)
	case *Organisation:
		now := fresh.(*Organisation)
		return lost(was.Certificates, now.Certificates) || lost(was.Kept, now.Kept)
	}
	return false
}

// verify checks signatures on all cores: they are what a change costs.
func (s *State) verify(ctx context.Context, fresh map[*Contract]bool, f faults) error {
	contracts := slices.SortedFunc(maps.Keys(fresh), func(a, b *Contract) int { return cmp.Compare(a.Hash, b.Hash) })
	contracts = slices.DeleteFunc(contracts, func(c *Contract) bool { return s.Contract(c.Hash) != c })
	found := make([]Faults, len(contracts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range contracts {
		group.Go(func() error {
			c.verify(ctx, s, s.at, faults{list: &found[i], key: c.Key()})
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, faults := range found {
		*f.list = append(*f.list, faults...)
	}
	return nil
}

func (s *State) makeIndex() {
	s.index = index{
		slugs: map[string]*Organisation{}, parts: map[string][]*Organisation{}, keys: map[string]*Client{}, names: map[string][]*Service{}, paths: map[string]*Service{},
		ivs: map[string]*Contract{}, grants: map[string]*grant{}, successors: map[string][]*Contract{}, narrowings: map[string][]*Narrowing{},
	}
	for _, o := range All[*Organisation](s) {
		first(s.index.slugs, o.Slug, o)
		if o.Part != "" {
			s.index.parts[o.Part] = append(s.index.parts[o.Part], o)
		}
	}
	for _, v := range All[*Service](s) {
		s.index.names[v.compiled.FSCName] = append(s.index.names[v.compiled.FSCName], v)
		for _, base := range v.compiled.BasePaths {
			first(s.index.paths, base, v)
		}
	}
	for _, c := range All[*Contract](s) {
		if c.verified == nil {
			continue
		}
		first(s.index.ivs, c.parsed.Content.IV, c)
		if c.Predecessor != "" {
			s.index.successors[c.Predecessor] = append(s.index.successors[c.Predecessor], c)
		}
		for _, g := range c.grants {
			first(s.index.grants, g.Hash, g)
		}
		for _, g := range c.parsed.Content.Grants {
			if g.Type == contract.DelegatedServicePublication {
				s.index.publications = append(s.index.publications, publication{g, c})
			}
		}
	}
	for _, n := range All[*Narrowing](s) {
		s.index.narrowings[n.Grant] = append(s.index.narrowings[n.Grant], n)
	}
	for _, c := range All[*Client](s) {
		for _, k := range c.keys {
			first(s.index.keys, k.thumbprint, c)
		}
	}
}

// first keeps who came first, so that the other one has the fault.
func first[V any](m map[string]V, key string, v V) {
	if _, taken := m[key]; !taken {
		m[key] = v
	}
}

// Snapshot compiles what the data plane needs at a moment: sorted, the same for the same state and moment, without
// version, time and keys of parts.
func (s *State) Snapshot(at time.Time) api.Snapshot {
	out := api.Snapshot{
		HubOIN: s.Hub().Organisation, GroupID: s.Hub().GroupID,
		Organisations: []api.Organisation{}, Clients: []api.Client{}, Services: []api.Service{}, Grants: []api.Grant{},
	}
	for _, o := range All[*Organisation](s) {
		out.Organisations = append(out.Organisations, api.Organisation{OIN: o.OIN, Slug: o.Slug, Name: o.Name})
	}
	for _, v := range All[*Service](s) {
		service := v.compiled
		if owner := s.Organisation(v.Owner); service.Upstream.Part == "" && owner != nil {
			service.Upstream.Networks = owner.Networks
		}
		out.Services = append(out.Services, service)
	}
	for _, c := range All[*Contract](s) {
		if c.verified == nil {
			continue
		}
		if c.State(at) != contract.Proposed {
			out.Contracts = append(out.Contracts, c.Hash)
		}
		if c.gives(at) {
			for _, g := range c.grants {
				out.Grants = append(out.Grants, g.compile(s))
			}
		}
	}
	slices.SortFunc(out.Grants, func(a, b api.Grant) int { return cmp.Compare(a.Hash, b.Hash) })
	for _, c := range All[*Client](s) {
		out.Clients = append(out.Clients, c.compile(s, at))
	}
	return out
}
