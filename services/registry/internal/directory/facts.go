package directory

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
)

// Facts are what people want to know of a service beside its description.
type Facts struct {
	Purpose      string    `json:"purpose,omitempty"`
	LegalBasis   string    `json:"legalBasis,omitempty"`
	Activity     string    `json:"activity,omitempty"`     // URI of the owner's processing activity
	DataClass    string    `json:"dataClass,omitempty"`    // one of DataClasses
	Health       string    `json:"health,omitempty"`       // path on the upstream that answers 2xx while it is well
	CacheSeconds *int      `json:"cacheSeconds,omitempty"` // the most that a contract may say; nil: not limited
	Logging      string    `json:"logging,omitempty"`      // required: no contract may say open
	Availability string    `json:"availability,omitempty"` // promised, in percent of a month, e.g. "99.5"
	Support      string    `json:"support,omitempty"`      // hours and time to answer, in words
	Changelog    []Release `json:"changelog,omitempty"`    // newest first
}

// Release is one entry of a changelog.
type Release struct {
	Version string `json:"version"`
	Date    string `json:"date"` // 2026-11-24
	Text    string `json:"text"`
}

// Advice says how many findings of the design rules a service has, and by when they are to be mended.
type Advice struct {
	Count int       `json:"count"`
	By    time.Time `json:"by"`
}

// DataClasses are from open to special categories of personal data (BIO, GDPR article 9).
var DataClasses = []string{"openbaar", "intern", "vertrouwelijk", "bijzonder"}

var (
	percentShape = regexp.MustCompile(`^(100|[1-9]?[0-9](\.[0-9]{1,3})?)$`)
	healthShape  = regexp.MustCompile(`^(/[A-Za-z0-9._~-]*)+$`)
)

func (x *Facts) prepare(f faults) {
	for _, t := range []struct{ name, text string }{{"purpose", x.Purpose}, {"legalBasis", x.LegalBasis}, {"support", x.Support}} {
		if len(t.text) > 500 {
			f.at("%s", t.name).add("is longer than 500 characters")
		}
	}
	if u, err := url.Parse(x.Activity); x.Activity != "" && (err != nil || !u.IsAbs()) {
		f.at("activity").add("is no absolute URI")
	}
	if x.DataClass != "" && !slices.Contains(DataClasses, x.DataClass) {
		f.at("dataClass").add("is not one of %v", DataClasses)
	}
	if x.Health != "" && (len(x.Health) > 200 || !healthShape.MatchString(x.Health)) {
		f.at("health").add("is no path such as /health")
	}
	if x.CacheSeconds != nil && (*x.CacheSeconds < 0 || *x.CacheSeconds > 86400) {
		f.at("cacheSeconds").add("must be 0 to 86400")
	}
	if x.Logging != "" && x.Logging != contract.LoggingRequired && x.Logging != contract.LoggingOpen {
		f.at("logging").add("must be required or open")
	}
	if x.Availability != "" && !percentShape.MatchString(x.Availability) {
		f.at("availability").add("must be a percentage such as 99.5")
	}
	for i, r := range x.Changelog {
		_, err := time.Parse(time.DateOnly, r.Date)
		if strings.TrimSpace(r.Version) == "" || strings.TrimSpace(r.Text) == "" || len(r.Text) > 2000 || err != nil || len(x.Changelog) > 200 {
			f.at("changelog[%d]", i).add("needs a version, a date such as 2026-11-24 and a text of at most 2000 characters")
		}
	}
}
