package audit

import (
	"context"
	"log/slog"
	"time"
)

// stopTime is what the checkpoint of a stop may take.
const stopTime = 5 * time.Second

// Keep signs the log every so often, and once more when ctx ends, so that a registry that stops leaves nothing unsigned. tx
// runs a function in a transaction. Each checkpoint is logged: copies of the log outside the database are what shows that
// its end was cut off. A log that was changed is an error in the log each time, and is not signed.
func (l *Log) Keep(ctx context.Context, every time.Duration, tx func(context.Context, func(Store) error) error, logger *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last int64
	sign := func(ctx context.Context) {
		var c Checkpoint
		err := tx(ctx, func(s Store) (err error) {
			c, err = l.Checkpoint(ctx, s)
			return err
		})
		switch {
		case err != nil:
			logger.ErrorContext(ctx, "audit log not signed", "error", err)
		case c.Size != last:
			last = c.Size
			logger.InfoContext(ctx, "audit log signed", "records", c.Size, "checkpoint", c.Note)
		}
	}
	for {
		select {
		case <-tick.C:
			sign(ctx)
		case <-ctx.Done():
			final, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			sign(final)
			return
		}
	}
}
