// Command gateway runs a gateway of the hub.
package main

import (
	"context"
	"log/slog"
	"os"

	"noorderhub.nl/hub/gateway"
	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

func main() {
	p := program.Program[gateway.Config]{
		Name:     gateway.Part,
		Defaults: gateway.Defaults(),
		Border:   true,
		Measure:  func(c gateway.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c gateway.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return gateway.New(ctx, c, gateway.Deps{Logger: l, Telemetry: t})
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
