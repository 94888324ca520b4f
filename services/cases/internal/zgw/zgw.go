// Package zgw reads what the exchange must know of a case in the form of the Zaken API (ZGW, zrc 1.5 and newer): that it is
// one, and which one. Everything else in it passes through untouched, byte for byte.
package zgw

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token/jws"
)

// Case is what identifies a case across registries.
type Case struct {
	Source string // bronorganisatie, an RSIN
	ID     string // identificatie
	Type   string // zaaktype, a URL
}

// Bounds of ZGW: zrc openapi, schema Zaak.
const (
	maxURL         = 1000
	maxDescription = 80
	maxExplanation = 1000
)

var (
	caseID          = regexp.MustCompile(`^[^\p{C}\p{Z}]([^\p{C}]{0,38}[^\p{C}\p{Z}])?$`)
	confidentiality = map[string]bool{
		"": true, "openbaar": true, "beperkt_openbaar": true, "intern": true, "zaakvertrouwelijk": true, "vertrouwelijk": true,
		"confidentieel": true, "geheim": true, "zeer_geheim": true,
	}
)

// Parse reads a case and gives all faults, with JSON pointers. It refuses what two readers could take for different cases:
// member names that stand twice at any level, text that is not UTF-8.
func Parse(body []byte) (Case, []errs.Field) {
	o, err := jws.ParseObject(body)
	if err != nil {
		return Case{}, []errs.Field{{Name: "", Code: "syntax", Reason: "is not one JSON object in UTF-8 with each member once: " + err.Error()}}
	}
	r := reader{object: o}
	c := Case{
		Source: r.text("bronorganisatie", true, "an RSIN: nine digits that pass the 11-test", IsRSIN),
		ID:     r.text("identificatie", true, "1 to 40 characters, no control characters, no space at the ends", IsCaseID),
		Type:   r.text("zaaktype", true, "the URL of a zaaktype", isURL),
	}
	r.text("verantwoordelijkeOrganisatie", true, "an RSIN: nine digits that pass the 11-test", IsRSIN)
	r.text("startdatum", true, "a date such as 2026-01-31", isDate)
	for _, name := range []string{"registratiedatum", "einddatum", "einddatumGepland", "uiterlijkeEinddatumAfdoening", "publicatiedatum"} {
		r.text(name, false, "a date such as 2026-01-31", isDate)
	}
	r.text("omschrijving", false, "at most 80 characters", atMost(maxDescription))
	r.text("toelichting", false, "at most 1000 characters", atMost(maxExplanation))
	r.text("vertrouwelijkheidaanduiding", false, "one of the ZGW values", func(s string) bool { return confidentiality[s] })
	return c, r.faults
}

// reader collects the faults of an object's members.
type reader struct {
	object jws.Object
	faults []errs.Field
}

// text reads a string member. null counts as absent, as the Zaken API writes it.
func (r *reader) text(name string, required bool, form string, good func(string) bool) string {
	raw, ok := r.object[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		if required {
			r.fault(name, "required", "is required")
		}
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || !good(s) && (required || s != "") {
		r.fault(name, "format", "must be "+form)
	}
	return s
}

func (r *reader) fault(name, code, reason string) {
	r.faults = append(r.faults, errs.Field{Name: "/" + name, Code: code, Reason: reason})
}

// IsRSIN tells whether s is an RSIN: nine digits that pass the 11-test. 000000000 does, as the tests of the standard want.
func IsRSIN(s string) bool {
	if len(s) != 9 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	sum := 0
	for i, c := range s[:8] {
		sum += (9 - i) * int(c-'0')
	}
	return (sum-int(s[8]-'0'))%11 == 0
}

// IsCaseID tells whether s can be the identificatie of a case.
func IsCaseID(s string) bool { return caseID.MatchString(s) }

func atMost(characters int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) <= characters }
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
