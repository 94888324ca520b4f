package directory

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

// Contract is an FSC contract with the signatures that are there. Its state is derived from them and the clock.
type Contract struct {
	Hash string `json:"hash"`           // content hash, $1$1$…
	Name string `json:"name,omitempty"` // what people here call it, e.g. "assen-bag"; a label, not unique
	// Proposer is the person or client that brought it in; empty: a region file. Who proposes does not sign.
	Proposer string          `json:"proposer,omitempty"`
	Since    time.Time       `json:"since,omitzero"` // when it came in or was last signed: since when it waits
	Contract json.RawMessage `json:"contract"`       // FSC JSON, content and signatures

	Predecessor string    `json:"predecessor,omitempty"` // hash of the contract whose place it takes; assignments follow
	Reason      string    `json:"reason,omitempty"`      // why it was rejected or revoked, in the words of who did
	Reminded    time.Time `json:"reminded,omitzero"`     // when those it waits for were last reminded

	parsed   *contract.Contract
	verified *contract.Verified // nil before verify
	grants   []*grant           // of service connections
}

// grant is one service connection of a contract.
type grant struct {
	contract.Grant
	contract *Contract
	place    int // in the contract
}

// Consumer is the OIN of who calls.
func (g *grant) Consumer() string { return g.Outway.PeerID }

// Again gives what is stored of a contract, to be put once more with a change.
func (c *Contract) Again() *Contract {
	return &Contract{
		Hash: c.Hash, Name: c.Name, Proposer: c.Proposer, Since: c.Since, Contract: c.Contract,
		Predecessor: c.Predecessor, Reason: c.Reason, Reminded: c.Reminded,
	}
}

// Key has the content hash.
func (c *Contract) Key() Key { return Key{KindContract, c.Hash} }

func (c *Contract) prepare(f faults) {
	parsed, err := contract.Parse(c.Contract)
	if err != nil {
		f.join(err)
		return
	}
	if parsed.Content.Hash() != c.Hash {
		f.add("is of another content than its hash says")
	}
	c.parsed, c.verified, c.grants = parsed, nil, nil
	for i, g := range parsed.Content.Grants {
		if g.Type == contract.ServiceConnection || g.Type == contract.DelegatedServiceConnection {
			c.grants = append(c.grants, &grant{Grant: g, contract: c, place: i})
		}
	}
}

// verify checks the signatures. It is done once for a contract, and again when certificates are taken away.
func (c *Contract) verify(ctx context.Context, s *State, now time.Time, f faults) {
	if c.parsed == nil {
		return // told by prepare
	}
	if till, ok := s.attested(c); ok {
		c.verified = &contract.Verified{Contract: c.parsed, CertsTill: till}
		return
	}
	v := contract.Verifier{GroupID: s.Hub().GroupID, Certificates: s, Anchors: s.Hub().pool, Now: func() time.Time { return now }}
	verified, err := v.Verify(ctx, c.parsed)
	if err != nil {
		f.join(err)
		return
	}
	c.verified = verified
}

// Verified gives the contract with its checked signatures.
func (c *Contract) Verified() *contract.Verified { return c.verified }

// State gives the state at a moment.
func (c *Contract) State(at time.Time) contract.State { return c.verified.State(at) }

// Names tells whether an organisation is a party; nobody else sees the contract.
func (c *Contract) Names(oin string) bool { return c.verified != nil && c.parsed.Content.Names(oin) }

// Parties are the OINs of all organisations in the contract.
func (c *Contract) Parties() []string {
	if c.verified == nil {
		return nil
	}
	return c.parsed.Content.Signers()
}

// over tells that the contract gives nothing any more and is held against nobody.
func (c *Contract) over(at time.Time) bool {
	if c.verified == nil {
		return true
	}
	state := c.State(at)
	return state == contract.Rejected || state == contract.Revoked || state == contract.Expired
}

// gives tells that every organisation signed and none took it back; its window may not have begun.
func (c *Contract) gives(at time.Time) bool {
	return c.verified != nil && c.State(at) == contract.Valid
}

func (c *Contract) check(s *State, f faults) {
	if c.verified == nil || c.over(s.at) {
		return
	}
	if c.Predecessor != "" && s.Contract(c.Predecessor) == nil {
		f.add("there is no contract %s to succeed", c.Predecessor)
	}
	for _, peer := range c.parsed.Content.Signers() {
		if s.Organisation(peer) == nil {
			f.add("organisation %s is not in this region", peer)
		}
	}
	if other := s.index.ivs[c.parsed.Content.IV]; other != c {
		f.add("has the same iv as contract %s", other.Hash)
	}
	for i, g := range c.parsed.Content.Grants {
		if g.Type == contract.ServicePublication || g.Type == contract.DelegatedServicePublication {
			if g.Directory != s.Hub().Organisation {
				f.at("grants[%d]", i).add("directory %s is not the hub's organisation", g.Directory)
			}
		}
	}
	for _, g := range c.grants {
		g.check(s, f.at("grants[%d]", g.place))
	}
}

func (g *grant) check(s *State, f faults) {
	service := s.serviceOf(g.Grant)
	if service == nil {
		f.add("there is no service %s of %s", g.Service.Name, g.Service.PeerID)
		return
	}
	_, err := g.Terms.CompleteFor(service.Personal)
	f.join(err)
	if g.Outway.PublicKeyThumbprint != "" {
		f.add("outways identified by key thumbprint are not supported yet")
	} else if name := g.Outway.DomainName; name != s.Hub().Gateway {
		f.add("outway %s is not the gateway %s of this hub", name, s.Hub().Gateway)
	}
	if on := g.Service.Delegator; on != "" && !s.publishedFor(service, on) {
		f.add("service %s is not published on behalf of organisation %s", service.Slug, on)
	}
	f.join(service.Offers(g.Terms))
}

// publishedFor tells whether a delegated publication grant in force says that the owner publishes on behalf of another.
func (s *State) publishedFor(service *Service, delegator string) bool {
	return slices.ContainsFunc(s.index.publications, func(p publication) bool {
		return p.Delegator == delegator && p.Service.PeerID == service.Owner && p.Service.Name == service.compiled.FSCName && p.contract.gives(s.at)
	})
}

// publication is one delegated publication grant.
type publication struct {
	contract.Grant
	contract *Contract
}

// compile gives the grant as the data plane has it.
func (g *grant) compile(s *State) api.Grant {
	service := s.serviceOf(g.Grant)
	terms, _ := g.Terms.CompleteFor(service.Personal) // checked
	return api.Grant{
		Hash: g.Hash, ContractHash: g.contract.Hash, Service: service.Slug,
		Consumer: g.Outway.PeerID, Provider: g.Service.PeerID, Delegator: g.Delegator,
		Outway:    api.Outway{DomainName: g.Outway.DomainName, PublicKeyThumbprint: g.Outway.PublicKeyThumbprint},
		NotBefore: g.contract.parsed.Content.NotBefore, NotAfter: g.contract.verified.Till().UTC(),
		Terms: wireTerms(terms), Narrowing: s.narrowed(g.Hash),
	}
}

func wireTerms(t contract.Terms) api.Terms {
	return api.Terms{
		Purpose: t.Purpose, LegalBasis: t.LegalBasis, ProcessingActivity: t.ProcessingActivity,
		Scopes: slices.Sorted(slices.Values(t.Scopes)), Binding: t.Binding, Rate: t.Rate, Quota: t.Quota,
		CacheSeconds: t.CacheSeconds, Logging: t.Logging, Tariff: t.Tariff,
	}
}
