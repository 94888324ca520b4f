package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/legacy"

	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/bagtest"
	"noorderhub.nl/hub/services/address/internal/stand"
)

// kadaster gives a surface on the real extract of Weesp that every answer of which is judged by the Kadaster's own
// description as well.
func kadaster(t *testing.T) *surface {
	t.Helper()
	bagtest.Heavy(t)
	path := bagtest.SharedData(t, bagtest.Weesp)
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
	s := over(t, registers{st})
	s.official = official(t)
	return s
}

// official reads the Kadaster's description. Its faults are mended: it requires a misspelt kortNaam, and bounds short names
// of streets that were never shortened.
func official(t *testing.T) *judge {
	t.Helper()
	file := filepath.Join(filepath.Dir(bagtest.SharedData(t, ".")), "..", "reference", "openapi", "kadaster-bag-v2.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the description is not beside the repository: %v", err)
	}
	text = bytes.ReplaceAll(text, []byte("- kortNaam\n"), []byte("- korteNaam\n"))
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: api.Base}}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaPatternValidation())
	if err != nil {
		t.Fatal(err)
	}
	return &judge{router}
}

func (s *surface) get(path string, dst any) {
	s.t.Helper()
	w := s.ask(http.MethodGet, path, nil)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), dst); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
}

// below gives the path below the base of a link on the outside address.
func below(t *testing.T, href string) string {
	t.Helper()
	path, ok := strings.CutPrefix(href, hub+api.Base)
	if !ok {
		t.Fatalf("got link %s, want one on the outside address", href)
	}
	return path
}

var pathOf = map[string]string{"WPL": "woonplaatsen", "OPR": "openbareruimten", "NUM": "nummeraanduidingen", "VBO": "verblijfsobjecten",
	"LIG": "ligplaatsen", "STA": "standplaatsen", "PND": "panden"}

func objectOf(r *api.Resource) *api.Object {
	for _, o := range []*api.Object{r.Woonplaats, r.OpenbareRuimte, r.Nummeraanduiding, r.Verblijfsobject, r.Ligplaats, r.Standplaats, r.Pand} {
		if o != nil {
			return o
		}
	}
	return &api.Object{}
}

