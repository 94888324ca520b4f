package region_test

import (
	"encoding/json"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

// BenchmarkLoad reads, verifies and compiles a region of 400 clients, 100 services and 4000 contracts.
func BenchmarkLoad(b *testing.B) {
	r := regiontest.Large(b, 1)
	loaded := mustLoad(b, r)
	text, err := json.Marshal(loaded.Snapshot(regiontest.Now))
	if err != nil {
		b.Fatal(err)
	}
	if got := len(loaded.Snapshot(regiontest.Now).Grants); got != 4000 {
		b.Fatalf("got %d grants", got)
	}
	b.ReportMetric(float64(len(text)), "snapshot-bytes")
	for b.Loop() {
		mustLoad(b, r)
	}
}
