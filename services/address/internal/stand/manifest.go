package stand

import (
	"encoding/json"
	"fmt"
	"slices"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Version of the file format.
const Version = 2

// Manifest says what a stand file holds.
type Manifest struct {
	Date      string            `json:"standDate"`       // 2026-11-01
	Areas     []string          `json:"areas,omitempty"` // municipality codes of the deliveries; empty: the whole country
	Sources   []Source          `json:"sources"`
	Counts    map[string]Counts `json:"counts"` // by the three letters of a type
	Relations int               `json:"relations"`
}

// Source is one delivery that the stand was made from.
type Source struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"` // bytes
}

// Counts of one object type.
type Counts struct {
	Objects     int `json:"objects"`     // with at least one regular occurrence
	Occurrences int `json:"occurrences"` // regular ones
	Inactive    int `json:"inactive"`    // occurrences taken back before their day
	NotBAG      int `json:"notBag"`      // occurrences that should not have been there
	Inquiries   int `json:"inquiries"`   // records of attributes looked into
}

// StandDate gives the date of the stand.
func (m *Manifest) StandDate() imbag.Date {
	d, _ := imbag.ParseDate(m.Date)
	return d
}

// madeOf tells whether the stand was made of exactly these sources, whatever their names and however often each was given.
func (m *Manifest) madeOf(sums []string) bool {
	var have []string
	for _, s := range m.Sources {
		have = append(have, s.SHA256)
	}
	return slices.Equal(set(have), set(sums))
}

// set gives each text once, in order.
func set(texts []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}

func parseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("manifest: %w", err)
	}
	if _, ok := imbag.ParseDate(m.Date); !ok {
		return m, fmt.Errorf("manifest: stand date %q is no date", m.Date)
	}
	return m, nil
}
