package municipality_test

import (
	"testing"

	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/municipality"
)

func TestAMunicipalityIsNamedOnADay(t *testing.T) {
	for _, c := range []struct {
		code           uint16
		day            imbag.Date
		name, province string
		version        int
	}{
		{457, imbag.NewDate(2021, 9, 15), "Weesp", "NH", 1},
		{457, imbag.NewDate(2022, 3, 24), "", "", 0},
		{1979, imbag.NewDate(2021, 1, 1), "Eemsdelta", "GR", 1},
		{620, imbag.NewDate(2001, 12, 31), "Vianen", "ZH", 1},
		{620, imbag.NewDate(2002, 1, 1), "Vianen", "UT", 2},
		{9999, imbag.NewDate(2026, 1, 1), "", "", 0},
	} {
		m, found := municipality.On(c.code, c.day)
		if found != (c.name != "") || m.Name != c.name || m.Abbreviation != c.province || m.Version != c.version {
			t.Errorf("%04d on %s: got %+v %v, want %s in %s", c.code, c.day, m, found, c.name, c.province)
		}
		if again, ok := municipality.Version(c.code, m.Version); found && (!ok || again != m) {
			t.Errorf("%04d version %d: got %+v", c.code, m.Version, again)
		}
	}
	if _, ok := municipality.Version(457, 0); ok {
		t.Error("version 0 was found")
	}
}
