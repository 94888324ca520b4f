package directory

import (
	"context"
	"crypto/x509"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
)

var (
	slugShape         = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	municipalityShape = regexp.MustCompile(`^[0-9]{4}$`)
	domainShape       = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	groupShape        = regexp.MustCompile(`^[a-zA-Z0-9./_-]{1,100}$`)
)

// HubID is the id of the one Hub.
const HubID = "hub"

// Hub is what holds for the whole region.
type Hub struct {
	Organisation string   `json:"organisation"` // OIN of who runs the hub
	GroupID      string   `json:"groupId"`      // FSC group
	Gateway      string   `json:"gateway"`      // domain name that identifies the outway of hosted organisations
	Anchors      []string `json:"anchors"`      // PEM: trust anchors of contract certificates

	Documents []Document `json:"documents,omitempty"` // what every organisation accepts

	pool *x509.CertPool
}

// Roots are the trust anchors of contract certificates.
func (h *Hub) Roots() *x509.CertPool { return h.pool }

// Key is that of the one hub.
func (*Hub) Key() Key { return Key{KindHub, HubID} }

func (h *Hub) prepare(f faults) {
	if !groupShape.MatchString(h.GroupID) {
		f.add("groupId does not match %s", groupShape)
	}
	if !domainShape.MatchString(h.Gateway) {
		f.add("gateway is not a domain name")
	}
	prepareDocuments(h.Documents, f)
	h.pool = x509.NewCertPool()
	if len(h.Anchors) == 0 {
		f.add("anchors: no trust anchor for contract certificates")
	}
	for i, text := range h.Anchors {
		af := f.at("anchors[%d]", i)
		certs, err := certificatesOf(text)
		if err != nil {
			af.add("%s", err)
		}
		for _, cert := range certs {
			if !cert.IsCA {
				af.add("not a certificate of an authority")
			}
			h.pool.AddCert(cert)
		}
	}
}

func (h *Hub) check(s *State, f faults) {
	if s.Organisation(h.Organisation) == nil {
		f.add("organisation %q is not among the organisations", h.Organisation)
	}
}

// Organisation is a party of contracts: a municipality, a supplier or the hub itself.
type Organisation struct {
	OIN          string    `json:"oin"`
	Slug         string    `json:"slug"` // unique on the hub, e.g. "assen"
	Name         string    `json:"name"`
	Municipality string    `json:"municipality,omitempty"` // CBS code, four digits; empty: no municipality
	Certificates []string  `json:"certificates,omitempty"` // PEM chains, leaf first: what it signs contracts with, old ones too
	Contacts     []Contact `json:"contacts,omitempty"`
	Networks     []string  `json:"networks,omitempty"` // CIDR: private networks in which its services may be; the hub operator's word

	// Kept are the chains (PEM, leaf first) of the keys that the hub signs with for the organisation, old ones too. They come
	// from custody, and no file or person changes them.
	Kept []string `json:"kept,omitempty"`

	Accepted []Acceptance `json:"accepted,omitempty"` // documents of the hub, old versions too
	// Part is the OIN of the organisation that this one is another number of, or was merged into: its people see what is of
	// this number too. Ended is when a merger took effect; from then on it makes no new contracts.
	Part  string     `json:"part,omitempty"`
	Ended *time.Time `json:"ended,omitempty"`

	chains [][]*x509.Certificate
}

// Contact is a role of an organisation with an address. It is shown to partners wherever something is refused or waits.
type Contact struct {
	Role  string `json:"role"`
	Email string `json:"email"`
	Phone string `json:"phone,omitempty"`
	Hours string `json:"hours,omitempty"` // when it is there, in words
}

// Key has the OIN as id.
func (o *Organisation) Key() Key { return Key{KindOrganisation, o.OIN} }

