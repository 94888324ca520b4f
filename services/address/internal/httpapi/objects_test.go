package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/services/address/api"
)

func TestLinksKeepToTheMomentThatWasAsked(t *testing.T) {
	s := town(t)
	path := "/nummeraanduidingen/" + bagextract.TownDesignationID
	for query, want := range map[string]string{
		"":                                       "",
		"?geldigOp=2026-10-01":                   "?beschikbaarOp=2026-11-23T12%3A00%3A00.000&geldigOp=2026-10-01",
		"?beschikbaarOp=2026-10-01T10%3A00%3A00": "?beschikbaarOp=2026-10-01T10%3A00%3A00&geldigOp=2026-11-23",
		"?geldigOp=2026-10-01&beschikbaarOp=2026-10-01T10%3A00%3A00": "?beschikbaarOp=2026-10-01T10%3A00%3A00&geldigOp=2026-10-01",
	} {
		var r api.Resource
		s.get(path+query, &r)
		if got := r.Links.Self.Href; got != hub+api.Base+path+query {
			t.Errorf("%s: got self %s", query, got)
		}
		if got := below(t, r.Links.LigtAanOpenbareRuimte.Href); !strings.HasSuffix(got, r.Nummeraanduiding.LigtAan+want) {
			t.Errorf("%s: got %s, want it to end with %q", query, got, want)
		}
	}
}

