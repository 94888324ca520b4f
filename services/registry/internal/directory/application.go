package directory

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/api"
)

// An application that is older was made for another moment; who still wants to join signs anew.
const applicationLife = 90 * 24 * time.Hour

// ContactRoles are the contacts that every organisation has, because partners are sent to them.
var ContactRoles = []string{"technical", "functional", "privacy", "security"}

var kvkShape = regexp.MustCompile(`^[0-9]{8}$`)

// Application is an invitation to join, or what an organisation answered or sent by itself. It stays after it was decided:
// its signatures are the proof of who accepted what.
type Application struct {
	ID       string               `json:"id"`      // UUID, by time
	Sponsor  string               `json:"sponsor"` // OIN of who invited or brought it
	Proposer string               `json:"proposer"`
	Since    time.Time            `json:"since"`
	Name     string               `json:"name"`
	OIN      string               `json:"oin,omitempty"`
	Signed   *api.ApplicationBody `json:"signed,omitempty"` // nil: it is invited only
	Decided  *Decision            `json:"decided,omitempty"`

	form *api.ApplicationForm
}

// Decision is what became of an application.
type Decision struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Admitted bool      `json:"admitted"`
	Reason   string    `json:"reason,omitempty"`
}

// Key has the id.
func (a *Application) Key() Key { return Key{KindApplication, a.ID} }

// Form gives what was signed; nil of an invitation.
func (a *Application) Form() *api.ApplicationForm { return a.form }

// The states of an application.
const (
	ApplicationInvited  = "uitgenodigd"
	ApplicationOpen     = "aangevraagd"
	ApplicationAdmitted = "toegelaten"
	ApplicationRejected = "afgewezen"
)

// State tells where it stands.
func (a *Application) State() string {
	switch {
	case a.Decided != nil && a.Decided.Admitted:
		return ApplicationAdmitted
	case a.Decided != nil:
		return ApplicationRejected
	case a.Signed != nil:
		return ApplicationOpen
	}
	return ApplicationInvited
}

// OINOf gives the OIN of who names itself by an OIN or, as suppliers do, by the number in the Trade Register (KvK).
func OINOf(number, kvk string) (string, error) {
	switch {
	case number != "" && kvk != "":
		return "", fmt.Errorf("name either an OIN or a KvK number")
	case kvk != "":
		if !kvkShape.MatchString(kvk) {
			return "", fmt.Errorf("a KvK number has eight digits")
		}
		return "00000003" + kvk + "0000", nil
	}
	parsed, err := oin.Parse(number)
	return string(parsed), err
}

func (a *Application) prepare(f faults) {
	if strings.TrimSpace(a.Name) == "" || len(a.Name) > 200 {
		f.at("name").add("is missing or longer than 200 characters")
	}
	if a.OIN != "" {
		if _, err := oin.Parse(a.OIN); err != nil {
			f.at("oin").add("%s", err)
		}
	}
	if a.Signed == nil {
		return
	}
	form, signers, err := openForm(a.Signed)
	if err != nil {
		f.add("%s", err)
		return
	}
	a.form = form
	number, err := OINOf(form.OIN, form.KvK)
	if err != nil {
		f.at("oin").add("%s", err)
	} else if number != a.OIN {
		f.at("oin").add("is another one than in the invitation")
	}
	if age := a.Since.Sub(form.Made); age > applicationLife || age < -time.Hour {
		f.at("made").add("the form was not made within the last %d days", int(applicationLife.Hours()/24))
	}
	for _, role := range ContactRoles {
		if !hasContact(form.Contacts, role) {
			f.at("contacts").add("the %s contact with mail address, phone and hours is missing", role)
		}
	}
	a.preparePeople(form, signers, f)
	// What it would become tells the rest: names, contacts, keys and roles follow one set of rules.
	for _, e := range a.Entities(form.Made) {
		e.prepare(f)
	}
}

func hasContact(contacts []api.Contact, role string) bool {
	return slices.ContainsFunc(contacts, func(c api.Contact) bool {
		return c.Role == role && c.Email != "" && c.Phone != "" && c.Hours != ""
	})
}

