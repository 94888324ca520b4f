package allinone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/telemetry"
)

// part is what every part of the hub offers.
type part interface {
	Run(ctx context.Context) error
	Ready(ctx context.Context) error
}

// running is a part that was started.
type running struct {
	name      string
	part      part
	telemetry *telemetry.Telemetry
	stop      context.CancelFunc
	done      chan struct{} // closed when Run returned
	err       error         // of Run, set before done closes
}

func launch(name string, p part, t *telemetry.Telemetry) *running {
	ctx, stop := context.WithCancel(context.Background())
	r := &running{name: name, part: p, telemetry: t, stop: stop, done: make(chan struct{})}
	go func() {
		r.err = p.Run(ctx)
		close(r.done)
	}()
	return r
}

// flushTimeout bounds the sending of a part's last spans.
const flushTimeout = 2 * time.Second

// end stops the part and waits: what it asked of others in its stop is still there, because they stop later.
func (r *running) end() error {
	r.stop()
	<-r.done
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = r.telemetry.Shutdown(ctx) // spans may be lost
	if r.err != nil {
		return fmt.Errorf("%s: %w", r.name, r.err)
	}
	return nil
}

// stopAll ends the parts in the reverse of the order they were started in: the gateway first, so that calls in flight
// find everything behind it, and the journal after all who write to it.
func stopAll(parts []*running) error {
	var faults []error
	for i := len(parts) - 1; i >= 0; i-- {
		faults = append(faults, parts[i].end())
	}
	return errors.Join(faults...)
}

const (
	readyPoll    = 20 * time.Millisecond
	readyTimeout = 60 * time.Second
)

// awaitReady waits until every part is ready, and gives up when one of them ends.
func awaitReady(ctx context.Context, parts []*running) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for _, r := range parts {
		for {
			err := r.part.Ready(ctx)
			if err == nil {
				break
			}
			select {
			case <-r.done:
				return fmt.Errorf("%s ended while starting: %w", r.name, r.err)
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready: %w", r.name, err)
			case <-time.After(readyPoll):
			}
		}
	}
	return nil
}
