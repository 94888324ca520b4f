// Package program is the main of a part: flags, configuration, measuring, and the part itself until it is told to stop.
// It is written once so that every binary of the hub behaves the same on a command line.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/redisdb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

// version is set by the linker: -X noorderhub.nl/hub/libs/program.version=1.2.3.
var version = "dev"

// Program describes the binary of one part, whose configuration is a C.
type Program[C any] struct {
	Name     string
	Defaults C
	Border   bool // callers are outside the hub: see telemetry.Config
	// Measure gives what measuring needs of a configuration.
	Measure func(C) (workload.Files, telemetry.Target)
	// New makes the part.
	New func(context.Context, C, *slog.Logger, *telemetry.Telemetry) (interface{ Run(context.Context) error }, error)
	// Commands are run instead of the part when named after the flags; may be nil.
	Commands map[string]func(ctx context.Context, cfg C, stdout io.Writer, args []string) error
}

// Run is the program: --config FILE, --print-config, --start-timeout, then a command or the part. Logs go to stderr as JSON lines.
func (p Program[C]) Run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", p.Name+".yaml", "configuration `file`")
	show := flags.Bool("print-config", false, "print the configuration without secrets and stop")
	patience := flags.Duration("start-timeout", startTimeout, "longest wait at start for a database that is away")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	cfg := p.Defaults
	command := flags.Arg(0)
	load := config.LoadToRun
	if *show || command != "" {
		load = config.Load // what the file names is for who serves: keys may be of another machine
	}
	if err := load(*file, &cfg); err != nil {
		return err
	}
	if *show {
		return config.Print(stdout, cfg)
	}
	if command != "" {
		run, ok := p.Commands[command]
		if !ok {
			return fmt.Errorf("%s has no command %q", p.Name, command)
		}
		return run(ctx, cfg, stdout, flags.Args()[1:])
	}
	return p.serve(ctx, cfg, *patience, stderr)
}

// lastSpans is how long a stop waits for a collector. What it does not take by then is dropped and counted.
const lastSpans = 5 * time.Second

func (p Program[C]) serve(ctx context.Context, cfg C, patience time.Duration, stderr io.Writer) (err error) {
	logger := telemetry.Logger(stderr, p.Name, slog.LevelInfo)
	redisdb.LogTo(logger)
	log.SetFlags(0)
	log.SetOutput(telemetry.Stray{Logger: logger})
	files, target := p.Measure(cfg)
	id, err := workload.Load(files)
	if err != nil {
		return err
	}
	spans, err := target.Client(id.HTTPClient("journal"))
	if err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, telemetry.Config{
		Service: p.Name, Version: version, Endpoint: target.Endpoint, Ratio: target.Ratio, Border: p.Border,
	}, telemetry.Deps{Client: spans, Logger: logger})
	if err != nil {
		return err
	}
	// Last of all, so that the spans of the stop itself are sent too.
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		err = errors.Join(err, tel.Shutdown(ctx))
	}()
	service, err := await(ctx, patience, logger, func() (runner, error) { return p.New(ctx, cfg, logger, tel) })
	if service == nil || err != nil {
		return err
	}
	return service.Run(ctx)
}
