// Command portal runs the web portal of the hub.
package main

import (
	"context"
	"log/slog"
	"os"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/portal"
)

func main() {
	p := program.Program[portal.Config]{
		Name:     portal.Part,
		Defaults: portal.Defaults(),
		Measure:  func(c portal.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c portal.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return portal.New(ctx, c, portal.Deps{Logger: l, Telemetry: t})
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
