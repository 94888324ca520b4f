// Package replay makes client assertions usable once, across all processes of the authorization server. The memory is in
// Redis: one key per assertion, set only if absent, gone when the assertion can no longer be used anyway.
//
// Redis can lose its memory: a restart without a file, a flush, a failover to a replica that lagged behind. Each bucket
// of keys therefore has an epoch beside it: the moment from which the memory is complete. When it is missing, memory was
// lost; it is set to now, and whatever was signed before that moment is refused ("sign anew"), because nobody can tell
// any more whether it was used. Key and epoch share a hash tag, so that a Cluster keeps and loses them together.
package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// buckets spread the keys over the slots of a Cluster.
const buckets = 16

// complete is the epoch of a memory that was never lost: no assertion is older.
const complete = 0

// Verdict is what Use found.
type Verdict int

// The verdicts. Forgotten means that the memory was lost after the assertion was signed: it may have been used before.
const (
	Fresh Verdict = iota
	Used
	Forgotten
)

// Memory remembers uses.
type Memory struct {
	redis  redis.UniversalClient
	leeway time.Duration
	now    func() time.Time
}

// New makes a memory. leeway is how far in the future an assertion's iat may lie; the refusal after a loss covers it.
func New(client redis.UniversalClient, leeway time.Duration, now func() time.Time) *Memory {
	return &Memory{redis: client, leeway: leeway, now: now}
}

// Begin sets the epochs that are missing. first says that this authorization server has never accepted an assertion
// before (its own store is new): then an empty Redis is complete, not lost.
func (m *Memory) Begin(ctx context.Context, first bool) error {
	epoch := int64(complete)
	if !first {
		epoch = m.now().UnixMilli()
	}
	_, err := m.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for b := range buckets {
			p.SetNX(ctx, epochKey(b), epoch, 0)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("epochs of used assertions: %w", err)
	}
	return nil
}

// Use marks the assertion jti of client as used and tells whether it was usable. issued is its iat, until the moment from
// which it is refused for its age. An error means that Redis did not answer: nothing may be concluded then.
func (m *Memory) Use(ctx context.Context, client, jti string, issued, until time.Time) (Verdict, error) {
	life := until.Sub(m.now()) + time.Second // never shorter than the assertion, whatever the rounding
	bucket, key := keyOf(client, jti)
	var set *redis.BoolCmd
	var epoch *redis.StringCmd
	// First the mark, then the epoch: memory lost between the two shows as a missing epoch, and refuses.
	_, err := m.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		set = p.SetNX(ctx, key, 1, life)
		epoch = p.Get(ctx, epochKey(bucket))
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Used, fmt.Errorf("mark assertion as used: %w", err)
	}
	if set.Err() != nil {
		return Used, fmt.Errorf("mark assertion as used: %w", set.Err())
	}
	if !set.Val() {
		return Used, nil
	}
	since, err := m.since(ctx, bucket, epoch)
	if err != nil {
		return Used, err
	}
	if !since.IsZero() && !issued.After(since.Add(m.leeway)) {
		return Forgotten, nil
	}
	return Fresh, nil
}

// ReadyAfter is how long after a loss of memory new assertions are refused at most: the leeway and the second that iat is
// rounded by.
func (m *Memory) ReadyAfter() time.Duration { return m.leeway + time.Second }

// since is the moment from which the bucket's memory is complete; zero when it always was.
func (m *Memory) since(ctx context.Context, bucket int, epoch *redis.StringCmd) (time.Time, error) {
	value, err := epoch.Int64()
	if errors.Is(err, redis.Nil) {
		// Of several processes that find it missing the first decides. The other buckets are looked at too: each would
		// else begin its pause only when it is met.
		if err = m.Begin(ctx, false); err == nil {
			value, err = m.redis.Get(ctx, epochKey(bucket)).Int64()
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("epoch of used assertions: %w", err)
	}
	if value == complete {
		return time.Time{}, nil
	}
	return time.UnixMilli(value), nil
}

// keyOf hides client and jti behind one hash. The separator keeps ("ab", "c") and ("a", "bc") apart.
func keyOf(client, jti string) (int, string) {
	sum := sha256.Sum256([]byte(client + "\x00" + jti))
	bucket := int(sum[0]) % buckets
	return bucket, tag(bucket) + hex.EncodeToString(sum[:])
}

func epochKey(bucket int) string { return tag(bucket) + "epoch" }

func tag(bucket int) string { return "hub:assertion:{" + strconv.Itoa(bucket) + "}:" }