func TestTimeTravelGivesWhatHeldAndWhatWasKnown(t *testing.T) {
	s := town(t)
	var page api.Collection[api.Resource]
	at := func(query string) string {
		t.Helper()
		page = api.Collection[api.Resource]{}
		s.get("/nummeraanduidingen?postcode="+query, &page)
		if len(page.Embedded["nummeraanduidingen"]) == 0 {
			return ""
		}
		return page.Embedded["nummeraanduidingen"][0].Nummeraanduiding.Postcode
	}
	old, moved := bagextract.TownMovingPostcode+"&huisnummer=3", bagextract.TownMovedPostcode+"&huisnummer=3"
	for name, c := range map[string]struct{ query, want string }{
		"the old postcode today":                           {old, bagextract.TownMovingPostcode},
		"the new postcode today":                           {moved, ""},
		"the new postcode on the day":                      {moved + "&geldigOp=" + bagextract.TownMovingDate, bagextract.TownMovedPostcode},
		"the old postcode on the day":                      {old + "&geldigOp=" + bagextract.TownMovingDate, ""},
		"the day of the move, before the registers knew":   {moved + "&geldigOp=" + bagextract.TownMovingDate + "&beschikbaarOp=2015-01-01T00:00", ""},
		"before anything was registered":                   {old + "&beschikbaarOp=1990-01-01T00:00:00.12345", ""},
		"a moment with an offset, as made clients send it": {old + "&beschikbaarOp=2026-11-20T10:00:00%2B01:00", bagextract.TownMovingPostcode},
	} {
		if got := at(c.query); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestEndedObjectsAreGivenUnlessOnlyCurrentOnesAreAsked(t *testing.T) {
	s := town(t)
	var all, current api.Collection[api.Resource]
	s.get("/nummeraanduidingen?postcode=9990AC&huisnummer=96", &all)
	s.get("/nummeraanduidingen?postcode=9990AC&huisnummer=96&huidig=true", &current)
	if len(all.Embedded["nummeraanduidingen"]) != 1 || current.Embedded != nil {
		t.Errorf("got %v and %v, want the withdrawn one and nothing", all, current)
	}
}

func TestPartsOfAnAddressComeWithIt(t *testing.T) {
	s := town(t)
	var a api.Adres
	s.get("/adressen/"+bagextract.TownDesignationID+"?expand=adresseerbaarobject,woonplaats", &a)
	if a.Embedded == nil || a.Embedded.Woonplaats == nil || a.Embedded.OpenbareRuimte != nil || a.Embedded.AdresseerbaarObject == nil ||
		a.Embedded.AdresseerbaarObject.Verblijfsobject.Verblijfsobject.Identificatie != a.AdresseerbaarObjectIdentificatie {
		t.Errorf("got %+v, want the place and the addressable object", a.Embedded)
	}
}

func TestOtherGridsAreRefused(t *testing.T) {
	s := town(t)
	path := "/panden/9901100000000001"
	for header, want := range map[string]struct {
		status int
		code   string
	}{"Accept-Crs": {406, "crsNotAcceptable"}, "Content-Crs": {415, "crsNotSupported"}} {
		f, _ := s.refused(http.MethodGet, path, func(r *http.Request) { r.Header.Set(header, "epsg:4326") })
		if f.Status != want.status || f.Code != want.code {
			t.Errorf("%s: got %d %s, want %d %s", header, f.Status, f.Code, want.status, want.code)
		}
	}
	w := s.ask(http.MethodGet, path, func(r *http.Request) { r.Header.Set("Accept-Crs", "epsg:28992") })
	if w.Code != http.StatusOK || w.Header().Get("Content-Crs") != "epsg:28992" {
		t.Errorf("got %d %q", w.Code, w.Header())
	}
}

func TestABodyThatIsNoPointIsRefused(t *testing.T) {
	s := town(t)
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"type": "Point","coordinates": "[null, 474479.898]"}`:  {400, "paramsValidation"},
		`{"type":"Point","coordinates":[51.93201,4.55980]}`:      {400, "paramsValidation"},
		`{"type":"Point","coordinates":[null,474479.898]}`:       {422, "unprocessableEntity"},
		`{"type":"Point","coordinates":[98095.02]}`:              {422, "unprocessableEntity"},
		`{"type":"Polygon","coordinates":[]}`:                    {422, "unprocessableEntity"},
		`{"type":"Point","coordinates":[98095.02,438495.09]} {}`: {422, "unprocessableEntity"},
		`nothing`: {422, "unprocessableEntity"},
		``:        {422, "unprocessableEntity"},
		`{"x":"` + strings.Repeat("x", 2<<20) + `"}`: {413, "unprocessableEntity"},
	} {
		w := s.post("/panden", body)
		var f api.Fout
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != want.status || f.Code != want.code {
			t.Errorf("%.60s: got %d %s, want %d %s", body, w.Code, f.Code, want.status, want.code)
		}
	}
	if w := s.ask(http.MethodPost, "/panden", nil); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("got %d without a media type", w.Code)
	}
	var c api.Collection[api.Resource]
	w := s.post("/woonplaatsen", `{"type":"Point","coordinates":[232000,602000]}`)
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || len(c.Embedded["woonplaatsen"]) != 1 {
		t.Errorf("got %d %s, want the town", w.Code, w.Body)
	}
}

func TestAnExtendedAddressHasTheFactsOfItsObjectAndBuildings(t *testing.T) {
	s := town(t)
	var a api.AdresUitgebreid
	path := "/adressenuitgebreid/" + bagextract.TownDesignationID
	s.get(path, &a)
	if a.Adresregel5 != "Marktplein 1" || a.TypeAdresseerbaarObject != "Verblijfsobject" || a.Oppervlakte == 0 || len(a.Gebruiksdoelen) == 0 ||
		len(a.OorspronkelijkBouwjaar) != len(a.PandIdentificaties) || !strings.Contains(string(a.AdresseerbaarObjectGeometrie), `"punt"`) {
		t.Errorf("got %+v", a)
	}
	if got := a.Links.Self.Href; got != hub+api.Base+path {
		t.Errorf("got self %s", got)
	}
	for query, want := range map[string]int{"": 0, "&inclusiefEindStatus=true": 1} {
		var c api.Collection[api.AdresUitgebreid]
		s.get("/adressenuitgebreid?postcode=9970AC&huisnummer=8"+query, &c)
		if got := len(c.Embedded["adressen"]); got != want {
			t.Errorf("%q: got %d addresses in the demolished building, want %d", query, got, want)
		}
	}
}

func TestTheMunicipalityOfAnObjectIsThatOfItsPlace(t *testing.T) {
	s := town(t)
	for _, id := range []string{bagextract.TownDesignationID, "9901100000000001", "9901010000000001", "9901300000000001"} {
		var c api.Collection[api.BronhouderAntwoord]
		s.get("/bronhouders?objectIdentificatie="+id, &c)
		if got := c.Embedded["bronhouders"]; len(got) != 1 || got[0].Bronhouder.Code != bagextract.TownMunicipality {
			t.Errorf("%s: got %+v, want %s", id, got, bagextract.TownMunicipality)
		}
	}
	var empty api.Collection[api.BronhouderAntwoord]
	if s.get("/bronhouders?objectIdentificatie=9901109999999999", &empty); empty.Embedded != nil {
		t.Errorf("got %+v of an unknown building", empty)
	}
	var b api.BronhouderAntwoord
	if s.get("/bronhouders/0457?geldigOp=2020-01-01", &b); b.Bronhouder.Naam != "Weesp" || b.Bronhouder.Provincie.Afkorting != "NH" {
		t.Errorf("got %+v", b)
	}
	for path, want := range map[string]int{"/bronhouders/0457": 404, "/bronhouders/0457/1/1": 404, "/bronhouders/457": 400, "/bronhouders": 400,
		"/bronhouders?objectIdentificatie=x": 400, "/bronhouders?objectIdentificatie=1234&woonplaatsIdentificatie=1234": 400} {
		if f, _ := s.refused(http.MethodGet, path, nil); f.Status != want {
			t.Errorf("%s: got %d, want %d", path, f.Status, want)
		}
	}
}
