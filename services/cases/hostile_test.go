package cases_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/cases/api"
)

func TestAnOfferNeedsAnAgreementWithItsReceiver(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	for _, tc := range []struct {
		name   string
		client *api.Client
		offer  api.Offer
		status int
		code   string
	}{
		{"to an organisation that nobody knows", r.sender(), newOffer("00000099000000077000"), 400, "receiver-unknown"},
		{"to oneself", r.sender(), newOffer(groningen), 400, "receiver-self"},
		{"to another than the agreement names", r.sender(), newOffer(leeuwarden), 403, "receiver-not-agreed"},
		{"under one's own use", r.as(groningen, groningenOwn), newOffer(assen), 403, "receiver-not-agreed"},
		{"under an agreement of somebody else", r.as(leeuwarden, toAssen), newOffer(assen), 403, "exchange-agreement"},
		{"under an agreement on another service", r.as(groningen, onBAG), newOffer(assen), 403, "exchange-agreement"},
		{"under no agreement", r.as(groningen, "$1$3$nothing"), newOffer(assen), 403, "exchange-agreement"},
		{"without the scope", r.as(groningen, toAssen, api.ScopeRead), newOffer(assen), 403, "scope-missing"},
	} {
		id := newID()
		got := r.ask(tc.client, http.MethodPut, "/uitwisselingen/"+id, jsonOf(t, tc.offer))
		if got.status != tc.status || got.code() != tc.code {
			t.Errorf("%s: got %d %s, want %d %s", tc.name, got.status, got.code(), tc.status, tc.code)
		}
		if got := r.ask(r.as(groningen, groningenOwn), http.MethodGet, "/uitwisselingen/"+id, ""); got.status != http.StatusNotFound {
			t.Errorf("%s: something was stored", tc.name)
		}
	}
}

func TestBodiesThatBreakTheSchemaAreRefusedWithEveryFault(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	good := jsonOf(t, newOffer(assen))
	for name, tc := range map[string]struct {
		body   string
		fields []string
	}{
		"nothing":                 {" ", nil},
		"an array":                {"[]", nil},
		"null":                    {"null", nil},
		"half of it":              {good[:len(good)/2], nil},
		"two of it":               {good + good, nil},
		"not UTF-8":               {strings.Replace(good, "omgevingsvergunning", "\xff", 1), nil},
		"a member twice":          {strings.Replace(good, `"soort"`, `"soort":"afschrift","soort"`, 1), nil},
		"a member twice, nested":  {strings.Replace(good, `"bytes"`, `"bytes":3,"bytes"`, 1), nil},
		"nested too deep":         {`{"zaak":` + strings.Repeat(`[`, 1000) + strings.Repeat(`]`, 1000) + `}`, nil},
		"an empty object":         {"{}", []string{"/ontvanger", "/soort", "/zaak", "/zaak/bronorganisatie", "/zaak/identificatie", "/zaak/zaaktype", "/zaak/zaaktype/identificatie", "/manifest", "/manifest/zaakSha256", "/manifest/bytes"}},
		"an unknown member":       {strings.Replace(good, `{`, `{"x":1,`, 1), []string{"/x"}},
		"a member in other case":  {strings.Replace(good, `"soort"`, `"Soort"`, 1), []string{"/soort", "/Soort"}},
		"an unknown kind":         {strings.Replace(good, api.KindHandover, "verkoop", 1), []string{"/soort"}},
		"an OIN that is none":     {strings.Replace(good, assen, "123", 1), []string{"/ontvanger"}},
		"an RSIN that is none":    {strings.Replace(good, `"bronorganisatie":"000000000"`, `"bronorganisatie":"123456789"`, 1), []string{"/zaak/bronorganisatie"}},
		"null for a text":         {strings.Replace(good, `"ZAAK-2026-0000000001"`, `null`, 1), []string{"/zaak/identificatie"}},
		"a BSN in a description":  {strings.Replace(good, "omgevingsvergunning", "burger 999993653", 1), []string{"/zaak/omschrijving"}},
		"a control character":     {strings.Replace(good, "omgevingsvergunning", `a\u0000b`, 1), []string{"/zaak/omschrijving"}},
		"a digest in capitals":    {strings.Replace(good, `"zaakSha256":"`, `"zaakSha256":"A`, 1), []string{"/manifest/zaakSha256"}},
		"a case that is too big":  {strings.Replace(good, fmt.Sprintf(`"bytes":%d`, len(document)), `"bytes":4194305`, 1), []string{"/manifest/bytes"}},
		"a length with a point":   {strings.Replace(good, fmt.Sprintf(`"bytes":%d`, len(document)), `"bytes":2.5`, 1), []string{"/manifest/bytes"}},
		"a deadline that is none": {strings.Replace(good, `{`, `{"vervaltOp":"morgen",`, 1), []string{"/vervaltOp"}},
	} {
		got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+newID(), tc.body)
		if got.status != http.StatusBadRequest || got.code() != "invalid-input" {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
			continue
		}
		if strings.Contains(got.body, "999993653") {
			t.Errorf("%s: the refusal repeats the number", name)
		}
		var problem struct {
			InvalidParams []errs.Field `json:"invalidParams"`
		}
		decode(t, got.body, &problem)
		var fields []string
		for _, f := range problem.InvalidParams {
			fields = append(fields, f.Name)
		}
		for _, want := range tc.fields {
			if !slices.Contains(fields, want) {
				t.Errorf("%s: faults %v, want %s among them", name, fields, want)
			}
		}
	}
	if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+newID(), strings.Repeat(" ", 70<<10)+good); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: got %d", got.status)
	}
	if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+newID(), good, "Content-Type", "text/plain"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("another media type: got %d", got.status)
	}
	if page, err := r.as(groningen, groningenOwn).Transfers(t.Context(), nil); err != nil || len(page.Transfers) != 0 {
		t.Errorf("something was stored: %d, %v", len(page.Transfers), err)
	}
}