func (o *Organisation) prepare(f faults) {
	if _, err := oin.Parse(o.OIN); err != nil {
		f.add("oin: %s", err)
	}
	if !slugShape.MatchString(o.Slug) {
		f.add("slug does not match %s", slugShape)
	}
	if o.Name == "" {
		f.add("name is missing")
	}
	if o.Municipality != "" && !municipalityShape.MatchString(o.Municipality) {
		f.add("municipality is not a CBS code of four digits")
	}
	for i, c := range o.Contacts {
		if _, err := mail.ParseAddress(c.Email); err != nil || c.Role == "" {
			f.at("contacts[%d]", i).add("needs a role and a mail address")
		}
	}
	for i, text := range o.Networks {
		if _, err := netip.ParsePrefix(text); err != nil {
			f.at("networks[%d]", i).add("%q is not a network such as 10.20.0.0/16", text)
		}
	}
	o.chains = nil
	for field, chains := range map[string][]string{"certificates": o.Certificates, "kept": o.Kept} {
		for i, text := range chains {
			if chain := o.signingChain(text, f.at("%s[%d]", field, i)); chain != nil {
				o.chains = append(o.chains, chain)
			}
		}
	}
}

// Keep takes over from what the organisation was what only acts of their own change: which documents it accepted, what it
// is part of, and the chains of its keys in custody.
func (o *Organisation) Keep(was *Organisation) {
	if was != nil {
		o.Accepted, o.Part, o.Ended, o.Kept = was.Accepted, was.Part, was.Ended, was.Kept
	}
}

// RestsOn tells whether what contracts, tokens and the reach of the gateways rest on is the same as in another version of the
// organisation.
func (o *Organisation) RestsOn(other *Organisation) bool {
	return o.Slug == other.Slug && o.Municipality == other.Municipality &&
		slices.Equal(o.Certificates, other.Certificates) && slices.Equal(o.Networks, other.Networks)
}

// WithKept gives the organisation with these chains of custody beside those that it has.
func (o *Organisation) WithKept(chains ...string) *Organisation {
	next := *o
	next.Kept = slices.Clone(o.Kept)
	for _, chain := range chains {
		if !slices.Contains(next.Kept, chain) {
			next.Kept = append(next.Kept, chain)
		}
	}
	return &next
}

func (o *Organisation) check(s *State, f faults) {
	if other := s.index.slugs[o.Slug]; other != o {
		f.add("slug is that of %s too", other.OIN)
	}
	switch whole := s.Organisation(o.Part); {
	case o.Part == "" && o.Ended != nil:
		f.at("part").add("an organisation that ended was merged into another one")
	case o.Part == "":
	case whole == nil || whole == o:
		f.at("part").add("is no other organisation of the hub")
	case whole.Part != "":
		f.at("part").add("organisation %s is itself part of another one", whole.OIN)
	}
}

// EndedAt tells whether the organisation was merged into another one by then.
func (o *Organisation) EndedAt(at time.Time) bool { return o.Ended != nil && !at.Before(*o.Ended) }

// Numbers gives the OINs whose affairs the people of an organisation see: its own, and those that are part of it.
func (s *State) Numbers(oin string) []string {
	out := []string{oin}
	for _, o := range s.index.parts[oin] {
		out = append(out, o.OIN)
	}
	return out
}

// chainValid tells of certificate chains whether their leaf is valid at a moment.
func chainValid(at time.Time) func([]*x509.Certificate) bool {
	return func(chain []*x509.Certificate) bool {
		return !at.Before(chain[0].NotBefore) && !at.After(chain[0].NotAfter)
	}
}

// Newest gives the certificate that signs the longest, nil when there is none.
func (o *Organisation) Newest() *x509.Certificate {
	var newest *x509.Certificate
	for _, chain := range o.chains {
		if newest == nil || chain[0].NotAfter.After(newest.NotAfter) {
			newest = chain[0]
		}
	}
	return newest
}

