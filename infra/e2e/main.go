// Command e2e runs scenarios against the real product from outside: real processes, real sockets, clients that others
// wrote. A scenario ends with exit code 0 only when everything it demands held.
//
//	go run ./infra/e2e quickstart
//	go run ./infra/e2e quickstart --runs 10
//	go run ./infra/e2e story
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"noorderhub.nl/hub/infra/stack"
	"noorderhub.nl/hub/libs/app"
)

// scenario plays one story in the repository at root and tells each step through say.
type scenario func(ctx context.Context, root string, say func(format string, args ...any)) error

var scenarios = map[string]scenario{
	"cases-kill":    casesKill,
	"gateway-chaos": gatewayChaos,
	"hub-kill":      hubKill,
	"quickstart":    quickstart,
	"registry-kill": registryKill,
	"story":         story,
}

func main() {
	runs := 1
	name := ""
	flags := flag.NewFlagSet("e2e", flag.ExitOnError)
	flags.IntVar(&runs, "runs", 1, "how often to play the scenario")
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		name = os.Args[1]
		_ = flags.Parse(os.Args[2:]) // ExitOnError: does not return one
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error {
		play, ok := scenarios[name]
		if !ok {
			return fmt.Errorf("usage: e2e NAME [--runs N]; scenarios: %s", strings.Join(slices.Sorted(maps.Keys(scenarios)), ", "))
		}
		root, err := stack.Root()
		if err != nil {
			return err
		}
		for run := 1; run <= runs; run++ {
			fmt.Printf("%s, run %d of %d\n", name, run, runs)
			if err := play(ctx, root, func(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }); err != nil {
				return fmt.Errorf("%s, run %d: %w", name, run, err)
			}
		}
		return nil
	}))
}