func TestOnlyTheCaseOfTheManifestIsDelivered(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	without := func(member string) string { return strings.Replace(document, `"`+member+`"`, `"x"`, 1) }
	for name, tc := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"one byte more":         {document + " ", 400, "digest-mismatch"},
		"another description":   {strings.Replace(document, "dakkapel", "dakkapeL", 1), 400, "digest-mismatch"},
		"no JSON":               {"<zaak/>", 400, "invalid-input"},
		"an array":              {"[" + document + "]", 400, "invalid-input"},
		"a member twice":        {strings.Replace(document, "{", `{"startdatum":"2020-01-01",`, 1), 400, "invalid-input"},
		"no source":             {without("bronorganisatie"), 400, "invalid-input"},
		"no number":             {without("identificatie"), 400, "invalid-input"},
		"no type":               {without("zaaktype"), 400, "invalid-input"},
		"a date that is none":   {strings.Replace(document, "2026-11-02", "2026-02-31", 1), 400, "invalid-input"},
		"more than the limit":   {`{"x":"` + strings.Repeat("x", api.MaxCase) + `"}`, 413, "body-too-large"},
		"nothing":               {"", 415, "unsupported-media-type"},
		"a type that is no URL": {strings.Replace(document, "https://catalogi.example/zaaktypen/1", "javascript:1", 1), 400, "invalid-input"},
	} {
		id := r.at(api.StateAccepted)
		got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+id+"/zaak", tc.body)
		if got.status != tc.status || got.code() != tc.code {
			t.Errorf("%s: got %d %s, want %d %s", name, got.status, got.code(), tc.status, tc.code)
		}
		if after := must[api.Transfer](t)(r.sender().Transfer(t.Context(), id)); after.State != api.StateAccepted || after.Version != 2 {
			t.Errorf("%s: the transfer is %s now", name, after.State)
		}
	}
	// A case that is well formed, fits the manifest, and is another one than was offered.
	other, id := strings.Replace(document, "0000000001", "0000000002", 1), newID()
	must[api.Transfer](t)(r.sender().Offer(t.Context(), id, offerOf(assen, other)))
	must[api.Transfer](t)(r.receiver().Accept(t.Context(), id, 0))
	if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+id+"/zaak", other); got.code() != "case-mismatch" {
		t.Errorf("another case: got %d %s", got.status, got.code())
	}
	if records := r.logbook.take(); len(records) != 0 {
		t.Errorf("%d processing records of deliveries that were refused", len(records))
	}
}

