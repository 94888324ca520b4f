// Package municipality names the municipalities of the Netherlands over time: the BAG itself holds only their codes. The
// facts are those of Statistics Netherlands, in municipalities.tsv.
package municipality

import (
	_ "embed" // the facts
	"fmt"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

//go:embed municipalities.tsv
var facts string

// Municipality is what a municipality was called, and where it lay, during [Begin, End).
type Municipality struct {
	Code         uint16
	Version      int // 1 for the first one of a code
	Name         string
	Province     string // "" where it is not known
	Abbreviation string // of the province, two letters (ISO 3166-2:NL)
	Begin, End   imbag.Date
}

var abbreviations = map[string]string{"Groningen": "GR", "Friesland": "FR", "Fryslân": "FR", "Drenthe": "DR", "Overijssel": "OV", "Flevoland": "FL",
	"Gelderland": "GE", "Utrecht": "UT", "Noord-Holland": "NH", "Zuid-Holland": "ZH", "Zeeland": "ZE", "Noord-Brabant": "NB", "Limburg": "LI"}

var byCode = parse(facts)

func parse(text string) map[uint16][]Municipality {
	all := map[uint16][]Municipality{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		code, err := strconv.ParseUint(f[0], 10, 16)
		begin, ok := imbag.ParseDate(f[1])
		if err != nil || !ok {
			panic(fmt.Sprintf("municipality: line %q", line)) // the text is part of the program
		}
		end, _ := imbag.ParseDate(f[2])
		m := Municipality{Code: uint16(code), Name: f[3], Province: f[4], Abbreviation: abbreviations[f[4]], Begin: begin, End: end}
		m.Version = len(all[m.Code]) + 1
		all[m.Code] = append(all[m.Code], m)
	}
	return all
}

// On gives the municipality of a code on a day. It gives false where there was none.
func On(code uint16, day imbag.Date) (Municipality, bool) {
	for _, m := range byCode[code] {
		if m.Begin <= day && (m.End == imbag.NoDate || day < m.End) {
			return m, true
		}
	}
	return Municipality{}, false
}

// Latest gives the last municipality that had a code.
func Latest(code uint16) (Municipality, bool) { return Version(code, len(byCode[code])) }

// Version gives a municipality by code and version.
func Version(code uint16, version int) (Municipality, bool) {
	if all := byCode[code]; version >= 1 && version <= len(all) {
		return all[version-1], true
	}
	return Municipality{}, false
}
