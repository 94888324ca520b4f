package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
)

// casesKills is how many runs the scenario makes per database; every test run makes fifteen.
const casesKills = 500

// casesKill has the case exchange killed with -9 at named fault points and at random while senders and receivers repeat
// their commands through a proxy that cuts connections, and goes over the history: what was acknowledged is there, once.
// The embedded database dies with the process. PostgreSQL takes part where NOORDERHUB_TEST_POSTGRES names one.
func casesKill(ctx context.Context, root string, say func(string, ...any)) error {
	databases := 1
	if os.Getenv("NOORDERHUB_TEST_POSTGRES") != "" {
		databases++
	}
	out, err := shell(ctx, root, "go test ./services/cases -run '^TestNothingIsLostOrDoubledUnderKill$' -v -count=1 -timeout 2h -args -kills "+
		strconv.Itoa(casesKills*2/databases))
	for line := range strings.Lines(out) {
		if strings.Contains(line, "killed") || strings.Contains(line, "SKIP") {
			say("%s", strings.TrimSpace(line))
		}
	}
	if err == nil && !strings.Contains(out, "times at random") {
		err = errors.New("the runs were not made")
	}
	return err
}
