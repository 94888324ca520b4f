package registry_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

func TestRightsAreExportedForTheOwnOrganisationAndThatIsRecorded(t *testing.T) {
	o := newOffice(t)
	o.must(200, anna, "PUT", "/personen/formule", "*", api.PersonBody{Name: `=HYPERLINK("https://x")`, Roles: []string{"auditor", "integrator"}})
	var view api.RightsView
	if err := json.Unmarshal([]byte(o.must(200, anna, "GET", "/rechten", "", nil).body), &view); err != nil {
		t.Fatal(err)
	}
	byID := map[string]api.RightView{}
	for _, r := range view.Rights {
		byID[r.ID] = r
	}
	if c := byID["assen-demo"]; c.Kind != "client" || len(c.Grants) != 1 || len(c.AdminScopes) != 1 || len(byID["anna"].Roles) != 1 || byID["emmen-demo"].ID != "" {
		t.Errorf("got %+v", view)
	}
	got := o.must(200, anna, "GET", "/rechten.csv", "", nil)
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != len(view.Rights)+1 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("got %q as %s, %v", got.body, got.header.Get("Content-Type"), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("got a formula %q", cell)
			}
		}
	}
	if !strings.Contains(got.body, "'=HYPERLINK") {
		t.Errorf("got %q, want the name with an apostrophe", got.body)
	}
	o.must(403, aad, "GET", "/rechten", "", nil)
	o.must(403, robot, "GET", "/rechten.csv", "", nil)
	if records := o.must(200, anna, "GET", "/auditrecords?handeling=rights.export", "", nil).body; strings.Count(records, `"act":"rights.export"`) != 2 || !strings.Contains(records, `"person":"anna"`) {
		t.Errorf("got %s", records)
	}
}

func TestALookOfTheHubOperatorIsRecordedBeforeItIsAnswered(t *testing.T) {
	o := newOffice(t)
	o.must(200, hilda, "GET", "/clients/assen-demo", "", nil)
	o.must(200, hilda, "GET", "/organisaties", "", nil) // anybody sees these
	o.must(200, anna, "GET", "/clients/assen-demo", "", nil)
	got := o.must(200, hilda, "GET", "/auditrecords?handeling=look.metadata", "", nil).body
	if strings.Count(got, `"act":"look.metadata"`) != 2 || !strings.Contains(got, "/beheer/v1/clients/assen-demo") || !strings.Contains(got, `"person":"hilda"`) {
		t.Errorf("got %s, want the look at a client and this one", got)
	}
	o.execute(`CREATE TRIGGER halt BEFORE INSERT ON audit_record` + halt)
	if got := o.must(503, hilda, "GET", "/clients", "", nil).body; strings.Contains(got, "assen") {
		t.Errorf("got %s", got)
	}
	o.must(200, anna, "GET", "/clients", "", nil)
}

func TestRecordsWhoseTimeIsOverAreRemovedAndNamed(t *testing.T) {
	o := newOffice(t)
	o.must(200, anna, "PUT", "/personen/bea", "*", api.PersonBody{Name: "Bea", Roles: []string{"auditor"}})
	before := o.must(200, anna, "GET", "/auditlog/controle", "", nil).body
	if !strings.Contains(before, `"verwijderd":[]`) {
		t.Fatalf("got %s", before)
	}
	o.stop()
	o.cfg.AuditKeep = config.Duration(366 * 24 * time.Hour)
	o.now = func() time.Time { return time.Now().Add(367 * 24 * time.Hour) }
	o.start()
	db, err := sqldb.Open(t.Context(), o.cfg.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	o.soon("the records are removed", func() bool {
		first, err := sqldb.One(t.Context(), db.Reader(), func(n *int) []any { return []any{n} }, `SELECT COUNT(*) FROM audit_record WHERE sequence = 1`)
		return err == nil && first == 0
	})
	o.stop()
	o.cfg.AuditKeep, o.now = 0, nil
	o.start()
	after := o.must(200, anna, "GET", "/auditlog/controle", "", nil).body
	if strings.Contains(after, `"fout"`) || !strings.Contains(after, `"verwijderd":["1`) {
		t.Errorf("got %s, want the range that was removed and no fault", after)
	}
	if got := o.must(200, hilda, "GET", "/auditrecords?handeling=audit.purge", "", nil).body; !strings.Contains(got, `"through"`) || !strings.Contains(got, "auditKeep") {
		t.Errorf("got %s", got)
	}
}

func TestATermForTheAuditLogIsAtLeastAYear(t *testing.T) {
	w := newWorld(t)
	w.cfg.AuditKeep = config.Duration(24 * time.Hour)
	if _, err := w.new(); err == nil || !strings.Contains(err.Error(), "auditKeep") {
		t.Errorf("got %v, want a fault of auditKeep", err)
	}
}

func TestTheHubOperatorChangesWhatContractsRestOnWithTwoPersons(t *testing.T) {
	o := newOffice(t)
	path := "/organisaties/" + regiontest.EmmenOIN
	etag := func() string { return o.must(200, hilda, "GET", path, "", nil).header.Get("ETag") }
	body := api.OrganisationBody{Slug: "emmen", Name: "Gemeente Emmen", Municipality: "0114", Contacts: []api.Contact{}, Networks: []string{"10.3.0.0/16"}}
	if got := o.ask(hilda, "PUT", path, etag(), body); got.status != 400 || !strings.Contains(got.body, "who approves reads it") {
		t.Errorf("without a reason: got %d %s", got.status, got.body)
	}
	body.Reason = "de diensten van Emmen staan in het eigen netwerk"
	held := etag()
	proposal := strings.TrimPrefix(o.must(202, hilda, "PUT", path, held, body).header.Get("Location"), "/beheer/v1")
	if etag() != held {
		t.Error("the organisation changed before a second person approved")
	}
	if got := o.ask(hilda, "POST", proposal+"/goedkeuring", "", nil); got.status != 403 || !strings.Contains(got.body, "four-eyes") {
		t.Errorf("approved by who proposed it: got %d %s", got.status, got.body)
	}
	o.must(404, aad, "POST", proposal+"/goedkeuring", "", nil)
	o.must(204, henk, "POST", proposal+"/goedkeuring", "", nil)
	if etag() == held {
		t.Error("the organisation is as it was")
	}
	// A name alone waits for nobody, and what is not sent stays: the certificate under the contracts too.
	body.Name, body.Networks = "Emmen", nil
	o.must(200, hilda, "PUT", path, etag(), body)
	fresh := api.OrganisationBody{Slug: "coevorden", Name: "Coevorden", Municipality: "0109", Contacts: []api.Contact{}, Reason: "doet mee"}
	created := strings.TrimPrefix(o.must(202, hilda, "PUT", "/organisaties/00000099000000004000", "*", fresh).header.Get("Location"), "/beheer/v1")
	o.must(204, henk, "POST", created+"/goedkeuring", "", nil)
	o.must(200, anna, "GET", "/organisaties/00000099000000004000", "", nil)
	o.must(412, hilda, "PUT", "/organisaties/00000099000000005000", `"1"`, fresh)
}