// A third organisation walks over every operation with the id of a transfer of others: it is not there, and nothing that
// it sees differs from an id that nobody has.
func TestForAThirdOrganisationNothingIsThere(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	id, nobodys := r.at(api.StateDelivered), newID()
	bodies := map[string]string{"/afwijzing": `{"reden":"x"}`, "/verwerking": `{"identificatie":"x"}`, "PUT /zaak": document,
		"/intrekking": `{"reden":"x"}`, "/weigering": `{"redencode":"anders","reden":"x"}`, "/sluiting": `{"bronzaak":"afgesloten"}`}
	for _, client := range []*api.Client{
		r.as(leeuwarden, leeuwardOwn), r.as(groningen, toLeeuwarden), r.as(hubOIN, "$1$3$none"), r.as(assen, toAssen), r.as(emmen, emmenOwn),
	} {
		for _, op := range operations(t) {
			method, path, _ := strings.Cut(op, " ")
			rest, of := strings.CutPrefix(path, "/uitwisselingen/{uuid}")
			if !of || op == "PUT /uitwisselingen/{uuid}" {
				continue
			}
			body := bodies[rest]
			if body == "" {
				body = bodies[method+" "+rest]
			}
			got := r.ask(client, method, "/uitwisselingen/"+id+rest, body)
			want := r.ask(client, method, "/uitwisselingen/"+nobodys+rest, body)
			if got.status != want.status || traceless(got.body) != traceless(want.body) || got.status != http.StatusNotFound && got.status != http.StatusForbidden {
				t.Errorf("%s: got %d %s\nfor an id of nobody %d %s", op, got.status, got.body, want.status, want.body)
			}
		}
		if got := r.ask(client, http.MethodGet, "/uitwisselingen", ""); strings.Contains(got.body, id) {
			t.Error("it stands in a list")
		}
		if got := r.ask(client, http.MethodGet, "/gebeurtenissen", ""); strings.Contains(got.body, id) {
			t.Error("it stands in a feed")
		}
	}
	// Offering under the id tells that it is taken and no more.
	got := r.ask(r.as(groningen, toLeeuwarden), http.MethodPut, "/uitwisselingen/"+id, jsonOf(t, newOffer(leeuwarden)))
	if got.status != http.StatusConflict || got.code() != "transfer-id-taken" || strings.Contains(got.body, "toestand") {
		t.Errorf("offer under a taken id: got %d %s", got.status, got.body)
	}
}

func TestEachPartyDoesItsOwnPart(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	offered, accepted, delivered := r.at(api.StateOffered), r.at(api.StateAccepted), r.at(api.StateDelivered)
	for name, tc := range map[string]struct {
		got    answer
		status int
		code   string
	}{
		"the sender accepts":                 {r.ask(r.as(groningen, groningenOwn), "POST", "/uitwisselingen/"+offered+"/acceptatie", ""), 403, "transfer-other-party"},
		"the sender accepts when it sends":   {r.ask(r.sender(), "POST", "/uitwisselingen/"+offered+"/acceptatie", ""), 403, "transfer-other-party"},
		"the receiver delivers":              {r.ask(r.receiver(), "PUT", "/uitwisselingen/"+accepted+"/zaak", document), 403, "transfer-other-party"},
		"the sender delivers under own use":  {r.ask(r.as(groningen, groningenOwn), "PUT", "/uitwisselingen/"+accepted+"/zaak", document), 403, "exchange-agreement"},
		"the sender fetches the case":        {r.ask(r.sender(), "GET", "/uitwisselingen/"+delivered+"/zaak", ""), 403, "case-for-receiver"},
		"the receiver fetches it too early":  {r.ask(r.receiver(), "GET", "/uitwisselingen/"+accepted+"/zaak", ""), 409, "case-not-delivered"},
		"the receiver accepts without scope": {r.ask(r.as(assen, assenOwn, api.ScopeRead), "POST", "/uitwisselingen/"+offered+"/acceptatie", ""), 403, "scope-missing"},
		"the receiver fetches without scope": {r.ask(r.as(assen, assenOwn, api.ScopeReceive), "GET", "/uitwisselingen/"+delivered+"/zaak", ""), 403, "scope-missing"},
		"an id that is no UUID":              {r.ask(r.receiver(), "GET", "/uitwisselingen/1", ""), 404, "transfer-not-found"},
		"an id of version 15":                {r.ask(r.receiver(), "GET", "/uitwisselingen/00000000-0000-f000-8000-000000000000", ""), 404, "transfer-not-found"},
		"the nil UUID":                       {r.ask(r.receiver(), "GET", "/uitwisselingen/00000000-0000-0000-0000-000000000000", ""), 404, "transfer-not-found"},
		"an unknown parameter":               {r.ask(r.receiver(), "GET", "/uitwisselingen/"+delivered+"/zaak?x=1", ""), 400, "invalid-input"},
		"a trailing slash":                   {r.ask(r.receiver(), "GET", "/uitwisselingen/"+delivered+"/", ""), 404, "not-found"},
		"an unknown command":                 {r.ask(r.receiver(), "POST", "/uitwisselingen/"+delivered+"/verscheuring", ""), 404, "not-found"},
		"a body where none belongs":          {r.ask(r.receiver(), "POST", "/uitwisselingen/"+offered+"/acceptatie", `{"x":1}`), 400, "invalid-input"},
		"a reason with a BSN":                {r.ask(r.receiver(), "POST", "/uitwisselingen/"+offered+"/afwijzing", `{"reden":"burger 999993653"}`), 400, "invalid-input"},
		"no token":                           {r.ask(r.open(), "GET", "/uitwisselingen", ""), 401, "token-missing"},
	} {
		if tc.got.status != tc.status || tc.got.code() != tc.code {
			t.Errorf("%s: got %d %s, want %d %s", name, tc.got.status, tc.got.body, tc.status, tc.code)
		}
	}
	upper := strings.ToUpper(delivered)
	if got := r.ask(r.receiver(), "GET", "/uitwisselingen/"+upper, ""); got.status != http.StatusOK {
		t.Errorf("the id in capitals: got %d", got.status)
	}
}

