package registry_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

func agreementOf(t *testing.T, r reply) api.AgreementDetail {
	t.Helper()
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(r.body), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func sign(o *office, who person, hash, kind string) reply {
	return o.ask(who, "POST", "/afspraken/"+hash+"/handtekeningen", "", api.SignatureBody{Kind: kind, Reason: "te ruim"})
}

func TestASuccessorTakesThePlaceOfAContract(t *testing.T) {
	o := newOffice(t)
	s := o.snapshot(api.Version{}, 0)
	old := s.Grants[0]
	d := api.ContractDraft{Name: "assen-bag", From: time.Now().Add(-time.Hour), Till: time.Now().AddDate(2, 0, 0), Predecessor: old.ContractHash}
	c := agreementOf(t, o.must(201, anna, "POST", "/afspraken", "", d))
	if c.Predecessor != old.ContractHash || len(c.Grants) != 1 || c.Grants[0].Purpose != "adressen controleren" || len(c.Waiting) != 2 {
		t.Errorf("got %+v", c.AgreementView)
	}
	got := o.must(200, aad, "GET", "/afspraken/"+c.Hash+"/vergelijking", "", nil).body
	if !strings.Contains(got, `"gevolg":"ruimer"`) || !strings.Contains(got, "geldig tot") || !strings.Contains(got, old.ContractHash) || strings.Contains(got, "scope") {
		t.Errorf("got %s", got)
	}
	assigned := func() string {
		for _, c := range o.snapshot(api.Version{}, 0).Clients {
			if c.ID == "assen-demo" && len(c.Assignments) == 1 {
				return c.Assignments[0].GrantHash
			}
		}
		return ""
	}
	if assigned() != old.Hash {
		t.Errorf("got %q before anybody signed", assigned())
	}
	sign(o, aad, c.Hash, "accept")
	if got := sign(o, henk, c.Hash, "accept"); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := assigned(); got != c.Grants[0].Hash {
		t.Errorf("got %q, want the grant of the successor under the same name", got)
	}
	sign(o, aad, c.Hash, "revoke")
	if assigned() != old.Hash {
		t.Errorf("got %q after the successor was revoked; the old one is still in force", assigned())
	}
	if got := o.ask(eefje, "POST", "/afspraken", "", d); got.status != 404 {
		t.Errorf("succeeded by a stranger: got %d %s", got.status, got.body)
	}
	if got := o.ask(eefje, "GET", "/afspraken/"+c.Hash+"/vergelijking", "", nil); got.status != 404 {
		t.Errorf("compared by a stranger: got %d", got.status)
	}
}

func TestWhoRejectsSaysWhyAndWhoWaitsReminds(t *testing.T) {
	o := newOffice(t)
	c := agreementOf(t, o.must(201, anna, "POST", "/afspraken", "", draft()))
	o.must(200, anna, "POST", "/afspraken/"+c.Hash+"/herinnering", "", nil)
	if got := o.ask(anna, "POST", "/afspraken/"+c.Hash+"/herinnering", "", nil); got.status != 429 || !strings.Contains(got.body, "reminded-already") {
		t.Errorf("reminded twice: got %d %s", got.status, got.body)
	}
	if got := o.must(200, hilda, "GET", "/gebeurtenissen", "", nil); !strings.Contains(got.body, "contract.reminder") {
		t.Errorf("got %s", got.body)
	}
	if got := sign(o, henk, c.Hash, "reject"); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := agreementOf(t, o.must(200, anna, "GET", "/afspraken/"+c.Hash, "", nil)); got.State != "REJECTED" || got.Reason != "te ruim" {
		t.Errorf("got %s %q", got.State, got.Reason)
	}
	if got := o.ask(anna, "POST", "/afspraken/"+c.Hash+"/herinnering", "", nil); got.status != 409 {
		t.Errorf("reminded of a rejected one: got %d", got.status)
	}
}

func TestATemplateIsOfferedToMany(t *testing.T) {
	o := newOffice(t)
	body := api.TemplateBody{Title: "Adressen", Days: 365, Grant: api.GrantDraft{Service: "bag", Purpose: "adressen controleren", Scopes: []string{"bag.lezen"}, Rate: 10}}
	wrong := body
	wrong.Grant.Scopes = []string{"bag.nergens"}
	if got := o.ask(hilda, "PUT", "/sjablonen/standaard", "", wrong); got.status != 400 || !strings.Contains(got.body, "bag.nergens") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	o.must(200, hilda, "PUT", "/sjablonen/standaard", "", body)
	if got := o.must(200, eefje, "GET", "/sjablonen", "", nil); !strings.Contains(got.body, "standaard") {
		t.Errorf("got %s; the terms of a service in the catalogue are open", got.body)
	}
	// A request is compared with it.
	d := draft()
	d.Grants[0].Scopes, d.Grants[0].Rate = []string{"bag.lezen", "bag.detail"}, 50
	d.Grants[0].Consumer = regiontest.EmmenOIN
	c := agreementOf(t, o.must(201, robotOf(regiontest.EmmenOIN), "POST", "/afspraken", "", d))
	for _, path := range []string{"", "?met=" + regiontest.HubOIN + "/standaard"} {
		got := o.must(200, henk, "GET", "/afspraken/"+c.Hash+"/vergelijking"+path, "", nil).body
		if !strings.Contains(got, "scope bag.detail erbij") || !strings.Contains(got, "aanroepen per seconde 50, was 10") {
			t.Errorf("got %s", got)
		}
	}
	offer := api.OfferBody{Template: "standaard", Title: "Adressen voor het noorden", From: time.Now().Add(-time.Hour), Consumers: []string{regiontest.AssenOIN, regiontest.EmmenOIN}}
	unknown := offer
	unknown.Consumers = append(unknown.Consumers, joinerOIN)
	if got := o.ask(hilda, "POST", "/aanbiedingen", "", unknown); got.status != 404 {
		t.Errorf("offered to nobody: got %d %s", got.status, got.body)
	}
	var v api.OfferView
	read := func(r reply) {
		t.Helper()
		v = api.OfferView{}
		if err := json.Unmarshal([]byte(r.body), &v); err != nil {
			t.Fatal(err)
		}
	}
	read(o.must(201, hilda, "POST", "/aanbiedingen", "", offer))
	if v.Waiting != 2 || len(v.Lines[0].Waiting) != 2 || v.Lines[0].Since == nil {
		t.Errorf("got %+v", v)
	}
	path := "/aanbiedingen/" + v.ID
	if got := o.ask(hilda, "POST", path+"/handtekeningen", "", nil); got.status != 403 || !strings.Contains(got.body, "four-eyes") {
		t.Errorf("signed by who offered: got %d %s", got.status, got.body)
	}
	if got := o.must(200, henk, "POST", path+"/handtekeningen", "", nil); !strings.Contains(got.body, `"aantal":2`) {
		t.Errorf("got %s", got.body)
	}
	for _, l := range v.Lines {
		if l.OIN == regiontest.AssenOIN {
			sign(o, aad, l.Contract, "accept")
		} else {
			sign(o, eefje, l.Contract, "reject")
		}
	}
	read(o.must(200, henk, "GET", path, "", nil))
	if v.Signed != 1 || v.Declined != 1 || v.Lines[1].Reason != "te ruim" {
		t.Errorf("got %+v", v)
	}
	if got := o.ask(hilda, "POST", path+"/herinnering", "", nil); got.status != 409 {
		t.Errorf("reminded nobody: got %d %s", got.status, got.body)
	}
	if got := o.ask(anna, "GET", path, "", nil).status; got != 404 {
		t.Errorf("got %d for the board of another organisation", got)
	}
}

func TestAStandInApprovesWhileTheApproverIsAway(t *testing.T) {
	o := newOffice(t)
	people := func(id string, roles ...string) {
		o.must(200, person{"admin", regiontest.AssenOIN, []string{"administrator"}}, "PUT", "/personen/"+id, "*", api.PersonBody{Name: id, Roles: roles})
	}
	people("arie", "approver")
	people("bert", "integrator")
	arie, bert := person{"arie", regiontest.AssenOIN, []string{"approver"}}, person{"bert", regiontest.AssenOIN, []string{"integrator"}}
	c := agreementOf(t, o.must(201, anna, "POST", "/afspraken", "", draft()))
	if got := sign(o, bert, c.Hash, "accept"); got.status != 403 {
		t.Errorf("got %d", got.status)
	}
	away := api.StandInBody{Person: "bert", From: time.Now().Add(-time.Minute), Till: time.Now().Add(time.Hour)}
	self := away
	self.Person = "anna"
	for name, tt := range map[string]struct {
		who  person
		body api.StandInBody
		code int
	}{
		"an administrator for the own person": {anna, self, 403},
		"a colleague for another":             {bert, away, 403},
		"a stranger":                          {eefje, away, 404},
		"somebody of another organisation":    {arie, api.StandInBody{Person: "eefje", From: away.From, Till: away.Till}, 404},
		"for ever":                            {arie, api.StandInBody{Person: "bert", From: away.From, Till: away.Till.AddDate(2, 0, 0)}, 400},
	} {
		if got := o.ask(tt.who, "PUT", "/personen/arie/vervanging", "", tt.body); got.status != tt.code {
			t.Errorf("%s: got %d %s, want %d", name, got.status, got.body, tt.code)
		}
	}
	o.must(200, arie, "PUT", "/personen/arie/vervanging", "", away)
	if got := sign(o, bert, c.Hash, "accept"); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := o.must(200, anna, "GET", "/auditrecords?handeling=contract.accept", "", nil); !strings.Contains(got.body, "stands in for arie") {
		t.Errorf("got %s", got.body)
	}
	o.must(200, arie, "DELETE", "/personen/arie/vervanging", "", nil)
	other := draft()
	other.Name = "nog-een"
	c = agreementOf(t, o.must(201, anna, "POST", "/afspraken", "", other))
	if got := sign(o, bert, c.Hash, "accept"); got.status != 403 {
		t.Errorf("got %d after the approver is back", got.status)
	}
}

func TestAProviderPublishesForAnother(t *testing.T) {
	o := newOffice(t)
	d := api.ContractDraft{
		Name: "bag-voor-assen", From: time.Now().Add(-time.Hour), Till: time.Now().AddDate(1, 0, 0),
		Grants: []api.GrantDraft{{Kind: "publicatie", Provider: regiontest.HubOIN, Service: "bag", Delegator: regiontest.AssenOIN}},
	}
	c := agreementOf(t, o.must(201, anna, "POST", "/afspraken", "", d))
	if len(c.Missing) != 2 || !strings.Contains(c.Grants[0].Type, "PUBLICATION") {
		t.Errorf("got %+v", c.AgreementView)
	}
	mixed := d
	mixed.Grants = append(mixed.Grants, draft().Grants...)
	if got := o.ask(anna, "POST", "/afspraken", "", mixed); got.status != 400 {
		t.Errorf("a mix: got %d %s", got.status, got.body)
	}
	sign(o, aad, c.Hash, "accept")
	if got := agreementOf(t, sign(o, henk, c.Hash, "accept")); got.State != "VALID" {
		t.Errorf("got %s", got.State)
	}
}
