package httpapi

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// The patterns as they stand in reasons.
var (
	postcodePattern = regexp.MustCompile(`^[1-9]{1}[0-9]{3}[ ]{0,1}[a-zA-Z]{2}$`)
	letterPattern   = regexp.MustCompile(`^[a-zA-Z]{1}$`)
	suffixPattern   = regexp.MustCompile(`^[0-9a-zA-Z]{1,4}$`)
	objectPattern   = regexp.MustCompile(`^[0-9]{4}(01|02|03)[0-9]{10}$`)
	buildingPattern = regexp.MustCompile(`^[0-9]{4}10[0-9]{10}$`)
	spacePattern    = regexp.MustCompile(`^[0-9]{4}30[0-9]{10}$`)
	idPattern       = regexp.MustCompile(`^[0-9]{16}$`)
)

// The refusals of a question as a whole; the rule is the Kadaster's code.
const (
	ruleRequired    = "paramsRequired"
	ruleCombination = "paramsCombination"
	ruleUnsupported = "unsupportedCombination"
	ruleValidation  = "paramsValidation"
)

// addressParts are what can be expanded in an address.
var addressParts = []expansion{
	{"nummeraanduiding", lookup.Related(lookup.PartDesignation)}, {"openbareRuimte", lookup.Related(lookup.PartSpace)},
	{"woonplaats", lookup.Related(lookup.PartLocality)}, {"adresseerbaarObject", lookup.Related(lookup.PartObject)},
}

// findParams: time travel does nothing for addresses, and is ignored as the original does (tijdreizen.feature).
var findParams = []string{
	"postcode", "huisnummer", "huisletter", "huisnummertoevoeging", "exacteMatch", "woonplaatsNaam", "openbareRuimteNaam",
	"adresseerbaarObjectIdentificatie", "pandIdentificatie", "openbareRuimteIdentificatie", "inclusiefEindStatus", "page", "pageSize",
	"expand", "geldigOp", "beschikbaarOp", "huidig",
}

// Sizes of a page (paginering.feature).
const (
	defaultPageSize = 20
	minPageSize     = 10
	maxPageSize     = 100
	maxPage         = 1_000_000_000 // so that page × size stays a number
)

type findRequest struct {
	lookup.Query
	page, size int
	asked      string // path and query as the client sent them
	path       string
	given      url.Values
}

// Decode reads the query and refuses what does not make a question.
func (q *findRequest) Decode(r *http.Request) error {
	if err := accepts(r); err != nil {
		return err
	}
	p := readParams(r, findParams)
	q.asked, q.path, q.given = r.URL.RequestURI(), r.URL.EscapedPath(), p.values
	q.Postcode, _ = imbag.ParsePostcode(p.pattern("postcode", postcodePattern))
	q.Number = p.integer("huisnummer", 1, 99999, 0)
	q.Letter = p.pattern("huisletter", letterPattern)
	if q.Suffix = p.text("huisnummertoevoeging", 4); q.Suffix != "" {
		q.Suffix = p.pattern("huisnummertoevoeging", suffixPattern)
	}
	q.Exact = p.boolean("exacteMatch")
	q.LocalityName = p.text("woonplaatsNaam", 80)
	q.SpaceName = p.text("openbareRuimteNaam", 80)
	q.Object, _ = imbag.ParseID(p.pattern("adresseerbaarObjectIdentificatie", objectPattern))
	q.Building, _ = imbag.ParseID(p.pattern("pandIdentificatie", buildingPattern))
	q.Space, _ = imbag.ParseID(p.pattern("openbareRuimteIdentificatie", spacePattern))
	q.WithEnded = p.boolean("inclusiefEindStatus")
	q.With = lookup.AddressParts(p.expand(addressParts))
	q.page = min(p.integer("page", 1, 0, 1), maxPage)
	q.size = p.integer("pageSize", minPageSize, maxPageSize, defaultPageSize)
	return p.question()
}

// question tells whether the parameters make exactly one question. Faults of single parameters come first.
func (p *params) question() error {
	if len(p.faults) > 0 {
		return invalid(p.faults)
	}
	postcode, number := p.values.Has("postcode"), p.values.Has("huisnummer")
	parts := p.any("huisletter", "huisnummertoevoeging", "exacteMatch")
	locality, space := p.values.Has("woonplaatsNaam"), p.values.Has("openbareRuimteNaam")
	ids := 0
	for _, name := range []string{"adresseerbaarObjectIdentificatie", "pandIdentificatie", "openbareRuimteIdentificatie"} {
		if p.values.Has(name) {
			ids++
		}
	}
	structured := postcode || number || parts || locality || space
	switch {
	case p.empty || ids == 0 && !structured:
		return errs.CodeInvalid.New("Geef een zoekvraag op, elke parameter met een waarde.").WithRule(ruleRequired)
	case ids > 1 || ids == 1 && structured || postcode && (locality || space):
		return errs.CodeInvalid.New("Geef precies een combinatie op: zie de beschrijving van /adressen.").WithRule(ruleUnsupported)
	case ids == 0 && (!number || !postcode && !(locality && space)):
		return errs.CodeInvalid.New("Geef postcode en huisnummer op, of woonplaatsNaam, openbareRuimteNaam en huisnummer.").WithRule(ruleCombination)
	}
	return nil
}

func invalid(faults []errs.Field) error {
	return errs.CodeInvalid.New("De foute parameters staan in invalidParams.").WithRule(ruleValidation).WithFields(faults...)
}

type idRequest struct {
	id        imbag.ID
	withEnded bool
	with      lookup.AddressParts
	asked     string
}

// Decode reads path and query.
func (q *idRequest) Decode(r *http.Request) error {
	if err := accepts(r); err != nil {
		return err
	}
	p := readParams(r, []string{"inclusiefEindStatus", "expand", "geldigOp", "beschikbaarOp", "huidig"})
	q.asked = r.URL.RequestURI()
	q.withEnded = p.boolean("inclusiefEindStatus")
	q.with = lookup.AddressParts(p.expand(addressParts))
	const name = "nummeraanduidingIdentificatie"
	text := r.PathValue(name)
	if !idPattern.MatchString(text) {
		p.fault(name, "pattern", "Waarde voldoet niet aan patroon "+idPattern.String()+".")
	}
	if p.empty && p.values.Has("inclusiefEindStatus") && p.values.Get("inclusiefEindStatus") == "" {
		p.fault("inclusiefEindStatus", "boolean", "Waarde is geen geldige boolean.")
	}
	if len(p.faults) > 0 {
		return invalid(p.faults)
	}
	q.id, _ = imbag.ParseID(text) // sixteen digits of no known type are the id of nothing: not found
	return nil
}

// accepts refuses a client that does not take HAL. The original refuses application/json too.
func accepts(r *http.Request) error {
	headers := r.Header.Values("Accept")
	if len(headers) == 0 {
		return nil
	}
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		t, parameters, err := mime.ParseMediaType(part)
		if err != nil || parameters["q"] == "0" {
			continue
		}
		if t == api.MediaType || t == "application/*" || t == "*/*" {
			return nil
		}
	}
	return errs.CodeNotAcceptable.New("Deze dienst antwoordt in %s.", api.MediaType)
}
