package designrules

import (
	"cmp"
	"slices"
	"strings"
)

// Severity is how much a finding weighs, in Spectral's words.
type Severity string

// The severities that the ruleset uses.
const (
	Error Severity = "error"
	Warn  Severity = "warn"
	Info  Severity = "info"
)

// Text is what people read, in Dutch and English.
type Text struct {
	NL string `json:"nl"`
	EN string `json:"en"`
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule     string   `json:"regel"` // as Spectral names it, e.g. nlgov:semver; ours begin with "hub:"
	Severity Severity `json:"ernst"`
	Path     []string `json:"pad"`   // names and indexes from the root of the file
	Line     int      `json:"lijn"`  // from 1
	Column   int      `json:"kolom"` // from 1
	Message  string   `json:"melding"`
	Fix      Text     `json:"herstel"`
	Blocking bool     `json:"blokkeert"` // unsafe: the description is not published before it is mended
}

// Pointer gives the place as a JSON pointer.
func (f Finding) Pointer() string {
	var out strings.Builder
	for _, segment := range f.Path {
		out.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(segment, "~", "~0"), "/", "~1"))
	}
	return out.String()
}

// sorted puts findings in the order of the file.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule),
			slices.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return findings
}
