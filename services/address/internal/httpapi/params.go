package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"noorderhub.nl/hub/libs/errs"
)

// params reads parameters with the Kadaster's codes and reasons (foutafhandeling.feature) and collects every fault.
type params struct {
	values url.Values
	faults []errs.Field
	empty  bool // one was given without a value
}

func readParams(r *http.Request, known []string) *params {
	p := &params{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.fault("", "notAllowedCharacter", "Parameter bevat niet toegestane karakters.")
	}
	p.values = values
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case slices.Contains(unsupported, name):
			p.fault(name, "notSupported", "Parameter wordt door deze dienst nog niet ondersteund.")
		case !slices.Contains(known, name):
			p.fault(clip(name), "unknownParam", "Parameter is niet verwacht.")
		case len(values[name]) > 1:
			p.fault(name, "schema", "Waarde voldoet niet aan schema van "+name+".")
		case values[name][0] == "":
			p.empty = true
		}
	}
	return p
}

// unsupported are parameters of the original that this service does not have yet.
var unsupported = []string{"q", "zoekresultaatIdentificatie"}

func clip(name string) string {
	if len(name) > 64 {
		return strings.ToValidUTF8(name[:64], "") + "…"
	}
	return strings.ToValidUTF8(name, "")
}

func (p *params) fault(name, code, reason string) {
	p.faults = append(p.faults, errs.Field{Name: name, Code: code, Reason: reason})
}

// any tells whether one of the names was given.
func (p *params) any(names ...string) bool {
	return slices.ContainsFunc(names, p.values.Has)
}

func (p *params) text(name string, most int) string {
	v := p.values.Get(name)
	if n := utf8.RuneCountInString(v); n > most {
		p.fault(name, "maxLength", fmt.Sprintf("Waarde is langer dan maximale lengte %d.", most))
		return ""
	}
	if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		p.fault(name, "notAllowedCharacter", "Parameter bevat niet toegestane karakters.")
		return ""
	}
	return v
}

func (p *params) pattern(name string, re *regexp.Regexp) string {
	v := p.values.Get(name)
	if v != "" && !re.MatchString(v) {
		p.fault(name, "pattern", "Waarde voldoet niet aan patroon "+re.String()+".")
		return ""
	}
	return v
}

var integer = regexp.MustCompile(`^-?[0-9]{1,18}$`)

// integer reads a whole number in [least, most]; most 0 is no bound.
func (p *params) integer(name string, least, most, otherwise int) int {
	v := p.values.Get(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	switch {
	case err != nil || !integer.MatchString(v):
		p.fault(name, "integer", "Waarde is geen geldige integer.")
	case n < least:
		p.fault(name, "minimum", fmt.Sprintf("Waarde is lager dan minimum %d.", least))
	case most > 0 && n > most:
		p.fault(name, "maximum", fmt.Sprintf("Waarde is hoger dan maximum %d.", most))
	default:
		return n
	}
	return otherwise
}

func (p *params) boolean(name string) bool {
	switch p.values.Get(name) {
	case "true":
		return true
	case "", "false":
	default:
		p.fault(name, "boolean", "Waarde is geen geldige boolean.")
	}
	return false
}
