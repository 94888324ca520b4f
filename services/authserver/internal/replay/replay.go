// Package replay makes client assertions usable once, across all processes of the authorization server. The memory is in
// Redis: one key per assertion, set only if absent, gone when the assertion can no longer be used anyway.
//
// Redis can lose its memory: a restart with no file or an old one, a flush, a failover to a replica that lagged behind.
// Each bucket of keys therefore has two keys beside it. The epoch is the moment from which the memory is complete; the
// run is the run_id of the server that was asked last, which every start makes anew. When the epoch is missing, or the
// server that answers is another than the run names, marks may be lost though older keys are there: the epoch is set to
// now, and whatever was signed before that moment is refused ("sign anew"), because nobody can tell any more whether it
// was used. A server that does not tell its run_id (the embedded one, or an ACL without INFO) is judged by the epoch
// alone: then a memory that came back old goes unnoticed. All keys of a bucket share a hash tag, so that a Cluster keeps
// and loses them together.
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

// Both scripts run as a whole on the server that holds the bucket, so that mark, epoch and run_id are of one moment and
// one server, at the price of one round trip.
var (
	// KEYS epoch, run; ARGV the epoch to set when it is missing, and now. Gives the epoch.
	check = redis.NewScript(lookAfter + `return epoch(KEYS[1], KEYS[2], ARGV[1], ARGV[2])`)
	// KEYS epoch, run, mark; ARGV now, the mark's life in ms. Gives whether the mark is new, the epoch, and whether it is
	// set just now.
	mark = redis.NewScript(lookAfter + `
if not redis.call('SET', KEYS[3], '1', 'PX', ARGV[2], 'NX') then return {0, '0', 0} end
local since, lost = epoch(KEYS[1], KEYS[2], ARGV[1], ARGV[1])
return {1, since, lost and 1 or 0}`)
)

const lookAfter = `
local function epoch(at, run, missing, now)
  local info, id = redis.pcall('INFO', 'server'), nil
  if type(info) == 'string' then id = string.match(info, 'run_id:(%x+)') end
  local since, lost = redis.call('GET', at), false
  if not since then
    since, lost = missing, true
  elseif id and redis.call('GET', run) ~= id then
    since, lost = now, true
  end
  if lost then
    redis.call('SET', at, since)
    if id then redis.call('SET', run, id) end
  end
  return since, lost
end
`

// Begin sets the epochs that are missing or of another run. first says that this authorization server has never accepted
// an assertion before (its own store is new): then an empty Redis is complete, not lost.
func (m *Memory) Begin(ctx context.Context, first bool) error {
	now := m.now().UnixMilli()
	missing := now
	if first {
		missing = complete
	}
	_, err := m.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for b := range buckets {
			check.Eval(ctx, p, []string{epochKey(b), runKey(b)}, missing, now)
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
	now := m.now()
	life := max(until.Sub(now), 0) + time.Second // never shorter than the assertion, whatever the rounding
	bucket, key := keyOf(client, jti)
	answer, err := mark.Run(ctx, m.redis, []string{epochKey(bucket), runKey(bucket), key}, now.UnixMilli(), life.Milliseconds()).Slice()
	if err != nil {
		return Used, fmt.Errorf("mark assertion as used: %w", err)
	}
	fresh, since, lost, err := parse(answer)
	if err != nil {
		return Used, err
	}
	if !fresh {
		return Used, nil
	}
	if lost {
		// The other buckets are looked at too: each would else begin its pause only when it is met.
		if err := m.Begin(ctx, false); err != nil {
			return Used, err
		}
	}
	if since != complete && !issued.After(time.UnixMilli(since).Add(m.leeway)) {
		return Forgotten, nil
	}
	return Fresh, nil
}

func parse(answer []any) (fresh bool, since int64, lost bool, err error) {
	if len(answer) == 3 {
		isNew, ok := answer[0].(int64)
		text, isText := answer[1].(string)
		set, isInt := answer[2].(int64)
		if since, err = strconv.ParseInt(text, 10, 64); err == nil && ok && isText && isInt {
			return isNew == 1, since, set == 1, nil
		}
	}
	return false, 0, false, errors.New("mark assertion as used: the answer of Redis is not that of the script")
}

// ReadyAfter is how long after a loss of memory new assertions are refused at most: the leeway and the second that iat is
// rounded by.
func (m *Memory) ReadyAfter() time.Duration { return m.leeway + time.Second }

// keyOf hides client and jti behind one hash. The separator keeps ("ab", "c") and ("a", "bc") apart.
func keyOf(client, jti string) (int, string) {
	sum := sha256.Sum256([]byte(client + "\x00" + jti))
	bucket := int(sum[0]) % buckets
	return bucket, tag(bucket) + hex.EncodeToString(sum[:])
}

func epochKey(bucket int) string { return tag(bucket) + "epoch" }

func runKey(bucket int) string { return tag(bucket) + "run" }

func tag(bucket int) string { return "hub:assertion:{" + strconv.Itoa(bucket) + "}:" }
