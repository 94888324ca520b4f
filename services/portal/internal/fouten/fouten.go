// Package fouten holds the texts of the pages about errors, in Dutch and English. It refuses to load when a language
// lacks a page or a page lacks a text.
package fouten

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Page is the text about one error code.
type Page struct {
	Code  string `yaml:"-"`
	Side  string `yaml:"side"`  // who can mend it: client, organisation, provider or hub
	Title string `yaml:"title"` // one line, no full stop
	What  string `yaml:"what"`  // what happened
	Next  string `yaml:"next"`  // the next step
}

// Catalogue has the pages of every language.
type Catalogue struct {
	pages map[string]map[string]Page // language → code
	codes []string
}

// Load reads {language}.yaml of every language from fsys.
func Load(fsys fs.FS, languages ...string) (*Catalogue, error) {
	c := &Catalogue{pages: map[string]map[string]Page{}}
	var faults []error
	for _, language := range languages {
		pages, err := read(fsys, language)
		faults = append(faults, err)
		c.pages[language] = pages
	}
	for _, language := range languages {
		for _, other := range languages {
			faults = append(faults, compare(language, c.pages[language], other, c.pages[other]))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.codes = slices.Sorted(maps.Keys(c.pages[languages[0]]))
	return c, nil
}

func read(fsys fs.FS, language string) (map[string]Page, error) {
	text, err := fs.ReadFile(fsys, language+".yaml")
	if err != nil {
		return nil, err
	}
	pages := map[string]Page{}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&pages); err != nil {
		return nil, fmt.Errorf("%s.yaml: %w", language, err)
	}
	var faults []error
	for code, p := range pages {
		p.Code = code
		pages[code] = p
		if p.Title == "" || p.What == "" || p.Next == "" {
			faults = append(faults, fmt.Errorf("%s.yaml: %s lacks title, what or next", language, code))
		}
		if !slices.Contains([]string{"client", "organisation", "provider", "hub"}, p.Side) {
			faults = append(faults, fmt.Errorf("%s.yaml: %s has side %q", language, code, p.Side))
		}
	}
	return pages, errors.Join(faults...)
}

// compare wants every page of one language in the other, with the same side.
func compare(language string, pages map[string]Page, other string, others map[string]Page) error {
	var faults []error
	for code, p := range pages {
		if o, ok := others[code]; !ok {
			faults = append(faults, fmt.Errorf("%s.yaml has %s, %s.yaml has not", language, code, other))
		} else if o.Side != p.Side {
			faults = append(faults, fmt.Errorf("%s has side %q in %s and %q in %s", code, p.Side, language, o.Side, other))
		}
	}
	return errors.Join(faults...)
}

// Page gives the text about a code; ok is false when there is none.
func (c *Catalogue) Page(language, code string) (page Page, ok bool) {
	page, ok = c.pages[language][code]
	return page, ok
}

// Pages gives all texts of a language, by code.
func (c *Catalogue) Pages(language string) []Page {
	pages := make([]Page, len(c.codes))
	for i, code := range c.codes {
		pages[i] = c.pages[language][code]
	}
	return pages
}