func TestATransferIsFrozenWithItsAgreement(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	id, delivered := r.at(api.StateOffered), r.at(api.StateDelivered)
	check := func(why string) {
		t.Helper()
		seen := must[api.Transfer](t)(r.receiver().Transfer(t.Context(), id))
		if !seen.Frozen || len(seen.Allowed) != 0 {
			t.Errorf("%s: got %+v, want it frozen", why, seen)
		}
		if _, err := r.receiver().Accept(t.Context(), id, 0); err == nil || errs.As(err).Code.ID != "transfer-frozen" {
			t.Errorf("%s: accept: got %v", why, err)
		}
		if _, err := r.receiver().Case(t.Context(), delivered); err != nil {
			t.Errorf("%s: reading: %v", why, err)
		}
		if b, err := r.receiver().Receipts(t.Context(), delivered); err != nil || len(b.Receipts) != 3 {
			t.Errorf("%s: receipts: %v", why, err)
		}
	}
	r.snapshots.suspend(toAssen, true)
	check("suspended")
	if _, err := r.sender().Offer(t.Context(), newID(), newOffer(assen)); err == nil || errs.As(err).Code.ID != "transfer-frozen" {
		t.Errorf("a new offer: got %v", err)
	}
	r.snapshots.suspend(toAssen, false)
	r.clock.Store(int64(48 * 3600 * 1e9)) // the window is over; receipt keys too, but nothing is to be signed
	check("ended")
	r.clock.Store(0)
	if got := must[api.Transfer](t)(r.receiver().Accept(t.Context(), id, 0)); got.State != api.StateAccepted {
		t.Errorf("once it is in force again: %s", got.State)
	}
}

