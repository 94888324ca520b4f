package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a program until it ends or is told to stop, and gives its exit code: 0 after an orderly stop, 1 after a
// fault, which it prints. The second SIGINT or SIGTERM ends the process at once.
func Main(stderr io.Writer, run func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // from here on the signals have their default effect
	}()
	// Only the signal's own end of the context is no fault; one joined to others, or wrapped by a step, is.
	if err := run(ctx); err != nil && (ctx.Err() == nil || err != ctx.Err()) { //nolint:errorlint // exactly this error
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
