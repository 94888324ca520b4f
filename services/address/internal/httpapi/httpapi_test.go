package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/httpapi"
	"noorderhub.nl/hub/services/address/internal/lookup"
	"noorderhub.nl/hub/services/address/internal/stand"
)

const hub = "https://hub.example.nl"

type registers struct{ *stand.Stand }

func (r registers) Acquire(context.Context) (lookup.Register, func(), error) {
	if r.Stand == nil {
		return nil, nil, errs.CodeUnavailable.New("geen stand").WithRetryAfter(30 * time.Second)
	}
	return r.Stand, func() {}, nil
}

// surface is the API on the fictional town, with its own description as a judge of every answer.
type surface struct {
	t       testing.TB
	handler http.Handler
	router  routers.Router

	official *judge // a second judge: the Kadaster's description
	quiet    bool   // without judges
}

// judge checks answers against a description.
type judge struct{ router routers.Router }

func (j *judge) check(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	route, params, err := j.router.FindRoute(r)
	if err != nil || r.Method == http.MethodHead || strings.HasSuffix(r.URL.Path, "/") ||
		strings.Count(route.Path, "/") != strings.Count(strings.TrimPrefix(r.URL.Path, api.Base), "/") {
		return // a path or a method outside the description
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s: the answer does not keep to the description: %.1500v", r.Method, r.URL, err)
	}
}

func over(t testing.TB, r registers) *surface {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err == nil {
		err = doc.Validate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &surface{t: t, router: router, handler: httpapi.New(httpapi.Deps{
		Lookup: lookup.New(r, now, time.UTC), PublicURL: hub, Errors: hub + "/portaal/fouten", Logger: slog.New(slog.DiscardHandler),
	})}
}

func town(t testing.TB) *surface {
	t.Helper()
	path := filepath.Join(t.TempDir(), bagextract.TownFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bagextract.WriteTown(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	store, err := stand.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	st, err := store.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Release(); _ = store.Close() })
	return over(t, registers{st})
}

// ask sends a request to a path below the base and checks the answer against the description.
func (s *surface) ask(method, path string, edit func(*http.Request)) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, api.Base+path, nil)
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if s.quiet {
		return w
	}
	(&judge{s.router}).check(s.t, r, w)
	if s.official != nil && w.Code == http.StatusOK {
		s.official.check(s.t, r, w)
	}
	return w
}

func (s *surface) page(path string) api.Adressen {
	s.t.Helper()
	w := s.ask(http.MethodGet, path, nil)
	var p api.Adressen
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
		s.t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
	return p
}