func TestAnOrganisationWithoutAReceiptKeyIsToldWhoMustAct(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	id := newID()
	must[api.Transfer](t)(r.as(groningen, toEmmen).Offer(t.Context(), id, newOffer(emmen)))
	got := r.ask(r.as(emmen, emmenOwn), http.MethodPost, "/uitwisselingen/"+id+"/acceptatie", "")
	if got.status != http.StatusForbidden || got.code() != "receipt-key-missing" || !strings.Contains(got.body, `"side":"organisation"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	r.stop()
	r.material.add(t, emmen)
	r.start()
	if got := must[api.Transfer](t)(r.as(emmen, emmenOwn).Accept(t.Context(), id, 0)); got.State != api.StateAccepted {
		t.Errorf("with a key: %s", got.State)
	}
}

func TestEveryLookAtACaseIsInTheLogbookOfWhoIsResponsible(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	for _, tc := range []struct{ kind, delivery, reading, activity string }{
		{api.KindHandover, groningen, assen, "https://register.example/" + assen},
		{api.KindCopy, groningen, assen, "https://register.example/" + assen},
		{api.KindOnBehalf, groningen, groningen, "https://register.example/" + groningen},
	} {
		id, offer := newID(), newOffer(assen)
		offer.Kind = tc.kind
		must[api.Transfer](t)(r.sender().Offer(t.Context(), id, offer))
		must[api.Transfer](t)(r.receiver().Accept(t.Context(), id, 0))
		r.logbook.setAway(true)
		if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+id+"/zaak", document); got.status != 503 || got.code() != "logbook-unavailable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: delivery without logbook: got %d %s", tc.kind, got.status, got.body)
		}
		r.logbook.setAway(false)
		must[api.Transfer](t)(r.sender().Deliver(t.Context(), id, 0, []byte(document)))
		if got := r.logbook.take(); len(got) != 1 || got[0].Controller != tc.delivery || got[0].Activity != "https://register.example/"+groningen {
			t.Errorf("%s: delivery: got %+v", tc.kind, got)
		}
		r.logbook.setAway(true)
		if got := r.ask(r.receiver(), http.MethodGet, "/uitwisselingen/"+id+"/zaak", ""); got.status != 503 || strings.Contains(got.body, "dakkapel") {
			t.Errorf("%s: reading without logbook: got %d", tc.kind, got.status)
		}
		r.logbook.setAway(false)
		must[[]byte](t)(r.receiver().Case(t.Context(), id))
		if got := r.logbook.take(); len(got) != 1 || got[0].Controller != tc.reading || got[0].Activity != tc.activity {
			t.Errorf("%s: reading: got %+v", tc.kind, got)
		}
	}
}

var traceID = regexp.MustCompile(`"traceId":"[0-9a-f]*"`)

func traceless(body string) string { return traceID.ReplaceAllString(body, "") }

// operations gives every operation of the description as "METHOD /path".
func operations(t *testing.T) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			all = append(all, method+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// Every operation of the description is served, and asks for the scope that the description names.
func TestTheDescriptionIsWhatIsServed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != api.Version {
		t.Errorf("version: got %s, want %s", doc.Info.Version, api.Version)
	}
	r := newRig(t, sqldbtest.SQLite(t))
	nothing := r.as(assen, assenOwn, "niets")
	bodies := map[string]string{
		"biedAan": jsonOf(t, newOffer(assen)), "leverAf": document, "wijsAf": `{"reden":"x"}`, "meldVerwerkt": `{"identificatie":"x"}`,
		"trekIn": `{"reden":"x"}`, "weiger": `{"redencode":"anders","reden":"x"}`, "sluit": `{"bronzaak":"afgesloten"}`,
	}
	count := 0
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			count++
			got := r.ask(nothing, method, strings.Replace(path, "{uuid}", newID(), 1), bodies[operation.OperationID])
			if v := got.header.Get("API-Version"); v != api.Version {
				t.Errorf("%s %s: API-Version %q", method, path, v)
			}
			if len(*operation.Security) == 0 {
				if got.status != http.StatusOK {
					t.Errorf("%s %s is public: got %d", method, path, got.status)
				}
				continue
			}
			scope := (*operation.Security)[0]["oauth"][0]
			if got.status != http.StatusForbidden || !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="`+scope+`"`) {
				t.Errorf("%s %s without scope: got %d %s", method, path, got.status, got.body)
			}
		}
	}
	if count != 14 {
		t.Errorf("operations: got %d, want 14", count)
	}
	open := r.open()
	if got := r.ask(open, http.MethodGet, "/openapi.json", ""); got.status != http.StatusOK || got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("openapi.json: %d", got.status)
	}
	var keys api.KeySet
	decode(t, r.ask(open, http.MethodGet, "/sleutels", "").body, &keys)
	if len(keys.Keys) != 4 {
		t.Fatalf("published keys: got %d, want 4", len(keys.Keys))
	}
	for _, key := range keys.Keys {
		st, err := api.VerifyStatement(key.Statement, r.material.ca.Pool())
		if err != nil || st.OIN != key.OIN || st.Key.KeyID() != key.KeyID || key.Key != st.Key {
			t.Errorf("key of %s: %v", key.OIN, err)
		}
	}
}

func TestATokenForAnotherServiceOpensNothing(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	raw := r.issuer.Token(hub+"/bag", func(c *token.Claims) { c.PeerID, c.Scope = assen, api.ScopeRead })
	client := &api.Client{HTTP: &http.Client{Transport: bearer{raw, r.transport}}}
	if got := r.ask(client, http.MethodGet, "/uitwisselingen", ""); got.status != http.StatusUnauthorized {
		t.Errorf("got %d", got.status)
	}
}
