// Command authserver runs the authorization server of the hub.
package main

import (
	"context"
	"log/slog"
	"os"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver"
)

func main() {
	p := program.Program[authserver.Config]{
		Name:     authserver.Part,
		Defaults: authserver.Defaults(),
		Measure:  func(c authserver.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c authserver.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return authserver.New(ctx, c, authserver.Deps{Logger: l, Telemetry: t})
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
