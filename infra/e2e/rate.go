package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// The contract of westerkwartier has a rate, so that several gateways can be seen to share it.
const (
	ratePerSecond = 100
	rateFor       = 10 * time.Second
	rateCallers   = 6 // connections; HAProxy spreads them over the gateways
)

var rated = map[string]map[string]string{"westerkwartier-bag": {"rate": fmt.Sprint(ratePerSecond)}}

// oneRate calls faster than the contract allows, over all gateways at once, and counts what was let through: within one
// per cent of what one gateway alone would let through.
func oneRate(ctx context.Context, h *hub) error {
	var through, refused atomic.Int64
	callers := make([]*caller, rateCallers)
	for i := range callers {
		var err error
		if callers[i], err = h.newCaller(ctx, "westerkwartier", "bag", ""); err != nil {
			return err
		}
		if _, err := callers[i].token(ctx, false); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(func() {
			for time.Since(began) < rateFor && ctx.Err() == nil {
				switch a := c.call(ctx, "GET", examplePath); {
				case a.err == nil && a.status == 200:
					through.Add(1)
				case a.err == nil && a.status == 429 && a.retryAfter:
					refused.Add(1)
					time.Sleep(2 * time.Millisecond)
				default:
					cancel(a.fault())
				}
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	want := ratePerSecond * took.Seconds()
	got := float64(through.Load())
	const burst = 5 // of a rate of 100: gateway/internal/limit
	if refused.Load() == 0 {
		return fmt.Errorf("the calls did not reach the rate: %.0f in %s, none refused", got, took)
	}
	if got > want*1.01+burst || got < want*0.99 {
		return fmt.Errorf("%.0f calls were let through in %s, want %.0f within 1%%", got, took, want)
	}
	h.say("one rate over %d gateways: %.0f calls let through, %.0f allowed, %d refused", len(h.Instances("gateway")), got, want, refused.Load())
	return nil
}
