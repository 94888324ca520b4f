// Command address is the shared service for looking up addresses.
//
//	address --config address.yaml                 serve
//	address --config address.yaml import FILE…    make a stand of official BAG 2.0 extracts of one day
//	address --config address.yaml rollback        take the stand before the one in use again
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/address"
)

func main() {
	p := program.Program[address.Config]{
		Name:     address.Part,
		Defaults: address.Defaults(),
		Measure:  func(c address.Config) (workload.Files, telemetry.Target) { return c.Workload, c.Telemetry },
		New: func(ctx context.Context, c address.Config, l *slog.Logger, t *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return address.New(ctx, c, address.Deps{Logger: l, Telemetry: t})
		},
		Commands: map[string]func(context.Context, address.Config, io.Writer, []string) error{
			"import": func(ctx context.Context, cfg address.Config, stdout io.Writer, args []string) error {
				return address.Import(ctx, cfg, stdout, args...)
			},
			"rollback": func(ctx context.Context, cfg address.Config, stdout io.Writer, args []string) error {
				if len(args) > 0 {
					return errors.New("rollback takes no arguments")
				}
				return address.Rollback(ctx, cfg, stdout)
			},
		},
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}