func (s *surface) refused(method, path string, edit func(*http.Request)) (api.Fout, http.Header) {
	s.t.Helper()
	w := s.ask(method, path, edit)
	var f api.Fout
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code < 400 || f.Status != w.Code {
		s.t.Fatalf("%s: got %d %s, want a refusal", path, w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		s.t.Errorf("%s: got content type %q", path, got)
	}
	return f, w.Header()
}

// TestRefusalsAreThoseOfTheKadaster has the scenarios of foutafhandeling.feature that concern /adressen.
func TestRefusalsAreThoseOfTheKadaster(t *testing.T) {
	s := town(t)
	const validation = "Een of meerdere parameters zijn niet correct."
	const combination = "De combinatie van opgegeven parameters is niet toegestaan."
	const minimal = "Minimale combinatie van parameters moet worden opgegeven."
	const required = "Ten minste één parameter moet worden opgegeven."
	for _, c := range []struct {
		path        string
		status      int
		code, title string
		faults      []string // name code reason
	}{
		{"/adressen?postcode=1234aa&huisnummer=a", 400, "paramsValidation", validation, []string{"huisnummer integer Waarde is geen geldige integer."}},
		{"/adressen?pandIdentificatie=0345100002016017&page=a", 400, "paramsValidation", validation, []string{"page integer Waarde is geen geldige integer."}},
		{"/adressen?pandIdentificatie=0345100002016017X", 400, "paramsValidation", validation, []string{"pandIdentificatie pattern Waarde voldoet niet aan patroon ^[0-9]{4}10[0-9]{10}$."}},
		{"/adressen?postcode=1234AA&huisnummer=999999&huisletter=AA", 400, "paramsValidation", validation, []string{
			"huisnummer maximum Waarde is hoger dan maximum 99999.", "huisletter pattern Waarde voldoet niet aan patroon ^[a-zA-Z]{1}$."}},
		{"/adressen?postcode=123aa&huisnummer=0&huisnummertoevoeging=tegenover&vreemd=1&pageSize=9", 400, "paramsValidation", validation, []string{
			"vreemd unknownParam Parameter is niet verwacht.",
			"postcode pattern Waarde voldoet niet aan patroon ^[1-9]{1}[0-9]{3}[ ]{0,1}[a-zA-Z]{2}$.", "huisnummer minimum Waarde is lager dan minimum 1.",
			"huisnummertoevoeging maxLength Waarde is langer dan maximale lengte 4.", "pageSize minimum Waarde is lager dan minimum 10."}},
		{"/adressen?postcode=1234AA&huisnummer=1&pageSize=101", 400, "paramsValidation", validation, []string{"pageSize maximum Waarde is hoger dan maximum 100."}},
		{"/adressen?postcode=1234AA&huisnummer=1&exacteMatch=ja", 400, "paramsValidation", validation, []string{"exacteMatch boolean Waarde is geen geldige boolean."}},
		{"/adressen?postcode=1234AA&huisnummer=1&huisnummer=2", 400, "paramsValidation", validation, []string{"huisnummer schema Waarde voldoet niet aan schema van huisnummer."}},
		{"/adressen?postcode=9990AA&huisnummer=1&page=15", 400, "paramsValidation", validation, []string{"page page De opgegeven pagina bestaat niet."}},
		{"/adressen?q=markt", 400, "paramsValidation", validation, []string{"q notSupported Parameter wordt door deze dienst nog niet ondersteund."}},
		{"/adressen?postcode=9990AA&huisnummer=1&expand=bestaatniet,woonplaats,bestaatookniet", 400, "paramsValidation", validation, []string{
			"expand expand Deel van de parameterwaarde is niet correct: bestaatniet.",
			"expand expand Deel van de parameterwaarde is niet correct: bestaatookniet."}},
		{"/adresseerbareobjecten/0599040000", 400, "paramsValidation", validation, []string{
			"adresseerbaarObjectIdentificatie pattern Waarde voldoet niet aan patroon ^[0-9]{4}(01|02|03)[0-9]{10}$."}},
		{"/nummeraanduidingen?huisnummer=123456&geldigOp=1983-05-00", 400, "paramsValidation", validation, []string{
			"geldigOp date Waarde is geen geldige datum.", "huisnummer maximum Waarde is hoger dan maximum 99999."}},
		{"/adresseerbareobjecten?nummeraanduidingIdentificatie=0772200000097041&beschikbaarOp=23-04-2019T00:00:00", 400, "paramsValidation", validation,
			[]string{"beschikbaarOp timestamp Waarde is geen geldig tijdstip."}},
		{"/verblijfsobjecten/9901010000000001?expand=", 400, "paramsValidation", validation, []string{"expand expand Deel van de parameterwaarde is niet correct: ."}},
		{"/panden/9901100000000001/x/y", 400, "paramsValidation", validation, []string{
			"versie integer Waarde is geen geldige integer.", "timestampRegistratieLv timestamp Waarde is geen geldig tijdstip."}},
		{"/panden?point=type,Point,coordinates,null,474479.898", 400, "paramsValidation", validation, []string{"point pointgeojson Waarde is geen geldige pointgeojson."}},
		{"/panden?point=type,Point,caardinates,155000,463000", 400, "paramsValidation", validation, []string{"point schema Waarde voldoet niet aan schema van point."}},
		{"/panden?point=type,Point,coordinates,abc,def", 400, "paramsValidation", validation, []string{"point schema Waarde voldoet niet aan schema van point."}},
		{"/panden?point=type,Point,coordinates,98095.02", 400, "paramsValidation", validation, []string{"point minItems Array bevat minder dan 2 items."}},
		{"/panden?point=type,Point,coordinates,98095.02,438495.09,0", 400, "paramsValidation", validation, []string{"point maxItems Array bevat meer dan 2 items."}},
		{"/panden?point=type,Point,coordinates,51.93201,4.55980", 400, "paramsValidation", validation, []string{"point geometryMismatch Waarde is niet conform opgegeven CRS."}},
		{"/panden?point=type,Point,coordinates,NaN,Inf", 400, "paramsValidation", validation, []string{"point geometryMismatch Waarde is niet conform opgegeven CRS."}},
		{"/adresseerbareobjecten?bbox=52.10540,5.09861,52.10500,5.09887", 400, "paramsValidation", validation, []string{"bbox geometryMismatch Waarde is niet conform opgegeven CRS."}},
		{"/panden?bbox=135000,457000,136000,458000", 400, "paramsValidation", validation, []string{"bbox maximum Oppervlakte is hoger dan maximum 250000."}},
		{"/adresseerbareobjecten?bbox=135207,457400,135418,457162&geconstateerd=Nee", 400, "paramsValidation", validation, []string{"geconstateerd boolean Waarde is geen geldige boolean."}},
		{"/adresseerbareobjecten?bbox=135207,457400,135418,457162&oppervlakte[min]=-1&oppervlakte[max]=1", 400, "paramsValidation", validation, []string{"oppervlakte[min] minimum Waarde is lager dan minimum 1."}},
		{"/panden?bbox=135207,457400,135418,457162&bouwjaar[min]=2000&bouwjaar[max]=20200", 400, "paramsValidation", validation, []string{
			"bouwjaar[max] maximum Waarde is hoger dan maximum 9999."}},
		{"/panden?bbox=135207,457400,135418,457162&bouwjaar[min]=2000&bouwjaar[max]=1999&statusPand=weg", 400, "paramsValidation", validation, []string{
			"statusPand enum Waarde heeft geen geldige waarde uit de enumeratie.", "bouwjaar range Min mag niet hoger zijn dan max."}},
		{"/adresseerbareobjecten?bbox=135207,457400,135418,457162&type=fout", 400, "paramsValidation", validation, []string{"type enum Waarde heeft geen geldige waarde uit de enumeratie."}},
		{"/panden?point=type,Point,coordinates,98095.02,438495.09&bbox=135228,457502,135246,457457", 400, "unsupportedCombination", combination, nil},
		{"/panden?point=type,Point,coordinates,98095.02,438495.09&statusPand=Pand%20in%20gebruik&geconstateerd=true", 400, "unsupportedCombination", combination, nil},
		{"/adresseerbareobjecten?pandIdentificaties=0599100000103376&type=verblijfsobject", 400, "unsupportedCombination", combination, nil},
		{"/adresseerbareobjecten?gebruiksdoelen=woonfunctie&geconstateerd=false&oppervlakte[min]=50&oppervlakte[max]=80", 400, "paramsRequired", required, nil},
		{"/adresseerbareobjecten", 400, "paramsRequired", required, nil},
		{"/panden?huidig=true", 400, "paramsRequired", required, nil},
		{"/openbareruimten?openbareRuimteNaam=Brink", 400, "paramsCombination", minimal, nil},
		{"/nummeraanduidingen?postcode=9990AA", 400, "paramsCombination", minimal, nil},
		{"/openbareruimten?woonplaatsIdentificatie=2856&woonplaatsNaam=Deventer&openbareRuimteNaam=Brink", 400, "unsupportedCombination", combination, nil},
		{"/adresseerbareobjecten?nummeraanduidingIdentificatie=0226200000038923&pandIdentificaties=0226100000008856", 400, "unsupportedCombination", combination, nil},
		{"/panden?adresseerbaarObjectIdentificatie=0484010002033603&nummeraanduidingIdentificatie=0484200002040489", 400, "unsupportedCombination", combination, nil},
		{"/woonplaatsen?naam=Noorderhaven&huidig=true&geldigOp=2026-01-01", 400, "unsupportedCombination", combination, nil},
		{"/adresseerbareobjecten/1599010000048400", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/panden/9999100000117766", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/panden/9999100000117766/lvc", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/panden/9901100000000001/1/0", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/adressen?postcode=%zz&huisnummer=1", 400, "paramsValidation", validation, []string{" notAllowedCharacter Parameter bevat niet toegestane karakters."}},
		{"/adressen/123", 400, "paramsValidation", validation, []string{"nummeraanduidingIdentificatie pattern Waarde voldoet niet aan patroon ^[0-9]{16}$."}},
		{"/adressen", 400, "paramsRequired", required, nil},
		{"/adressen?page=1", 400, "paramsRequired", required, nil},
		{"/adressen?postcode=&huisnummer=1", 400, "paramsRequired", required, nil},
		{"/adressen?postcode=2391PH", 400, "paramsCombination", minimal, nil},
		{"/adressen?huisnummer=3", 400, "paramsCombination", minimal, nil},
		{"/adressen?postcode=2391PH&huisletter=a&huisnummertoevoeging=2", 400, "paramsCombination", minimal, nil},
		{"/adressen?huisnummer=3&huisletter=a&huisnummertoevoeging=2", 400, "paramsCombination", minimal, nil},
		{"/adressen?woonplaatsNaam=Noorderhaven&huisnummer=3", 400, "paramsCombination", minimal, nil},
		{"/adressen?pandIdentificatie=0226100000008856&adresseerbaarObjectIdentificatie=0226010000038820", 400, "unsupportedCombination", combination, nil},
		{"/adressen?pandIdentificatie=0226100000008856&postcode=4904AM", 400, "unsupportedCombination", combination, nil},
		{"/adressen?pandIdentificatie=0226100000008856&huisnummer=633", 400, "unsupportedCombination", combination, nil},
		{"/adressen?postcode=9990AA&huisnummer=1&woonplaatsNaam=Noorderhaven", 400, "unsupportedCombination", combination, nil},
		{"/adressen/9901209999999999", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/adressen/9999999999999999", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/adressen/", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/adressen/9901200000000001/", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
		{"/pandjes", 404, "notFound", "Opgevraagde resource bestaat niet.", nil},
	} {
		f, header := s.refused(http.MethodGet, c.path, nil)
		if f.Status != c.status || f.Code != c.code || f.Title != c.title {
			t.Errorf("%s: got %d %s %q, want %d %s %q", c.path, f.Status, f.Code, f.Title, c.status, c.code, c.title)
		}
		var faults []string
		for _, p := range f.InvalidParams {
			faults = append(faults, p.Name+" "+p.Code+" "+p.Reason)
		}
		if !slices.Equal(faults, c.faults) {
			t.Errorf("%s: got faults %q, want %q", c.path, faults, c.faults)
		}
		if want := hub + api.Base + c.path; f.Instance != want {
			t.Errorf("%s: got instance %q, want %q", c.path, f.Instance, want)
		}
		if got := header.Get(api.StandHeader); got != bagextract.TownDate {
			t.Errorf("%s: got stand %q on the refusal, want %q", c.path, got, bagextract.TownDate)
		}
	}
}

func TestAWrongMethodIsToldWhichAreRight(t *testing.T) {
	s := town(t)
	for _, path := range []string{"/adressen?postcode=9990AA&huisnummer=1", "/adressen/9901200000000001"} {
		f, header := s.refused(http.MethodPost, path, nil)
		if f.Status != http.StatusMethodNotAllowed || f.Code != "methodNotAllowed" || !strings.Contains(header.Get("Allow"), "GET") {
			t.Errorf("%s: got %+v with Allow %q, want 405 with GET", path, f, header.Get("Allow"))
		}
	}
	if w := s.ask(http.MethodHead, "/adressen/9901200000000001", nil); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD: got %d with %d bytes, want 200 without a body", w.Code, w.Body.Len())
	}
}

func TestOnlyHALIsGiven(t *testing.T) {
	s := town(t)
	for accept, want := range map[string]int{
		"application/hal+json": 200, "*/*": 200, "application/*;q=0.5": 200, "text/html, application/hal+json;q=0.9": 200,
		"application/xml": 406, "application/json": 406, "application/hal+json;q=0": 406, "nonsense": 406,
	} {
		w := s.ask(http.MethodGet, "/adressen/9901200000000001", func(r *http.Request) { r.Header.Set("Accept", accept) })
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", accept, w.Code, want)
		}
	}
}

