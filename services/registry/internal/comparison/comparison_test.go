package comparison

import (
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
)

func TestEveryTermIsCompared(t *testing.T) {
	full := contract.Terms{
		Purpose: "adressen", LegalBasis: "Wet BAG", ProcessingActivity: "https://assen.example/1", Scopes: []string{"bag.lezen"},
		Fields: map[string][]string{"zoek": {"postcode"}}, Binding: contract.BindingAny, Rate: 10, Quota: 100, CacheSeconds: 60,
		Logging: contract.LoggingRequired, Tariff: "t1",
	}
	for name, tt := range map[string]struct {
		change func(*contract.Terms)
		want   string // effect: text
	}{
		"nothing":       {func(*contract.Terms) {}, ""},
		"purpose":       {func(x *contract.Terms) { x.Purpose = "anders" }, "anders: purpose “anders”, was “adressen”"},
		"legal basis":   {func(x *contract.Terms) { x.LegalBasis = "" }, "anders: legal basis not stated, was “Wet BAG”"},
		"activity":      {func(x *contract.Terms) { x.ProcessingActivity = "x" }, "anders: processing activity"},
		"scope added":   {func(x *contract.Terms) { x.Scopes = append(x.Scopes, "bag.detail") }, "ruimer: scope bag.detail added"},
		"scope removed": {func(x *contract.Terms) { x.Scopes = nil }, "beperkter: scope bag.lezen removed"},
		"field added":   {func(x *contract.Terms) { x.Fields = map[string][]string{"zoek": {"postcode", "naam"}} }, "ruimer: field naam added of zoek"},
		"all fields":    {func(x *contract.Terms) { x.Fields = nil }, "ruimer: of zoek all fields"},
		"fewer fields":  {func(x *contract.Terms) { x.Fields = map[string][]string{"zoek": {"postcode"}, "lees": {"id"}} }, "beperkter: of lees only id"},
		"rate up":       {func(x *contract.Terms) { x.Rate = 20 }, "ruimer: calls a second 20, was 10"},
		"no rate":       {func(x *contract.Terms) { x.Rate = 0 }, "ruimer: calls a second unlimited, was 10"},
		"quota down":    {func(x *contract.Terms) { x.Quota = 50 }, "beperkter: calls a day 50, was 100"},
		"cache":         {func(x *contract.Terms) { x.CacheSeconds = 0 }, "beperkter: answers may be kept 0"},
		"weak binding":  {func(x *contract.Terms) { x.Binding = contract.BindingNone }, "ruimer: binding “none”, was “any”"},
		"strong":        {func(x *contract.Terms) { x.Binding = contract.BindingMTLS }, "beperkter: binding"},
		"open logging":  {func(x *contract.Terms) { x.Logging = contract.LoggingOpen }, "ruimer: logging"},
		"tariff":        {func(x *contract.Terms) { x.Tariff = "" }, "anders: tariff"},
	} {
		fresh := full
		tt.change(&fresh)
		got := Terms(full, fresh)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: got %+v", name, got)
		case tt.want != "" && (len(got) != 1 || !strings.HasPrefix(string(got[0].Effect)+": "+got[0].EN, tt.want) || got[0].NL == ""):
			t.Errorf("%s: got %+v, want %q", name, got, tt.want)
		}
	}
}

func TestGrantsAndWindowAreCompared(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	build := func(till time.Time, services ...string) *contract.Content {
		d := contract.Draft{GroupID: "g", CreatedAt: at, NotBefore: at, NotAfter: till}
		for _, s := range services {
			d.Connections = append(d.Connections, contract.Connection{
				Consumer: "00000099000000002000", Provider: "00000099000000001000", Service: s, Gateway: "gateway.hub.internal",
				Terms: contract.Terms{Purpose: "x", Scopes: []string{s + ".lezen"}},
			})
		}
		c, err := contract.Build(d)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	got := Contents(build(at.AddDate(1, 0, 0), "bag", "zaken"), build(at.AddDate(2, 0, 0), "bag", "overdracht"))
	want := []string{"ruimer: valid until 2028-11-01", "ruimer: new grant for service overdracht", "beperkter: grant for service zaken is gone"}
	for i, w := range want {
		if len(got) != len(want) || !strings.HasPrefix(string(got[i].Effect)+": "+got[i].EN, w) {
			t.Fatalf("got %+v, want %q", got, want)
		}
	}
}
