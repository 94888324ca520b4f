package administration_test

import (
	"context"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/region"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

// stateOf is the directory of the test region, with a key of a client that ends with its contract.
func stateOf(t *testing.T, ends time.Time) *directory.State {
	t.Helper()
	loaded, err := region.Load(context.Background(), regiontest.Default(t).File(), region.Options{Now: func() time.Time { return regiontest.Now }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := directory.Empty().With(t.Context(), regiontest.Now, loaded.Entities)
	if err != nil {
		t.Fatal(err)
	}
	client := *s.Client("emmen-demo")
	client.Keys = []directory.ClientKey{{Public: client.Keys[0].Public, Till: &ends}}
	if s, err = s.With(t.Context(), regiontest.Now, []directory.Entity{&client}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnEndIsAnnouncedAtItsMoments(t *testing.T) {
	ends := regiontest.Draft().NotAfter
	s := stateOf(t, ends)
	for name, tt := range map[string]struct {
		at   time.Time
		days string // "": nothing is due
		of   notify.Type
	}{
		"long before":      {ends.AddDate(0, 0, -91), "", notify.ContractExpires},
		"ninety days":      {ends.AddDate(0, 0, -90), "90", notify.ContractExpires},
		"between":          {ends.AddDate(0, 0, -40), "40", notify.ContractExpires},
		"a week":           {ends.AddDate(0, 0, -7), "7", notify.ContractExpires},
		"the last day":     {ends.Add(-time.Hour), "1", notify.ContractExpires},
		"a key":            {ends.AddDate(0, 0, -30), "30", notify.KeyExpires},
		"a key that ended": {ends.Add(time.Hour), "", notify.KeyExpires},
	} {
		var got []notify.Event
		for _, e := range administration.Endings(s, tt.at) {
			if e.Type == tt.of {
				got = append(got, e)
			}
			if err := e.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if (tt.days == "") != (len(got) == 0) || len(got) > 0 && got[0].Facts[notify.Days] != tt.days {
			t.Errorf("%s: got %+v, want %q days", name, got, tt.days)
		}
		if tt.days != "" && tt.of == notify.ContractExpires && len(got) != 2 {
			t.Errorf("%s: got %d events, want one for each party", name, len(got))
		}
	}
}

func TestAnAnnouncementKeepsItsID(t *testing.T) {
	ends := regiontest.Draft().NotAfter
	s := stateOf(t, ends)
	ids := func(at time.Time) map[string]bool {
		out := map[string]bool{}
		for _, e := range administration.Endings(s, at) {
			out[e.ID] = true
		}
		return out
	}
	week, later, last := ids(ends.AddDate(0, 0, -7)), ids(ends.AddDate(0, 0, -3)), ids(ends.AddDate(0, 0, -1))
	if len(week) < 3 {
		t.Fatalf("got %d ids", len(week))
	}
	for id := range week {
		if !later[id] {
			t.Errorf("%s is told a second time", id)
		}
		if last[id] {
			t.Errorf("%s is the id of the next announcement too", id)
		}
	}
	expired := 0
	for _, e := range administration.Endings(s, ends.Add(time.Hour)) {
		if e.Type == notify.ContractExpired {
			expired++
		}
	}
	if expired != 2 {
		t.Errorf("got %d events of the end, want one for each party", expired)
	}
}
