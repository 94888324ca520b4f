// Package api is what other parts need to know of the portal: which error codes have a page, and where the texts stand.
package api

import (
	"embed"
	"regexp"
	"sort"
)

// Languages are those that every page exists in. The first is the default.
func Languages() []string { return []string{"nl", "en"} }

// Texts holds fouten/{language}.yaml: per error code a title, what happened, who can mend it and the next step.
//
//go:embed fouten/nl.yaml fouten/en.yaml
var Texts embed.FS

// entry is the line that begins an entry: a code at the left margin.
var entry = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)

// Codes gives the error codes that have a page in a language, sorted.
func Codes(language string) ([]string, error) {
	text, err := Texts.ReadFile("fouten/" + language + ".yaml")
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, match := range entry.FindAllSubmatch(text, -1) {
		codes = append(codes, string(match[1]))
	}
	sort.Strings(codes)
	return codes, nil
}

// Page gives the path of the page of a code.
func Page(code string) string { return "/portaal/fouten/" + code }