// signingChain reads the chain of a contract certificate. One that has expired stays welcome: old signatures name it.
func (o *Organisation) signingChain(text string, f faults) []*x509.Certificate {
	chain, err := certificatesOf(text)
	if err != nil {
		f.add("%s", err)
		return nil
	}
	leaf := chain[0]
	if leaf.Subject.SerialNumber != o.OIN {
		f.add("the subject serial number of the certificate is not the organisation's OIN")
	}
	if err := contract.CheckKey(leaf.PublicKey); err != nil {
		f.add("weak key: %s", err)
	}
	if leaf.IsCA {
		f.add("a certificate of an authority cannot sign contracts")
	}
	return chain
}

// Chain gives the certificate chain that a signature names; it makes a State a source of contract.Verifier.
func (s *State) Chain(_ context.Context, peer, thumbprint string) ([]*x509.Certificate, error) {
	if o := s.Organisation(peer); o != nil {
		for _, chain := range o.chains {
			if contract.Thumbprint(chain[0]) == thumbprint {
				return chain, nil
			}
		}
	}
	return nil, contract.ErrNoCertificate
}

// The roles of people (design §2). They govern administration, never calls.
const (
	RoleAdministrator  = "administrator"
	RoleIntegrator     = "integrator"
	RoleApprover       = "approver"
	RoleOperator       = "operator"
	RolePrivacyOfficer = "privacy-officer"
	RoleFinance        = "finance"
	RoleAuditor        = "auditor"
	RoleHubOperator    = "hub-operator"
)

// Roles are all roles.
var Roles = []string{
	RoleAdministrator, RoleIntegrator, RoleApprover, RoleOperator, RolePrivacyOfficer, RoleFinance, RoleAuditor, RoleHubOperator,
}

// Person works at an organisation. How people sign in is not the directory's matter.
type Person struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Organisation string   `json:"organisation"` // OIN
	Email        string   `json:"email,omitempty"`
	Roles        []string `json:"roles"`

	StandIn *StandIn `json:"standIn,omitempty"` // who approves while the person is away
}

// StandIn lets a colleague approve for a time.
type StandIn struct {
	Person string    `json:"person"` // id
	From   time.Time `json:"from"`
	Till   time.Time `json:"till"`
}

// maxStandIn is how long at most: who is away longer has a successor.
const maxStandIn = 100 * 24 * time.Hour

// StandsInFor gives the approvers that a person stands in for at a moment.
func (s *State) StandsInFor(person string, at time.Time) []string {
	var out []string
	for _, p := range All[*Person](s) {
		if v := p.StandIn; v != nil && v.Person == person && !at.Before(v.From) && at.Before(v.Till) && p.HasRole(RoleApprover) {
			out = append(out, p.ID)
		}
	}
	return out
}

// Key has the person's id.
func (p *Person) Key() Key { return Key{KindPerson, p.ID} }

func (p *Person) prepare(f faults) {
	if !slugShape.MatchString(p.ID) {
		f.add("id does not match %s", slugShape)
	}
	if p.Name == "" {
		f.add("name is missing")
	}
	if _, err := mail.ParseAddress(p.Email); p.Email != "" && err != nil {
		f.add("email is not a mail address")
	}
	if len(p.Roles) == 0 {
		f.add("has no role")
	}
	for _, role := range p.Roles {
		if !slices.Contains(Roles, role) {
			f.add("role %q is unknown", role)
		}
	}
}

func (p *Person) check(s *State, f faults) {
	if s.Organisation(p.Organisation) == nil {
		f.add("organisation %q is not among the organisations", p.Organisation)
	}
	if v := p.StandIn; v != nil {
		f := f.at("standIn")
		if other := s.Person(v.Person); v.Person == p.ID || other != nil && other.Organisation != p.Organisation {
			f.add("must be a colleague")
		}
		if !v.Till.After(v.From) || v.Till.Sub(v.From) > maxStandIn {
			f.add("lasts at most %d days", int(maxStandIn.Hours()/24))
		}
	}
	if p.HasRole(RoleHubOperator) && p.Organisation != s.Hub().Organisation {
		f.add("only people of the hub's organisation can be %s", RoleHubOperator)
	}
}

// HasRole tells whether the person has a role at its organisation.
func (p *Person) HasRole(role string) bool { return slices.Contains(p.Roles, role) }
