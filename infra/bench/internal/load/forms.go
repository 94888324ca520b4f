package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
)

// Forms posts forms to one URL, each once.
type Forms struct {
	HTTP        *http.Client
	URL         string
	Connections int
	// Make gives n new bodies. They are made before the load begins, so making them costs the measurement nothing.
	Make func(n int) ([]string, error)
	// Check looks at the body of an answer.
	Check func(body []byte) error

	rate float64 // per second, of the last load
}

// maxForms bounds how many bodies are made for one load: they are signed, and they grow old while they wait.
const (
	maxForms   = 20_000
	firstForms = 500
	spare      = 1.3
)

// Run posts for d, or until the bodies it made are used up: it makes as many as the load before it would have needed.
func (f *Forms) Run(ctx context.Context, d time.Duration) (measure.Load, error) {
	n := firstForms
	if f.rate > 0 {
		n = min(maxForms, int(f.rate*d.Seconds()*spare))
	}
	bodies, err := f.Make(n)
	if err != nil {
		return measure.Load{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	times := make([][]time.Duration, f.Connections)
	begin := time.Now()
	var wg sync.WaitGroup
	for c := range f.Connections {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(begin) < d {
				i := int(next.Add(1)) - 1
				if i >= len(bodies) {
					return
				}
				sent := time.Now()
				if err := f.post(ctx, bodies[i]); err != nil {
					cancel(err)
					return
				}
				times[c] = append(times[c], time.Since(sent))
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if err := context.Cause(ctx); err != nil {
		return measure.Load{}, err
	}
	all := slices.Sorted(slices.Values(slices.Concat(times...)))
	if len(all) == 0 {
		return measure.Load{}, fmt.Errorf("no answer in %s", d)
	}
	f.rate = float64(len(all)) / took.Seconds()
	return measure.Load{Operations: int64(len(all)), Took: took, P50: all[len(all)/2], P99: all[len(all)*99/100]}, nil
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 64 << 10

func (f *Forms) post(ctx context.Context, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := f.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %.300s", resp.StatusCode, text)
	}
	return f.Check(text)
}
