// Command cases runs the case exchange of the hub.
package main

import (
	"context"
	"log/slog"
	"os"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/cases"
)

func main() {
	p := program.Program[cases.Config]{
		Name:     cases.Part,
		Defaults: cases.Defaults(),
		Measure:  func(c cases.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c cases.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return cases.New(ctx, c, cases.Deps{Logger: l, Telemetry: t})
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
