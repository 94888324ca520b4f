package directory

import (
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

// Who must act on a step of joining.
const (
	byApplicant    = "aanvrager"
	byOrganisation = "organisatie"
	byHub          = "hubbeheer"
)

func step(name string, done bool, who, nl, en string) api.StepView {
	v := api.StepView{Step: name, Done: done, NL: nl, EN: en}
	if !done {
		v.Who = who
	}
	return v
}

// Steps tells of an organisation that was admitted which steps are done on the way to its first call, and who must do the
// others. hosted says that the hub keeps its signing key.
func (s *State) Steps(o *Organisation, hosted bool, at time.Time) []api.StepView {
	contacts := make([]api.Contact, len(o.Contacts))
	for i, c := range o.Contacts {
		contacts[i] = api.Contact(c)
	}
	reachable := !slices.ContainsFunc(ContactRoles, func(role string) bool { return !hasContact(contacts, role) })
	var administrators, approvers []string
	for _, p := range All[*Person](s) {
		if p.Organisation == o.OIN && p.HasRole(RoleAdministrator) {
			administrators = append(administrators, p.ID)
		}
		if p.Organisation == o.OIN && p.HasRole(RoleApprover) {
			approvers = append(approvers, p.ID)
		}
	}
	second := slices.ContainsFunc(approvers, func(id string) bool { return len(administrators) > 1 || !slices.Contains(administrators, id) })
	signs := slices.ContainsFunc(o.chains, chainValid(at))
	program := slices.ContainsFunc(All[*Client](s), func(c *Client) bool { return c.Organisation == o.OIN && c.Person == "" && !c.Disabled })
	agreed := slices.ContainsFunc(All[*Contract](s), func(c *Contract) bool {
		return c.verified != nil && c.Names(o.OIN) && c.State(at) == contract.Valid
	})
	who := byOrganisation
	if !hosted {
		who = byHub
	}
	return []api.StepView{
		step("toelating", true, byHub, "De organisatie is toegelaten.", "The organisation is admitted."),
		step("documenten", len(s.Unaccepted(o.OIN)) == 0, byOrganisation,
			"Een beheerder aanvaardt de voorwaarden en de verwerkersovereenkomst zoals ze nu zijn.", "An administrator accepts the terms and the processor agreement as they are now."),
		step("contacten", reachable, byOrganisation,
			"Er is een technisch, functioneel, privacy- en beveiligingscontact met telefoon en tijden.", "There are technical, functional, privacy and security contacts with phone and hours."),
		step("tweedePersoon", len(administrators) > 0 && second, byOrganisation,
			"Er is een beheerder, en een goedkeurder die iemand anders is.", "There is an administrator, and an approver who is somebody else."),
		step("handtekening", signs, who,
			"Er is een geldig certificaat waarmee de organisatie afspraken tekent.", "There is a valid certificate with which the organisation signs contracts."),
		step("client", program, byOrganisation, "Er is een client met een sleutel.", "There is a client with a key."),
		step("afspraak", agreed, byOrganisation, "Er is een afspraak van kracht.", "There is a contract in force."),
	}
}

// Steps tells which steps of an application are done.
func (a *Application) Steps(s *State) []api.StepView {
	signed := a.form != nil
	current := signed
	for _, d := range s.Hub().Documents {
		current = current && slices.ContainsFunc(a.form.Accepted, func(x api.AcceptanceBody) bool {
			return Acceptance{Kind: x.Kind, Version: x.Version, Digest: x.Digest}.Of(d)
		})
	}
	return []api.StepView{
		step("aanvraag", signed, byApplicant,
			"De eerste mensen vullen het formulier in en tekenen het met hun eigen sleutel.", "The first people fill in the form and sign it with their own keys."),
		step("documenten", current, byApplicant,
			"Het formulier aanvaardt de voorwaarden en de verwerkersovereenkomst zoals ze nu zijn.", "The form accepts the terms and the processor agreement as they are now."),
		step("toelating", a.State() == ApplicationAdmitted, byHub,
			"Iemand van hubbeheer die haar niet zelf inbracht, laat de organisatie toe.", "Somebody of the hub operator who did not bring it in admits the organisation."),
	}
}
