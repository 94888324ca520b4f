package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// Where the Dutch grid has a meaning, in metres, and the largest box that may be asked for.
const (
	minX, maxX   = -7_000, 300_000
	minY, maxY   = 289_000, 629_000
	maxBoxMetres = 250_000 // m²
)

// codeBody refuses a body that is no place.
var codeBody = &errs.Code{
	ID: "body-not-a-point", Kind: errs.Unprocessable, Side: errs.SideClient, Title: "The body is not a point",
	Next: "Send a GeoJSON point with two numbers in metres of the Dutch grid (RD).",
}

var (
	placeParams  = []string{"point", "bbox"}
	filterParams = map[string][]string{
		"panden":                {"statusPand", "geconstateerd", "bouwjaar[min]", "bouwjaar[max]"},
		"adresseerbareobjecten": {"type", "geconstateerd", "gebruiksdoelen", "oppervlakte[min]", "oppervlakte[max]"},
	}
)

// place reads where objects are asked for, and what narrows that.
func (p *params) place(q *lookup.ObjectQuery) {
	if v := p.values.Get("point"); v != "" {
		q.Area = p.point(v)
	}
	if v := p.values.Get("bbox"); v != "" {
		q.Area = p.box(v)
	}
	f := &q.Filter
	for _, v := range p.list("statusPand") {
		s, ok := imbag.ParseStatus(imbag.Building, v)
		if !ok {
			p.enum("statusPand")
			break
		}
		f.Statuses = append(f.Statuses, s)
	}
	if p.values.Get("geconstateerd") != "" {
		v := p.boolean("geconstateerd")
		f.Recorded = &v
	}
	f.MinYear, f.MaxYear = p.bounds("bouwjaar", 9999)
	f.MinArea, f.MaxArea = p.bounds("oppervlakte", 999_999)
	for _, v := range p.list("gebruiksdoelen") {
		use := slices.Index(imbag.Uses, v)
		if use < 0 {
			p.enum("gebruiksdoelen")
			break
		}
		f.Uses |= 1 << use
	}
	if v := p.values.Get("type"); v != "" {
		i := slices.IndexFunc(q.Types, func(t imbag.Type) bool { return strings.EqualFold(t.String(), v) })
		if i < 0 {
			p.enum("type")
			return
		}
		q.Types = q.Types[i : i+1]
	}
}

func (p *params) list(name string) []string {
	return strings.FieldsFunc(p.values.Get(name), func(r rune) bool { return r == ',' })
}

func (p *params) enum(name string) {
	p.fault(name, "enum", "Waarde heeft geen geldige waarde uit de enumeratie.")
}

// bounds reads name[min] and name[max].
func (p *params) bounds(name string, most int) (from, to int32) {
	lo, hi := p.integer(name+"[min]", 1, most, 0), p.integer(name+"[max]", 1, most, 0)
	if lo > hi && hi != 0 {
		p.fault(name, "range", "Min mag niet hoger zijn dan max.")
	}
	return int32(lo), int32(hi)
}

// point reads "type,Point,coordinates,98095.02,438495.09".
func (p *params) point(v string) *imbag.Area {
	rest, ok := strings.CutPrefix(v, "type,Point,coordinates,")
	if !ok {
		p.fault("point", "schema", "Waarde voldoet niet aan schema van point.")
		return nil
	}
	items := strings.Split(rest, ",")
	if slices.Contains(items, "null") {
		p.fault("point", "pointgeojson", "Waarde is geen geldige pointgeojson.")
		return nil
	}
	at := p.coordinates("point", items, 2)
	if at == nil {
		return nil
	}
	return &imbag.Area{Min: at[0], Max: at[0]}
}

// box reads two opposite corners, in any order.
func (p *params) box(v string) *imbag.Area {
	at := p.coordinates("bbox", strings.Split(v, ","), 4)
	if at == nil {
		return nil
	}
	a := imbag.Area{
		Min: imbag.Position{X: min(at[0].X, at[1].X), Y: min(at[0].Y, at[1].Y)},
		Max: imbag.Position{X: max(at[0].X, at[1].X), Y: max(at[0].Y, at[1].Y)},
	}
	if (a.Max.X-a.Min.X)*(a.Max.Y-a.Min.Y) > maxBoxMetres*1e6 {
		p.fault("bbox", "maximum", fmt.Sprintf("Oppervlakte is hoger dan maximum %d.", maxBoxMetres))
		return nil
	}
	return &a
}