func TestNothingFoundIsAnAnswerWithoutACollection(t *testing.T) {
	s := town(t)
	w := s.ask(http.MethodGet, "/adressen?postcode=1234AB&huisnummer=1", nil)
	if got, want := strings.TrimSpace(w.Body.String()), `{"_links":{"self":{"href":"`+hub+api.Base+`/adressen?postcode=1234AB&huisnummer=1"}}}`; w.Code != 200 || got != want {
		t.Errorf("got %d %s, want %s", w.Code, got, want)
	}
}

func TestPagesLinkWhereTheyLead(t *testing.T) {
	s := town(t)
	const path = "/adressen?openbareRuimteIdentificatie=9901300000000001" // 24 numbers and their letters and flats
	first := s.page(path)
	if len(first.Embedded.Adressen) != 20 || first.Links.First != nil || first.Links.Previous != nil || first.Links.Next == nil || first.Links.Last == nil {
		t.Fatalf("first page: got %d addresses and %+v", len(first.Embedded.Adressen), first.Links)
	}
	if got, want := first.Links.Next.Href, hub+api.Base+"/adressen?openbareRuimteIdentificatie=9901300000000001&page=2"; got != want {
		t.Errorf("got next %q, want %q without pageSize", got, want)
	}
	last := s.page(strings.TrimPrefix(first.Links.Last.Href, hub+api.Base))
	if last.Links.Next != nil || last.Links.Last != nil || last.Links.First == nil || last.Links.Previous == nil {
		t.Errorf("last page: got %+v", last.Links)
	}
	middle := s.page(path + "&page=2&pageSize=10")
	u, err := url.Parse(middle.Links.Next.Href)
	if err != nil || u.Query().Get("page") != "3" || u.Query().Get("pageSize") != "10" || middle.Links.Self.Href != hub+api.Base+path+"&page=2&pageSize=10" {
		t.Errorf("got %+v, want the page size kept and self as it was asked", middle.Links)
	}
	one := s.page("/adressen?postcode=9990AA&huisnummer=1")
	if one.Links.First != nil || one.Links.Next != nil || one.Links.Last != nil {
		t.Errorf("a single page: got %+v, want only self", one.Links)
	}
}

