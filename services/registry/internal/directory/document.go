package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// The kinds of documents. An organisation accepts the newest of each before it signs contracts.
const (
	DocumentTerms     = "voorwaarden"
	DocumentProcessor = "verwerkersovereenkomst" // processor agreement, GDPR article 28
)

// DocumentKinds are all kinds.
var DocumentKinds = []string{DocumentTerms, DocumentProcessor}

// Document is a text that every organisation of the hub accepts.
type Document struct {
	Kind    string `json:"kind"`
	Version string `json:"version"` // e.g. 2027-1
	Text    string `json:"text"`    // Markdown
}

// Digest is the SHA-256 of the text in hex: what was accepted stays certain when the text is replaced.
func (d Document) Digest() string {
	sum := sha256.Sum256([]byte(d.Text))
	return hex.EncodeToString(sum[:])
}

// Acceptance says that a person accepted a document for an organisation.
type Acceptance struct {
	Kind    string    `json:"kind"`
	Version string    `json:"version"`
	Digest  string    `json:"digest"`
	Person  string    `json:"person"`
	At      time.Time `json:"at"`
}

// Of tells whether the acceptance is of this very text.
func (a Acceptance) Of(d Document) bool {
	return a.Kind == d.Kind && a.Version == d.Version && a.Digest == d.Digest()
}

func prepareDocuments(documents []Document, f faults) {
	seen := map[string]bool{}
	for i, d := range documents {
		df := f.at("documents[%d]", i)
		if !slices.Contains(DocumentKinds, d.Kind) {
			df.add("kind is not one of %v", DocumentKinds)
		}
		if seen[d.Kind] {
			df.add("a second %s; the newest replaces the one before", d.Kind)
		}
		seen[d.Kind] = true
		if strings.TrimSpace(d.Version) == "" || strings.TrimSpace(d.Text) == "" {
			df.add("version or text is missing")
		}
	}
}

// Unaccepted gives the documents of the hub that an organisation has not accepted as they are now. Who runs the hub made
// them.
func (s *State) Unaccepted(oin string) []Document {
	o := s.Organisation(oin)
	if o == nil || oin == s.Hub().Organisation {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Hub().Documents), func(d Document) bool {
		return slices.ContainsFunc(o.Accepted, func(a Acceptance) bool { return a.Of(d) })
	})
}
