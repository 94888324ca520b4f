package program

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// startTimeout is shorter than what supervisors wait before they call a start failed (systemd: 90 s).
	startTimeout = 60 * time.Second
	// tryEvery is the pause between two attempts, each with a line in the log.
	tryEvery = 2 * time.Second
)

// missing is an error of New that names a dependency that may come back by itself, such as a database that is restarted.
// Every other error is a fault that waiting does not mend.
type missing interface {
	error
	Missing() string
}

type runner = interface{ Run(context.Context) error }

// await makes the part as soon as what it needs is there. Told to stop while it waits, it gives nil.
func await(ctx context.Context, patience time.Duration, logger *slog.Logger, make func() (runner, error)) (runner, error) {
	began := time.Now()
	for {
		service, err := make()
		if err == nil {
			return service, nil
		}
		if ctx.Err() != nil {
			logger.InfoContext(ctx, "told to stop while starting")
			return nil, nil
		}
		var away missing
		if !errors.As(err, &away) {
			return nil, err
		}
		left := patience - time.Since(began)
		if left <= 0 {
			return nil, fmt.Errorf("%s was missing for %s: %w", away.Missing(), patience, err)
		}
		logger.WarnContext(ctx, "waiting at start", "missing", away.Missing(), "left", left.Round(time.Second).String(), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(min(tryEvery, left)):
		}
	}
}