func (a *Application) preparePeople(form *api.ApplicationForm, signers map[string]bool, f faults) {
	var administrators, approvers, seen []string
	for i, p := range form.People {
		pf := f.at("people[%d]", i)
		if !signers[p.ID] {
			pf.add("%s did not sign the form with the key in it", p.ID)
		}
		if slices.Contains(seen, p.ID) {
			pf.add("%s stands there twice", p.ID)
		}
		seen = append(seen, p.ID)
		if _, err := mail.ParseAddress(p.Email); err != nil {
			pf.add("email is not a mail address")
		}
		if slices.Contains(p.Roles, RoleHubOperator) {
			pf.add("only people of the hub's organisation can be %s", RoleHubOperator)
		}
		if slices.Contains(p.Roles, RoleAdministrator) {
			administrators = append(administrators, p.ID)
		}
		if slices.Contains(p.Roles, RoleApprover) {
			approvers = append(approvers, p.ID)
		}
	}
	other := slices.ContainsFunc(approvers, func(id string) bool { return len(administrators) > 1 || !slices.Contains(administrators, id) })
	if len(administrators) == 0 || !other {
		f.at("people").add("an administrator is needed, and an approver who is somebody else")
	}
	if len(form.People) > 20 {
		f.at("people").add("more than twenty")
	}
}

// ReadForm reads a form without looking at who signed it; an Application does that.
func ReadForm(signed *api.ApplicationBody) (*api.ApplicationForm, error) {
	form, _, err := openForm(signed)
	return form, err
}

// openForm reads a signed form and tells who of the people in it signed.
func openForm(signed *api.ApplicationBody) (*api.ApplicationForm, map[string]bool, error) {
	text, err := json.Marshal(signed)
	if err != nil {
		return nil, nil, err
	}
	if len(text) > 256<<10 || len(signed.Signatures) > 20 {
		return nil, nil, fmt.Errorf("the form is larger than 256 KiB or has more than twenty signatures")
	}
	jws, err := jose.ParseSignedJSON(string(text), []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256})
	if err != nil {
		return nil, nil, fmt.Errorf("the form is no JWS in JSON: %w", err)
	}
	form := &api.ApplicationForm{}
	decoder := json.NewDecoder(strings.NewReader(string(jws.UnsafePayloadWithoutVerification())))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(form); err != nil {
		return nil, nil, fmt.Errorf("the form is not what this hub asks for: %w", err)
	}
	signers := map[string]bool{}
	for _, p := range form.People {
		keys, err := parseKeys(p.Key)
		if err != nil || len(keys) != 1 {
			continue // its client has the fault
		}
		for _, s := range signed.Signatures {
			one, err := jose.ParseSignedJSON(singleSignature(signed.Payload, s), []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256})
			if err == nil && one.Signatures[0].Protected.KeyID == p.ID {
				_, err = one.Verify(keys[0].Key)
				signers[p.ID] = signers[p.ID] || err == nil
			}
		}
	}
	return form, signers, nil
}

func singleSignature(payload string, s api.ApplicantSignature) string {
	text, _ := json.Marshal(struct { // strings only: it cannot fail
		Payload string `json:"payload"`
		api.ApplicantSignature
	}{payload, s})
	return string(text)
}

// ClientOf is the id of the client with which a person acts from the command line. It is another one than the person's: a
// token whose subject is its client is a program's.
func ClientOf(person string) string { return person + "-hubctl" }

// Entities gives what an application becomes when it is admitted: the organisation, its people, and the client with which
// each of them acts.
func (a *Application) Entities(at time.Time) []Entity {
	form := a.form
	org := &Organisation{OIN: a.OIN, Slug: form.Slug, Name: form.Name, Municipality: form.Municipality}
	for _, c := range form.Contacts {
		org.Contacts = append(org.Contacts, Contact(c))
	}
	out := []Entity{org}
	for _, p := range form.People {
		if slices.Contains(p.Roles, RoleAdministrator) && org.Accepted == nil {
			for _, d := range form.Accepted {
				org.Accepted = append(org.Accepted, Acceptance{Kind: d.Kind, Version: d.Version, Digest: d.Digest, Person: p.ID, At: form.Made})
			}
		}
		person := &Person{ID: p.ID, Name: p.Name, Organisation: a.OIN, Email: p.Email, Roles: p.Roles}
		alg := "ES256"
		if keys, err := parseKeys(p.Key); err == nil && len(keys) == 1 && keys[0].Algorithm != "" {
			alg = keys[0].Algorithm
		}
		out = append(out, person, &Client{
			ID: ClientOf(p.ID), Name: p.Name, Organisation: a.OIN, Profile: "nlgov", Alg: alg, Person: p.ID,
			Keys: []ClientKey{{Public: string(p.Key)}}, AdminScopes: AdminScopes,
		})
	}
	return out
}

func (a *Application) check(s *State, f faults) {
	if s.Organisation(a.Sponsor) == nil {
		f.add("organisation %q is not among the organisations", a.Sponsor)
	}
	if a.form != nil && a.form.Group != s.Hub().GroupID {
		f.at("group").add("the form is for another hub")
	}
}

// Application gives one by id, nil when there is none.
func (s *State) Application(id string) *Application {
	a, _ := s.Get(Key{KindApplication, id}).(*Application)
	return a
}