func TestLinksLeadToTheOutsideAddress(t *testing.T) {
	s := town(t)
	for name, c := range map[string]struct{ proto, host, prefix, want string }{
		"as the gateway says":      {"http", "127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		"with a prefix":            {"https", "data.example.nl", "/noord", "https://data.example.nl/noord"},
		"not said":                 {"", "", "", hub},
		"a strange host":           {"https", "evil.example/\"><script>", "", hub},
		"a strange scheme":         {"javascript", "a.example", "", hub},
		"a prefix that leaves it":  {"https", "a.example", "//b.example", hub},
		"an address of version 6":  {"https", "[::1]:8443", "", "https://[::1]:8443"},
		"a host with a user in it": {"https", "a@b.example", "", hub},
	} {
		w := s.ask(http.MethodGet, "/adressen/9901200000000001", func(r *http.Request) {
			r.Header.Set("X-Forwarded-Proto", c.proto)
			r.Header.Set("X-Forwarded-Host", c.host)
			r.Header.Set("X-Forwarded-Prefix", c.prefix)
		})
		var a api.Adres
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if got, want := a.Links.Self.Href, c.want+api.Base+"/adressen/9901200000000001"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAnAddressUnderInquirySaysSo(t *testing.T) {
	s := town(t)
	a := s.page("/adressen?postcode=9990AC&huisnummer=22").Embedded.Adressen[0]
	if a.Inonderzoek == nil || !a.Inonderzoek.Huisletter || len(a.Inonderzoek.Toelichting) != 1 || !strings.HasPrefix(a.Inonderzoek.Toelichting[0], "Mogelijk is ten onrechte een huisletter toegekend") {
		t.Errorf("got %+v", a.Inonderzoek)
	}
	if a := s.page("/adressen?postcode=9990AC&huisnummer=20").Embedded.Adressen[0]; a.Geconstateerd == nil || !a.Geconstateerd.Nummeraanduiding || a.Geconstateerd.Woonplaats {
		t.Errorf("got %+v", a.Geconstateerd)
	}
}

func TestWithoutAStandTheSourceIsNotAvailable(t *testing.T) {
	s := over(t, registers{})
	f, header := s.refused(http.MethodGet, "/adressen?postcode=9990AA&huisnummer=1", nil)
	if f.Status != http.StatusServiceUnavailable || f.Code != "sourceUnavailable" || header.Get("Retry-After") != "30" || header.Get(api.StandHeader) != "" {
		t.Errorf("got %+v with %v", f, header)
	}
}

func TestTheClientReadsWhatTheServiceWrites(t *testing.T) {
	server := httptest.NewServer(town(t).handler)
	defer server.Close()
	c := &api.Client{Hub: server.URL}
	page, err := c.Adressen(t.Context(), api.Zoekvraag{Postcode: "9990AA", Huisnummer: 12, Huisletter: "a", ExacteMatch: true})
	if err != nil || page.Embedded == nil || page.Embedded.Adressen[0].Adresregel5 != "Marktplein 12 A" {
		t.Errorf("got %+v %v", page, err)
	}
	a, err := c.Adres(t.Context(), bagextract.TownDesignationID)
	if err != nil || a.Adresregel5 != "Marktplein 1" {
		t.Errorf("got %+v %v", a, err)
	}
	_, err = c.Adres(t.Context(), "9901209999999999")
	var f *api.Fout
	if !errors.As(err, &f) || f.Code != "notFound" {
		t.Errorf("got %v, want the refusal", err)
	}
}

// FuzzQuery: whatever stands in the query, the answer is one of the description's.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"postcode=9990AA&huisnummer=12", "pandIdentificatie=9901100000000001&page=2", "woonplaatsNaam=%00&openbareRuimteNaam=é&huisnummer=1", "%zz", "postcode=9990 aa&huisnummer=00012&huisletter=A"} {
		f.Add(q)
	}
	s := town(f)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, api.Base+"/adressen", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Fatalf("%q: got %d %s", query, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: got no JSON: %s", query, w.Body)
		}
	})
}
