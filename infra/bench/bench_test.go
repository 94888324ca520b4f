package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
)

// TestBenches runs each benchmark with the shortest rounds. Figures are not judged: a run is good when every answer was.
func TestBenches(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the hub and its peers: not in -short")
	}
	for name, b := range benches {
		t.Run(name, func(t *testing.T) {
			if gone := missing(b.tools...); len(gone) > 0 && os.Geteuid() != 0 {
				t.Skipf("not installed, and only root may: %s; run infra/bench/install.sh", strings.Join(gone, ", "))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			out := &bytes.Buffer{}
			if err := run(ctx, []string{name, "--json", "--duration", "1s", "--rounds", "1", "--connections", "4"}, out, testOutput{t}); err != nil {
				t.Fatal(err)
			}
			var report measure.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatalf("not one JSON document: %v", err)
			}
			if len(report.Results) < 6 || len(report.Ratios) < 4 {
				t.Errorf("got %d lines and %d ratios, want all", len(report.Results), len(report.Ratios))
			}
			for _, r := range report.Results {
				if r.CPU.Median <= 0 || r.PerSecond.Median <= 0 || r.P50.Median <= 0 || r.P99.Median < r.P50.Median || r.Does.Checks == "" {
					t.Errorf("%s: got %+v, want every figure", r.Name, r)
				}
			}
		})
	}
}

func TestPairsNameLines(t *testing.T) {
	for _, pair := range slices.Concat(gatewayPairs, tokenPairs) {
		if pair.Product == "" || pair.Peer == "" || pair.Note == "" {
			t.Errorf("pair %+v is not complete", pair)
		}
	}
}

func TestUsageFaults(t *testing.T) {
	for name, args := range map[string][]string{
		"no name":               {},
		"a name nobody knows":   {"everything"},
		"a fraction of seconds": {"tokens", "--duration", "1500ms"},
		"no rounds":             {"tokens", "--rounds", "0"},
		"a flag nobody knows":   {"tokens", "--fast"},
		"words behind the name": {"tokens", "gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestParseSpeed(t *testing.T) {
	sign, verify, err := parseSpeed([]byte("+DTP:256:sign:ecdsa:1\n+F4:3:256:31085.858586:12462.000000\n"))
	if err != nil || sign != 31085.858586 || verify != 12462 {
		t.Errorf("got %v %v %v", sign, verify, err)
	}
	for _, out := range []string{"", "+F4:3:256:x:1\n", "+F4:3:256:0:1\n", "+F2:2:2048:1:1\n"} {
		if _, _, err := parseSpeed([]byte(out)); err == nil {
			t.Errorf("got no error of %q", out)
		}
	}
}

func TestForged(t *testing.T) {
	if got, want := forged("a.b.signature"), "a.b.AAAAAAAAA"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
