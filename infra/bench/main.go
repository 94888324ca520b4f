// Command bench measures the hub beside its peers, in one run and in turn, so that the ratios hold on any machine.
//
//	go run ./infra/bench gateway
//	go run ./infra/bench tokens --json
//
// It exits non-zero only when a run is not valid: an answer was refused or wrong, or a peer did not start. Slow figures are
// figures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
	"noorderhub.nl/hub/infra/bench/internal/proc"
	"noorderhub.nl/hub/libs/app"
)

// settings of a run.
type settings struct {
	json        bool
	duration    time.Duration // of a line in a round
	rounds      int
	connections int
	only        string // lines whose name has one of these, with commas between; empty: all
	profile     string // folder for processor profiles; empty: none
	progress    func(format string, args ...any)
}

// bench is one benchmark.
type bench struct {
	tools []string // programs it needs
	run   func(ctx context.Context, w *workshop) (*measure.Report, error)
}

var benches = map[string]bench{
	"gateway": {tools: []string{"wrk", "nginx", "haproxy", "redis-server"}, run: benchGateway},
	"tokens":  {tools: []string{"nginx", "redis-server", "openssl"}, run: benchTokens},
}

func main() {
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.json, "json", false, "print one JSON document")
	flags.DurationVar(&s.duration, "duration", 5*time.Second, "of each line in each round, in whole seconds")
	flags.IntVar(&s.rounds, "rounds", 3, "how often each line is measured")
	flags.IntVar(&s.connections, "connections", 32, "that keep calling")
	flags.StringVar(&s.only, "only", "", "measure only lines whose name has one of these `texts`, with commas between")
	flags.StringVar(&s.profile, "profile", "", "write processor profiles of the hub's parts into this `folder`, under one more load of each of their lines")
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	b, ok := benches[name]
	if !ok || flags.NArg() > 0 {
		return fmt.Errorf("usage: bench NAME [--json] [--duration 5s] [--rounds 3] [--connections 32]; names: %s",
			strings.Join(slices.Sorted(maps.Keys(benches)), ", "))
	}
	if s.duration < time.Second || s.duration%time.Second != 0 || s.rounds < 1 || s.connections < 1 {
		return errors.New("duration is in whole seconds, rounds and connections are one or more")
	}
	s.progress = func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	report, err := b.measure(ctx, name, s)
	if err != nil {
		return err
	}
	if s.json {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return report.Write(stdout)
}

// workshop is what a benchmark works with.
type workshop struct {
	settings
	root  string // of the repository
	dir   string // ends with the run
	tools tools
	group *proc.Group
}

func (b bench) measure(ctx context.Context, name string, s settings) (*measure.Report, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	found, err := install(ctx, root, b.tools...)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "noorderhub-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // after the programs have stopped
	w := &workshop{settings: s, root: root, dir: dir, tools: found, group: proc.NewGroup(dir)}
	defer w.group.Stop()
	report, err := b.run(ctx, w)
	if err != nil {
		return nil, err
	}
	report.Bench, report.At, report.Machine, report.Versions = name, time.Now().UTC(), measure.ThisMachine(), found.versions(ctx)
	report.Rounds, report.Seconds, report.Connections = s.rounds, s.duration.Seconds(), s.connections
	return report, w.group.Alive()
}

// lines runs the lines that were asked for.
func (w *workshop) lines(ctx context.Context, all []measure.Line) ([]measure.Result, error) {
	asked := slices.DeleteFunc(slices.Clone(all), func(l measure.Line) bool { return !w.asked(l) })
	if len(asked) == 0 {
		return nil, fmt.Errorf("no line has %q in its name", w.only)
	}
	plan := measure.Plan{Rounds: w.rounds, Duration: w.duration, WarmUp: time.Second, Progress: w.progress}
	return measure.Run(ctx, plan, asked)
}

func (s settings) asked(l measure.Line) bool {
	return slices.ContainsFunc(strings.Split(s.only, ","), func(text string) bool { return strings.Contains(l.Name, text) })
}
