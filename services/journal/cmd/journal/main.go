// Command journal runs the journal of the hub.
package main

import (
	"context"
	"log/slog"
	"os"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/journal"
)

func main() {
	p := program.Program[journal.Config]{
		Name:     journal.Part,
		Defaults: journal.Defaults(),
		Measure:  func(c journal.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c journal.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return journal.New(ctx, c, journal.Deps{Logger: l, Telemetry: t})
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
