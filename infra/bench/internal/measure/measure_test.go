package measure

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	for name, test := range map[string]struct {
		line        string
		pid, parent int
		own, waited time.Duration
		fails       bool
	}{
		"a name may hold blanks and parentheses": {
			line: "12 (a) R (b) S 7 0 0 0 0 0 0 0 0 0 100 50 3 4 20 0", pid: 12, parent: 7, own: 1500 * time.Millisecond, waited: 70 * time.Millisecond,
		},
		"a line that is cut is refused":     {line: "12 (a) S 7 0", fails: true},
		"a line without a name is refused":  {line: "12 a S 7 0", fails: true},
		"an empty line is refused":          {fails: true},
		"times that are no numbers refused": {line: "12 (a) S 7 0 0 0 0 0 0 0 0 0 x 50 3 4 20 0", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			pid, got, err := parseStat([]byte(test.line))
			if (err != nil) != test.fails {
				t.Fatalf("got error %v, want one: %v", err, test.fails)
			}
			if want := (process{parent: test.parent, own: test.own, waited: test.waited}); err == nil && (pid != test.pid || got != want) {
				t.Errorf("got %d %+v, want %d %+v", pid, got, test.pid, want)
			}
		})
	}
}

// A shell whose child does the work: the time of both counts.
func TestCPUCountsChildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sh -c 'i=0; while :; do i=$((i+1)); done' & wait`)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		all, _ := processes()
		for pid := range all {
			if descends(all, pid, cmd.Process.Pid) {
				if p, err := os.FindProcess(pid); err == nil {
					_ = p.Kill()
				}
			}
		}
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	deadline := time.Now().Add(20 * time.Second)
	for {
		used, err := CPU(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used >= 5*tick {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %s of the child's time, want more", used)
		}
		<-time.After(tick)
	}
}

func TestCPUOfAProcessThatIsGone(t *testing.T) {
	if _, err := CPU(1 << 30); err == nil {
		t.Error("got no error")
	}
}

func TestSpread(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   Spread
	}{
		"one value":             {[]float64{3}, Spread{3, 3, 3}},
		"an odd number":         {[]float64{9, 1, 2}, Spread{1, 2, 9}},
		"the middle of an even": {[]float64{1, 2, 4, 9}, Spread{1, 3, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NewSpread(test.values); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func fixed(name string, calls *[]string, cpu time.Duration) Line {
	return Line{Name: name, Load: func(_ context.Context, d time.Duration) (Load, error) {
		*calls = append(*calls, name)
		return Load{Operations: 100, Took: d, P50: time.Millisecond, P99: 2 * time.Millisecond, CPU: cpu}, nil
	}}
}

func TestRunTakesTurns(t *testing.T) {
	var calls []string
	lines := []Line{fixed("a", &calls, 10*time.Millisecond), fixed("b", &calls, 40*time.Millisecond)}
	results, err := Run(t.Context(), Plan{Rounds: 2, Duration: time.Second, WarmUp: time.Second, Progress: t.Logf}, lines)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "a", "b", "a", "b"}; !slices.Equal(calls, want) { // first the warm-up
		t.Errorf("got order %v, want %v", calls, want)
	}
	if got, want := results[0].CPU, (Spread{100, 100, 100}); got != want {
		t.Errorf("got %v µs, want %v", got, want)
	}
	ratios := Compare(results, []Pair{{Product: "a", Peer: "b"}, {Product: "a", Peer: "not measured"}})
	if len(ratios) != 1 || ratios[0].CPU.Median != 0.25 {
		t.Errorf("got ratios %+v, want 0.25", ratios)
	}
}

func TestRunRefusesWhatIsNotValid(t *testing.T) {
	wrong := errors.New("wrong body")
	for name, change := range map[string]func(*Line){
		"a load that failed":  func(l *Line) { l.Load = func(context.Context, time.Duration) (Load, error) { return Load{}, wrong } },
		"a probe that failed": func(l *Line) { l.Probe = func(context.Context) error { return wrong } },
		"no answers": func(l *Line) {
			l.Load = func(context.Context, time.Duration) (Load, error) { return Load{Took: time.Second}, nil }
		},
		"a process that is gone": func(l *Line) { l.Process = 1 << 30 },
	} {
		t.Run(name, func(t *testing.T) {
			line := fixed("a", new([]string), time.Millisecond)
			change(&line)
			if _, err := Run(t.Context(), Plan{Rounds: 1, Duration: time.Second, Progress: t.Logf}, []Line{line}); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestReport(t *testing.T) {
	r := Report{
		Bench: "gateway", Machine: ThisMachine(), Versions: map[string]string{"wrk": "4.1.0"}, Rounds: 1, Seconds: 5, Connections: 32,
		Results: []Result{{Name: "peer", Does: Does{Checks: "nothing"}, Rounds: []Round{{CPU: 12, PerSecond: 1000, Beside: map[string]float64{"journal": 3}}}}},
		Ratios:  []Ratio{{Product: "gateway", Peer: "peer", CPU: Spread{1, 2, 3}}}, Notes: []string{"a note"},
	}
	r.Results[0].sum()
	text := &strings.Builder{}
	if err := r.Write(text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12.0 (12.0–12.0)", "journal 3.0", "nothing", "gateway / peer", "2.00 (1.00–3.00)", "wrk 4.1.0", "* a note"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, text)
		}
	}
	if _, err := json.Marshal(&r); err != nil {
		t.Error(err)
	}
}
