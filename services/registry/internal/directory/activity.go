package directory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Activity is one version of a processing activity in the register of an organisation (GDPR article 30). A version never
// changes: contracts and the processing log name it by its URI.
type Activity struct {
	Organisation string    `json:"organisation"` // OIN
	ID           string    `json:"id"`           // within the organisation
	Version      int       `json:"version"`      // from 1
	Since        time.Time `json:"since"`
	Name         string    `json:"name"`
	Purpose      string    `json:"purpose"`
	LegalBasis   string    `json:"legalBasis"`
	Retention    string    `json:"retention"`              // ISO 8601 duration, e.g. P7Y
	Confidential bool      `json:"confidential,omitempty"` // not told to data subjects, nor to other organisations
}

// Key names the version.
func (a *Activity) Key() Key { return ActivityKey(a.Organisation, a.ID, a.Version) }

// ActivityKey names one version of an activity.
func ActivityKey(oin, id string, version int) Key {
	return Key{KindActivity, fmt.Sprintf("%s/%s/%d", oin, id, version)}
}

// SameAs tells whether two versions say the same.
func (a *Activity) SameAs(o *Activity) bool {
	return a.Name == o.Name && a.Purpose == o.Purpose && a.LegalBasis == o.LegalBasis && a.Retention == o.Retention && a.Confidential == o.Confidential
}

// activityShape leaves room for the numbers that registers of municipalities use.
var (
	activityShape  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	retentionShape = regexp.MustCompile(`^P(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,4}D)?$`)
)

func (a *Activity) prepare(f faults) {
	if !activityShape.MatchString(a.ID) {
		f.add("id does not match %s", activityShape)
	}
	for _, field := range []struct{ name, value string }{{"name", a.Name}, {"purpose", a.Purpose}, {"legalBasis", a.LegalBasis}} {
		if strings.TrimSpace(field.value) == "" || len(field.value) > 500 {
			f.at("%s", field.name).add("is missing or longer than 500 characters")
		}
	}
	if len(a.Retention) < 3 || !retentionShape.MatchString(a.Retention) {
		f.at("retention").add("is no duration of ISO 8601 such as P7Y")
	}
}

func (a *Activity) check(s *State, f faults) {
	if s.Organisation(a.Organisation) == nil {
		f.add("organisation %q is not among the organisations", a.Organisation)
	}
}

// Activity gives one version, nil when there is none.
func (s *State) Activity(oin, id string, version int) *Activity {
	a, _ := s.Get(ActivityKey(oin, id, version)).(*Activity)
	return a
}

// Activities gives the newest version of every activity of an organisation, by id.
func (s *State) Activities(oin string) []*Activity {
	newest := map[string]*Activity{}
	for _, a := range All[*Activity](s) {
		if have := newest[a.ID]; a.Organisation == oin && (have == nil || a.Version > have.Version) {
			newest[a.ID] = a
		}
	}
	out := make([]*Activity, 0, len(newest))
	for _, a := range newest {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *Activity) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