// coordinates reads n numbers in metres as positions.
func (p *params) coordinates(name string, items []string, n int) []imbag.Position {
	if len(items) < n {
		p.fault(name, "minItems", fmt.Sprintf("Array bevat minder dan %d items.", n))
		return nil
	}
	if len(items) > n {
		p.fault(name, "maxItems", fmt.Sprintf("Array bevat meer dan %d items.", n))
		return nil
	}
	all := make([]imbag.Position, n/2)
	for i := range all {
		x, err := strconv.ParseFloat(items[2*i], 64)
		y, err2 := strconv.ParseFloat(items[2*i+1], 64)
		if errors.Join(err, err2) != nil {
			p.fault(name, "schema", "Waarde voldoet niet aan schema van "+name+".")
			return nil
		}
		at, ok := position(x, y)
		if !ok {
			p.fault(name, "geometryMismatch", "Waarde is niet conform opgegeven CRS.")
			return nil
		}
		all[i] = at
	}
	return all
}

// position gives a position in millimetres, exact to a micrometre. It gives false outside the Dutch grid.
func position(x, y float64) (imbag.Position, bool) {
	if !(x >= minX && x <= maxX && y >= minY && y <= maxY) {
		return imbag.Position{}, false
	}
	return imbag.Position{X: math.Round(x*1e6) / 1e3, Y: math.Round(y*1e6) / 1e3}, true
}

// pointRequest asks for the objects at a point in the body.
type pointRequest struct{ objectsRequest }

// Decode reads query and body.
func (q *pointRequest) Decode(r *http.Request) error {
	if err := q.read(r); err != nil {
		return err
	}
	p := readParams(r, slices.Concat(travelParams, pageParams, []string{"huidig"}))
	q.given = p.values
	q.query = lookup.ObjectQuery{When: p.when(), Current: p.boolean("huidig"), With: p.expand(q.kind.expand), Types: q.kind.types}
	if err := p.whole(); err != nil {
		return err
	}
	if q.query.Current && p.any("geldigOp", "beschikbaarOp") {
		return unsupportedCombination("huidig", "geldigOp", "beschikbaarOp")
	}
	at, err := bodyPoint(r)
	if err != nil {
		return err
	}
	q.query.Area = &imbag.Area{Min: at, Max: at}
	return nil
}

// bodyPoint reads a GeoJSON point, whose third number is of no meaning here.
func bodyPoint(r *http.Request) (imbag.Position, error) {
	if err := kit.MediaType(r, "application/json", "application/geo+json"); err != nil {
		return imbag.Position{}, err
	}
	unreadable := func() error {
		return codeBody.New("Geef een punt als {\"type\":\"Point\",\"coordinates\":[x,y]} in %s.", grid)
	}
	var body struct {
		Type        string     `json:"type"`
		Coordinates []*float64 `json:"coordinates"`
	}
	dec := json.NewDecoder(r.Body)
	if err := dec.Decode(&body); err != nil {
		var large *http.MaxBytesError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &large):
			return imbag.Position{}, kit.BodyError(err)
		case errors.As(err, &kind) && strings.HasPrefix(kind.Field, "coordinates"):
			return imbag.Position{}, invalid([]errs.Field{{Name: "coordinates", Code: "number", Reason: "Waarde is geen geldige number."}})
		}
		return imbag.Position{}, unreadable()
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || body.Type != "Point" || len(body.Coordinates) < 2 || len(body.Coordinates) > 3 ||
		slices.Contains(body.Coordinates, nil) {
		return imbag.Position{}, unreadable()
	}
	at, ok := position(*body.Coordinates[0], *body.Coordinates[1])
	if !ok {
		return at, invalid([]errs.Field{{Name: "coordinates", Code: "geometryMismatch", Reason: "Waarde is niet conform opgegeven CRS."}})
	}
	return at, nil
}