// TestEveryOccurrenceOfTheRealExtractIsAnsweredAsItsXMLSays asks for the life cycle of every object and compares each
// occurrence with an independent reading of the XML.
func TestEveryOccurrenceOfTheRealExtractIsAnsweredAsItsXMLSays(t *testing.T) {
	s := kadaster(t)
	all := bagtest.Extract(t, bagtest.SharedData(t, bagtest.Weesp))
	for code, lines := range all {
		ids := map[string][]string{}
		for _, line := range slices.Compact(lines) {
			f := strings.Split(line, "|")
			ids[f[1]] = append(ids[f[1]], summary(f))
		}
		n := 0
		for id, want := range ids {
			if n++; n > 2000 && testing.Short() {
				break
			}
			var c api.Collection[api.Resource]
			s.quiet = n%50 != 0 // both descriptions judge one in fifty: that is the slow part
			s.get("/"+pathOf[code]+"/"+id+"/lvc?geheleLvc=true", &c)
			var got []string
			for _, r := range c.Embedded["voorkomens"] {
				got = append(got, summaryOf(objectOf(&r)))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: got\n%s\nwant\n%s", id, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		t.Logf("%s: %d objects", code, n)
	}
}

// summary picks from a line of bagtest what the answer holds.
func summary(f []string) string {
	year, area := f[31], f[30]
	short := f[17]
	if f[0] == "OPR" && short == "" {
		short = f[16]
	}
	kind := f[18]
	switch f[0] {
	case "VBO":
		kind = "Verblijfsobject"
	case "LIG":
		kind = "Ligplaats"
	case "STA":
		kind = "Standplaats"
	}
	return strings.Join([]string{f[1], f[2], f[3], f[4], f[5], f[8], f[12], f[13], f[14], f[15], f[16], short, kind, f[19], f[20], f[21], f[22], f[23], f[24],
		f[25], f[26], f[27], f[28], f[29], area, strings.TrimLeft(year, "0")}, "|")
}

func summaryOf(o *api.Object) string {
	uses := slices.Clone(o.Gebruiksdoelen)
	slices.Sort(uses)
	v := o.Voorkomen
	return strings.Join([]string{o.Identificatie, fmt.Sprint(v.Versie), v.BeginGeldigheid, v.EindGeldigheid, clock(v.TijdstipRegistratie),
		clock(v.TijdstipRegistratieLV), o.Status, o.Geconstateerd, o.Documentdatum, o.Documentnummer, o.Naam, o.KorteNaam, o.Type, o.LigtIn, number(o.Huisnummer),
		o.Huisletter, o.Huisnummertoevoeging, o.Postcode, o.TypeAdresseerbaarObject, o.LigtAan, o.HeeftAlsHoofdAdres,
		strings.Join(o.HeeftAlsNevenAdres, ","), strings.Join(o.MaaktDeelUitVan, ","), strings.Join(uses, ","), number(o.Oppervlakte),
		strings.TrimLeft(o.OorspronkelijkBouwjaar, "0")}, "|")
}

// clock cuts the offset off: the surface under test has its clocks in UTC.
func clock(s string) string { return strings.TrimSuffix(s, "Z") }

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// TestTheContractOfTheKadasterIsKeptOnRealData walks from an address over links and collections, each answer judged by
// both descriptions.
func TestTheContractOfTheKadasterIsKeptOnRealData(t *testing.T) {
	s := kadaster(t)
	all := bagtest.Extract(t, bagtest.SharedData(t, bagtest.Weesp))
	s.get("/info", &api.Info{})
	for code, lines := range all {
		for i := 0; i < len(lines); i += 1 + len(lines)/25 {
			f := strings.Split(lines[i], "|")
			path := "/" + pathOf[code] + "/" + f[1]
			s.ask(http.MethodGet, path, nil) // there today, or not
			var cycle api.Collection[api.Resource]
			s.get(path+"/lvc", &cycle)
			for _, v := range cycle.Embedded["voorkomens"] {
				self := below(t, v.Links.Self.Href)
				var r api.Resource
				s.get(self, &r)
				if got, want := objectOf(&r), objectOf(&v); got.Voorkomen != want.Voorkomen {
					t.Errorf("%s: got %+v, want %+v", self, got.Voorkomen, want.Voorkomen)
				}
				if end := objectOf(&v).Voorkomen.EindGeldigheid; end == objectOf(&v).Voorkomen.BeginGeldigheid {
					continue // it never held
				}
				s.get(path+"?expand=true&geldigOp="+objectOf(&v).Voorkomen.BeginGeldigheid, &r)
				if got := objectOf(&r).Voorkomen.BeginGeldigheid; got != objectOf(&v).Voorkomen.BeginGeldigheid {
					t.Errorf("%s on %s: got the occurrence of %s", path, objectOf(&v).Voorkomen.BeginGeldigheid, got)
				}
				if code == "VBO" && (r.Embedded == nil || r.Embedded.HeeftAlsHoofdAdres == nil) {
					t.Logf("%s on %s: its address is not in the extract", path, objectOf(&v).Voorkomen.BeginGeldigheid)
				}
			}
			day := "&geldigOp=" + f[3]
			if f[3] < "2009" { // the relations of localities to municipalities begin later than the oldest objects
				day = ""
			}
			var holders api.Collection[api.BronhouderAntwoord]
			s.get("/bronhouders?objectIdentificatie="+f[1]+day, &holders)
			for _, b := range holders.Embedded["bronhouders"] {
				if got := b.Bronhouder.Naam; got != "Weesp" && got != "Muiden" && got != "Gooise Meren" && got != "Stichtse Vecht" && got != "Amsterdam" && got != "Wijdemeren" {
					t.Errorf("%s: got %s, want a municipality in or around Weesp", f[1], got)
				}
				s.get(below(t, b.Links.Self.Href), &api.BronhouderAntwoord{})
			}
			switch code {
			case "NUM":
				var page api.Collection[api.Resource]
				if f[23] != "" {
					s.get("/adressenuitgebreid?postcode="+f[23]+"&huisnummer="+f[20], &api.Adressen{})
					s.get("/adressen?expand=true&postcode="+f[23]+"&huisnummer="+f[20], &api.Adressen{})
					s.get("/nummeraanduidingen?postcode="+f[23]+"&huisnummer="+f[20]+"&expand=true&geldigOp="+f[3], &page)
				}
				s.ask(http.MethodGet, "/adressenuitgebreid/"+f[1]+"?inclusiefEindStatus=true", nil)
				s.get("/nummeraanduidingen?huidig=true&openbareRuimteIdentificatie="+f[25], &page)
				var objects api.Collection[api.AdresseerbaarObject]
				s.get("/adresseerbareobjecten?expand=true&nummeraanduidingIdentificatie="+f[1], &objects)
				s.get("/panden?nummeraanduidingIdentificatie="+f[1], &page)
			case "OPR":
				var page api.Collection[api.Resource]
				s.get("/openbareruimten?expand=true&woonplaatsNaam=weesp&openbareRuimteNaam="+url.QueryEscape(f[16]), &page)
				s.get("/openbareruimten?woonplaatsIdentificatie="+f[19]+"&pageSize=100", &page)
			case "WPL":
				for _, v := range cycle.Embedded["voorkomens"] {
					if len(v.Links.Bronhouders) == 0 {
						t.Errorf("%s: an occurrence without a municipality", f[1])
					}
					for _, l := range v.Links.Bronhouders {
						s.get(below(t, l.Href), &api.BronhouderAntwoord{})
					}
				}
				var page api.Collection[api.Resource]
				s.get("/woonplaatsen?expand=true&naam="+url.QueryEscape(f[16]), &page)
				if got := page.Embedded["woonplaatsen"]; len(got) == 0 || got[0].Embedded == nil || len(got[0].Links.Bronhouders) != len(got[0].Embedded.Bronhouders) {
					t.Errorf("%s: got %+v, want its outline", f[16], got)
				}
			case "PND":
				placed(t, s, "panden", f)
				var page api.Collection[api.Resource]
				s.get("/verblijfsobjecten?pandIdentificatie="+f[1], &page)
				var objects api.Collection[api.AdresseerbaarObject]
				s.get("/adresseerbareobjecten?pandIdentificaties="+f[1]+","+f[1], &objects)
				if len(objects.Embedded["adresseerbareObjecten"]) != len(page.Embedded["verblijfsobjecten"]) {
					t.Errorf("%s: got %d addressable objects, want %d", f[1], len(objects.Embedded["adresseerbareObjecten"]), len(page.Embedded["verblijfsobjecten"]))
				}
			case "LIG", "STA":
				placed(t, s, pathOf[code], f)
			case "VBO":
				s.get("/adresseerbareobjecten/"+f[1]+"/lvc", &api.Collection[api.AdresseerbaarObject]{})
				s.get("/adresseerbareobjecten/"+f[1]+"?expand=true&geldigOp="+f[3], &api.AdresseerbaarObject{})
				s.get("/panden?adresseerbaarObjectIdentificatie="+f[1], &api.Collection[api.Resource]{})
			}
		}
	}
}

// placed finds an object of a line of bagtest by the first corner of its outline, and by a box around that.
func placed(t *testing.T, s *surface, kind string, f []string) {
	t.Helper()
	_, outline, _ := strings.Cut(f[32], "[")
	at := strings.Fields(outline)
	x, _ := strconv.ParseFloat(at[0], 64)
	y, _ := strconv.ParseFloat(at[1], 64)
	point := fmt.Sprintf("%.3f,%.3f", x/1000, y/1000)
	found := func(c *api.Collection[api.Resource]) bool {
		return slices.ContainsFunc(c.Embedded[kind], func(r api.Resource) bool { return objectOf(&r).Identificatie == f[1] })
	}
	var c api.Collection[api.Resource]
	body := `{"type":"Point","coordinates":[` + point + `]}`
	query := "?geldigOp=" + f[3]
	if f[4] == f[3] {
		return // it never held
	}
	w := s.post("/"+kind+query, body)
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || !found(&c) {
		t.Errorf("%s at %s on %s: got %d %s", f[1], point, f[3], w.Code, w.Body)
	}
	if kind != "panden" {
		return
	}
	c = api.Collection[api.Resource]{}
	if s.get("/panden"+query+"&point=type,Point,coordinates,"+point, &c); !found(&c) {
		t.Errorf("%s at %s: got %v", f[1], point, c)
	}
	c = api.Collection[api.Resource]{}
	s.get(fmt.Sprintf("/panden%s&pageSize=100&bbox=%.3f,%.3f,%.3f,%.3f&bouwjaar[min]=1&statusPand=%s", query, x/1000-1, y/1000+1, x/1000+1, y/1000-1,
		url.QueryEscape(f[12])), &c)
	if !found(&c) {
		t.Errorf("%s in a box around %s: got %v", f[1], point, c)
	}
}

func (s *surface) post(path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.ask(http.MethodPost, path, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
	})
}
