package directory

import (
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
)

// Template are the terms on which a provider agrees to its service: where a request starts from, and what it is compared
// with. It binds nobody.
type Template struct {
	Provider string         `json:"provider"` // OIN
	ID       string         `json:"id"`       // within the provider
	Title    string         `json:"title"`
	Service  string         `json:"service"` // name in FSC
	Days     int            `json:"days"`    // how long a contract of it lasts
	Terms    contract.Terms `json:"terms"`
}

// Key names provider and template.
func (t *Template) Key() Key { return TemplateKey(t.Provider, t.ID) }

// TemplateKey names a template of a provider.
func TemplateKey(provider, id string) Key { return Key{KindTemplate, provider + "/" + id} }

// maxDays of a contract: ten years.
const maxDays = 3650

func (t *Template) prepare(f faults) {
	if !slugShape.MatchString(t.ID) {
		f.at("id").add("does not match %s", slugShape)
	}
	if strings.TrimSpace(t.Title) == "" || len(t.Title) > 200 {
		f.at("title").add("is missing or longer than 200 characters")
	}
	if t.Days < 1 || t.Days > maxDays {
		f.at("days").add("must be 1 to %d", maxDays)
	}
	if len(t.Terms.Scopes) == 0 {
		f.at("scopes").add("names no scope")
	}
}

func (t *Template) check(s *State, f faults) {
	service := s.serviceOf(contract.Grant{Service: contract.Service{PeerID: t.Provider, Name: t.Service}})
	if service == nil {
		f.at("service").add("there is no service %s of %s", t.Service, t.Provider)
		return
	}
	f.join(service.Offers(t.Terms))
}

// Offered tells whether the service of a template stands in the catalogue.
func (s *State) Offered(t *Template) bool {
	service := s.serviceOf(contract.Grant{Service: contract.Service{PeerID: t.Provider, Name: t.Service}})
	return service != nil && service.Published
}

// TemplateOf gives the one template of a provider for a service; nil when there is none or a choice.
func (s *State) TemplateOf(provider, service string) *Template {
	var found *Template
	for _, t := range All[*Template](s) {
		if t.Provider == provider && t.Service == service {
			if found != nil {
				return nil
			}
			found = t
		}
	}
	return found
}

// Offer is one template offered to many organisations at once, each with a contract of its own.
type Offer struct {
	ID       string      `json:"id"` // UUID, by time
	Provider string      `json:"provider"`
	Template string      `json:"template"` // id
	Title    string      `json:"title"`
	Proposer string      `json:"proposer"`
	Since    time.Time   `json:"since"`
	Lines    []OfferLine `json:"lines"`
}

// OfferLine is one organisation with its contract.
type OfferLine struct {
	Consumer string `json:"consumer"` // OIN
	Contract string `json:"contract"` // content hash
}

// Key has the id.
func (o *Offer) Key() Key { return Key{KindOffer, o.ID} }

// maxOffer is how many organisations one offer goes to.
const maxOffer = 400

func (o *Offer) prepare(f faults) {
	if strings.TrimSpace(o.Title) == "" {
		f.at("title").add("is missing")
	}
	if len(o.Lines) == 0 || len(o.Lines) > maxOffer {
		f.at("lines").add("an offer goes to 1 to %d organisations", maxOffer)
	}
	var seen []string
	for i, l := range o.Lines {
		if slices.Contains(seen, l.Consumer) {
			f.at("lines[%d]", i).add("stands there twice")
		}
		seen = append(seen, l.Consumer)
	}
}

func (o *Offer) check(s *State, f faults) {
	if s.Organisation(o.Provider) == nil {
		f.add("organisation %q is not among the organisations", o.Provider)
	}
}
