package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bounds of one look of the timer.
const (
	claimLease = 30 * time.Second // a worker that died gives its transfers back after this
	claimBatch = 50
)

// Tick brings transfers on whose time has come: what was not delivered before its deadline expires, what the sender
// left open is closed, and the case of a transfer that ended is destroyed. It gives how many transfers it claimed; when that is a whole batch there may be more. Several
// workers may tick at a time, and one that is killed anywhere only delays. One transfer that fails keeps no other waiting.
func (x *Exchange) Tick(ctx context.Context) (int, error) {
	now, err := x.now(ctx)
	if err != nil {
		return 0, err
	}
	claimed, err := x.Store.Claim(ctx, now, claimLease, claimBatch)
	if err != nil {
		return 0, err
	}
	var faults []error
	for i := range claimed {
		if err := x.timeOut(ctx, &claimed[i], now); err != nil && !errors.Is(err, ErrStale) { // a command came first: good
			faults = append(faults, fmt.Errorf("transfer %s: %w", claimed[i].ID, err))
		}
	}
	return len(claimed), errors.Join(faults...)
}

// Batch is the most that one Tick claims.
const Batch = claimBatch

// timeOut makes the transition that the timer makes in the state of t, if its time has come.
func (x *Exchange) timeOut(ctx context.Context, t *Transfer, now time.Time) error {
	due := t.Due()
	if due.IsZero() || now.Before(due) {
		return nil
	}
	next, waitedFor := *t, ""
	next.ChangedAt = now
	switch {
	case t.Overdue(now):
		next.State, waitedFor = Expired, t.WaitsFor()
	case t.State == Acknowledged:
		next.State, next.Source = Closed, NotTold
	case t.destroyable():
		next.ChangedAt, next.DestroyedAt = t.ChangedAt, now
	default:
		return nil
	}
	made := next.State
	if !next.DestroyedAt.IsZero() {
		made = Destroyed
	}
	receipts, err := x.receiptsOf(ctx, t)
	if err != nil {
		return err
	}
	next.Version, next.Receipts = t.Version+1, t.Receipts+1
	tr, err := x.transition(next, made, x.Hub, receipts[len(receipts)-1].Compact, waitedFor, now)
	if err != nil {
		return err
	}
	tr.From, tr.Destroy = t.Version, made == Destroyed
	return x.Store.Change(ctx, tr)
}
