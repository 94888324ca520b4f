package material_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/up/material"
)

func places() material.Places {
	return material.Places{
		Upstreams: map[string][]string{"address": {"https://127.0.0.1:1", "https://127.0.0.1:2"}, "cases": {"consul:cases"}},
		Signed:    time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
	}
}

func TestTheRegionNamesItsUpstreamsAndOtherTerms(t *testing.T) {
	f := material.Files{Dir: t.TempDir()}
	p := places()
	p.Terms = map[string]map[string]string{"assen-bag": {"rate": "100", "logging": "open"}}
	r, err := material.WriteRegion(f, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Organisation("assen").OIN; got != "00000099000000106000" {
		t.Errorf("got OIN %q of assen", got)
	}
	text, err := os.ReadFile(f.Region())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"https://127.0.0.1:1", "https://127.0.0.1:2", "consul:cases", "rate: 100", "logging: open"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in the region file", want)
		}
	}
}

func TestARegionThatLacksSomethingIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*material.Places){
		"a part without address":         func(p *material.Places) { delete(p.Upstreams, "cases") },
		"terms of a contract not there":  func(p *material.Places) { p.Terms = map[string]map[string]string{"x-bag": {"rate": "1"}} },
		"a term that cannot be read":     func(p *material.Places) { p.Terms = map[string]map[string]string{"assen-bag": {"rate": "[1"}} },
		"a part with an empty addresses": func(p *material.Places) { p.Upstreams["address"] = nil },
	} {
		p := places()
		spoil(&p)
		if _, err := material.WriteRegion(material.Files{Dir: t.TempDir()}, p); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestMakeLeavesWhatIsThere(t *testing.T) {
	f := material.Files{Dir: t.TempDir()}
	r, err := material.WriteRegion(f, places())
	if err != nil {
		t.Fatal(err)
	}
	o := material.Options{Names: []string{"localhost"}, KeepAuthorities: true}
	made, err := material.Make(f, r, o)
	if err != nil || len(made) == 0 {
		t.Fatalf("got %v, %v", made, err)
	}
	if again, err := material.Make(f, r, o); err != nil || len(again) > 0 {
		t.Errorf("a second run wrote %v, %v", again, err)
	}
	if err := material.SignContracts(t.Context(), f, r, time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	}
	d, err := material.DemoFile(f, r, "https://localhost:1", "https://localhost:1", time.Now())
	if err != nil || d.Organisations["leeuwarden"].Certificate == "" || d.Organisations["assen"].Key == "" {
		t.Errorf("got %+v, %v", d.Organisations, err)
	}
}
