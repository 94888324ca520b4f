// Package measure runs lines of a benchmark in turn and says what each cost: processor time per operation, operations per
// second and times of answers, over several rounds, and the ratios between lines round by round. Ratios and processor time
// hold on a machine that others use too; operations per second hold for that machine and that minute only.
package measure

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Line is one thing that is measured: a peer or a form of the product.
type Line struct {
	Name string
	Does Does // what stands beside its figures, so that nobody compares what is not alike
	// Process is the root of the processes whose processor time counts; 0: Load says itself what it used.
	Process int
	// Beside are other processes that work for the line, by name. Their time is shown apart.
	Beside map[string]int
	// Load works on the line for about that long and says what came of it. An answer that was refused or wrong is an error.
	Load func(ctx context.Context, d time.Duration) (Load, error)
	// Probe looks whether the line does what it says; it is run before and after. Nil: Load looks at every answer itself.
	Probe func(ctx context.Context) error
}

// Does describes a line in a few words each.
type Does struct {
	Client   string `json:"client"`   // the client's side of the line, "http" or "https (TLS 1.3)"
	Upstream string `json:"upstream"` // the other side
	Checks   string `json:"checks"`   // what is verified on every request
	Keeps    string `json:"keeps"`    // what is recorded of every request
}

// Load is what one round brought.
type Load struct {
	Operations int64
	Took       time.Duration
	P50, P99   time.Duration
	CPU        time.Duration // of lines without a process
}

// Round is one measurement of a line.
type Round struct {
	Operations int64              `json:"operations"`
	Seconds    float64            `json:"seconds"`
	PerSecond  float64            `json:"perSecond"`
	CPU        float64            `json:"cpuMicros"`              // per operation
	Beside     map[string]float64 `json:"besideMicros,omitempty"` // per operation, of processes that are not counted in CPU
	P50        float64            `json:"p50Micros"`
	P99        float64            `json:"p99Micros"`
}

// Plan is how a benchmark is run.
type Plan struct {
	Rounds   int
	Duration time.Duration // of one line in one round
	WarmUp   time.Duration // of each line before its first round, not counted
	Progress func(format string, args ...any)
}

// Run measures the lines in turn, A B C A B C, so that what disturbs the machine for a while disturbs all of them.
func Run(ctx context.Context, plan Plan, lines []Line) ([]Result, error) {
	results := make([]Result, len(lines))
	for i, l := range lines {
		results[i] = Result{Name: l.Name, Does: l.Does}
		if err := probe(ctx, l); err != nil {
			return nil, err
		}
		if _, err := l.Load(ctx, plan.WarmUp); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	for n := range plan.Rounds {
		for i, l := range lines {
			plan.Progress("round %d of %d: %s", n+1, plan.Rounds, l.Name)
			round, err := once(ctx, plan, l)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.Name, err)
			}
			results[i].Rounds = append(results[i].Rounds, round)
		}
	}
	for i, l := range lines {
		if err := probe(ctx, l); err != nil {
			return nil, err
		}
		results[i].sum()
	}
	return results, nil
}

func probe(ctx context.Context, l Line) error {
	if l.Probe == nil {
		return nil
	}
	if err := l.Probe(ctx); err != nil {
		return fmt.Errorf("%s: %w", l.Name, err)
	}
	return nil
}

func once(ctx context.Context, plan Plan, l Line) (Round, error) {
	watched := Values(l.Beside)
	if l.Process != 0 {
		watched = append(watched, l.Process)
	}
	if err := Quiet(ctx, watched...); err != nil {
		return Round{}, err
	}
	before, err := times(watched)
	if err != nil {
		return Round{}, err
	}
	load, err := l.Load(ctx, plan.Duration)
	if err != nil {
		return Round{}, err
	}
	if load.Operations == 0 || load.Took <= 0 {
		return Round{}, fmt.Errorf("no answer in %s", plan.Duration)
	}
	// What a process put off while it worked is part of what the work costs.
	if err := Quiet(ctx, watched...); err != nil {
		return Round{}, err
	}
	after, err := times(watched)
	if err != nil {
		return Round{}, err
	}
	each := func(pid int) float64 {
		used := load.CPU
		if pid != 0 {
			used = after[pid] - before[pid]
		}
		return micros(used) / float64(load.Operations)
	}
	round := Round{
		Operations: load.Operations, Seconds: load.Took.Seconds(), PerSecond: float64(load.Operations) / load.Took.Seconds(),
		CPU: each(l.Process), P50: micros(load.P50), P99: micros(load.P99),
	}
	for name, pid := range l.Beside {
		if round.Beside == nil {
			round.Beside = map[string]float64{}
		}
		round.Beside[name] = each(pid)
	}
	return round, nil
}

func times(pids []int) (map[int]time.Duration, error) {
	all := map[int]time.Duration{}
	for _, pid := range pids {
		used, err := CPU(pid)
		if err != nil {
			return nil, err
		}
		all[pid] = used
	}
	return all, nil
}

// Values gives the values of a map in order.
func Values(m map[string]int) []int {
	var all []int
	for _, v := range m {
		all = append(all, v)
	}
	slices.Sort(all)
	return all
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
