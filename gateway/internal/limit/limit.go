// Package limit keeps calls to what a contract allows: so many per second and so many per day, over all gateways together.
//
// The gateways share one bucket and one count per grant in Redis. A call asks for its permit there, and calls of the same
// grant that come while a question is under way ask together with the next one, as records share a sync of the log: no
// permit is set aside, so the gateways together give out what the contract allows and not one more, and under load a
// question serves many calls. While Redis is away each gateway counts by itself, with the whole rate (a client sits on
// one gateway with its connections, and must not get less than was agreed); what it gave out of a quota meanwhile is
// added to the common count afterwards.
package limit

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // a day of a quota begins at midnight in the Netherlands, wherever the gateway runs

	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/gateway/internal/shared"
)

// Limits are what a contract allows. 0 is no limit.
type Limits struct {
	Rate  int // calls per second
	Quota int // calls per day, from midnight to midnight in the Netherlands
}

// Reason is the limit that a call met.
type Reason uint8

// The reasons.
const (
	Free  Reason = iota // no limit was met: the call may go on
	Rate                // calls per second
	Quota               // calls per day
)

// Verdict is what a call gets.
type Verdict struct {
	Reason    Reason
	Wait      time.Duration // until a permit can be had; of a refusal
	RateLeft  int           // calls that may come at once now
	QuotaLeft int           // calls that are left today
	Reset     time.Duration // to the end of the day
}

// Burst is how many calls may come at once after a pause of a second: what the rate gives in 25 ms, but five where the rate
// allows it, for programs that make some calls side by side. From the first call on never more than rate × time + burst are
// let through. Calls that did not come in a steady stream can be made up for within a second: a program that halts for a
// moment still gets its rate.
func Burst(rate int) int { return min(rate, max(rate/40, 5)) }

// patience is how long calls wait for Redis before this gateway goes on alone. It is paid once, not per call, and better
// waited for than counted apart: a halt of the network or of the machine is no loss of Redis.
const patience = 400 * time.Millisecond

//go:embed take.lua
var takeSource string

// Limiter gives out permits.
type Limiter struct {
	memory *shared.Memory
	zone   *time.Location
	now    func() time.Time
	script *redis.Script
	wait   time.Duration // for Redis
	meters sync.Map      // grant hash → *meter
	alone  atomic.Uint64
	asked  atomic.Uint64
	given  [Quota + 1]atomic.Uint64 // verdicts by reason
}

// New makes a Limiter. now is nil but in tests.
func New(memory *shared.Memory, now func() time.Time) (*Limiter, error) {
	if memory == nil {
		return nil, errors.New("limit: a required field is missing")
	}
	if now == nil {
		now = time.Now
	}
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		return nil, err
	}
	return &Limiter{memory: memory, zone: zone, now: now, script: redis.NewScript(takeSource), wait: patience}, nil
}

// Alone counts permits that were decided on by this gateway by itself.
func (l *Limiter) Alone() uint64 { return l.alone.Load() }

// Given counts verdicts by their reason.
func (l *Limiter) Given(r Reason) uint64 { return l.given[r].Load() }

// Asked counts questions to Redis.
func (l *Limiter) Asked() uint64 { return l.asked.Load() }

// Take asks for a permit for one call under the grant. It waits for Redis at most so long as the next call would need to
// find out that Redis is away.
func (l *Limiter) Take(ctx context.Context, grantHash string, of Limits) Verdict {
	v := l.take(ctx, grantHash, of)
	l.given[v.Reason].Add(1)
	return v
}

func (l *Limiter) take(ctx context.Context, grantHash string, of Limits) Verdict {
	m := l.meter(grantHash)
	now := l.now()
	m.mu.Lock()
	m.turn(now.In(l.zone))
	if v, closed := m.closed(now, of); closed {
		m.mu.Unlock()
		return v
	}
	if _, up := l.memory.Client(); !up {
		defer m.mu.Unlock()
		l.alone.Add(1)
		return m.alone(now, of)
	}
	if !m.asking {
		m.asking = true
		m.mu.Unlock()
		return l.ask(ctx, m, of)
	}
	mine := make(chan turn, 1)
	m.queue = append(m.queue, mine)
	m.mu.Unlock()
	if t := <-mine; !t.ask {
		return t.verdict
	}
	return l.ask(ctx, m, of)
}

// turn is what a call in the queue gets: its verdict, or the task to ask for all that wait.
type turn struct {
	ask     bool
	verdict Verdict
}

// ask brings a permit for the caller and for everybody in the queue, then hands the task on to who came meanwhile.
func (l *Limiter) ask(ctx context.Context, m *meter, of Limits) Verdict {
	m.mu.Lock()
	waiting := m.queue
	m.queue = nil
	question := m.question(1+len(waiting), of)
	m.mu.Unlock()

	answer, err := l.run(ctx, m, question)

	m.mu.Lock()
	defer m.mu.Unlock() // whatever happens: a meter that stays locked would hang its grant
	now := l.now()
	var mine Verdict
	verdict := func() Verdict { l.alone.Add(1); return m.alone(now, of) }
	if err == nil {
		granted := m.learn(now, of, question, answer)
		verdict = func() Verdict { granted--; return m.verdict(now, of, granted >= 0) }
	}
	mine = verdict()
	for _, w := range waiting {
		w <- turn{verdict: verdict()} // has room: never blocks
	}
	if len(m.queue) == 0 {
		m.asking = false
	} else {
		next := m.queue[0]
		m.queue = m.queue[1:]
		next <- turn{ask: true}
	}
	return mine
}

// run is detached from the call: whoever waits with it must not fail because its client left.
func (l *Limiter) run(ctx context.Context, m *meter, q question) ([]int64, error) {
	client, up := l.memory.Client()
	if !up {
		return nil, errAway
	}
	l.asked.Add(1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.wait)
	defer cancel()
	answer, err := l.script.Run(ctx, client, []string{m.key, m.key + ":" + q.day},
		q.n, q.of.Rate, Burst(q.of.Rate), q.of.Quota, q.seen, q.owed, q.keep.Milliseconds()).Int64Slice()
	if err == nil && len(answer) != 3 {
		err = errors.New("limit: an answer of another form")
	}
	if err != nil {
		l.memory.Lost(ctx, err)
	}
	return answer, err
}

var errAway = errors.New("limit: redis is away")

func (l *Limiter) meter(grantHash string) *meter {
	if m, ok := l.meters.Load(grantHash); ok {
		return m.(*meter)
	}
	sum := sha256.Sum256([]byte(grantHash))
	m, _ := l.meters.LoadOrStore(grantHash, &meter{
		key:   "hub:limit:{" + hex.EncodeToString(sum[:16]) + "}", // one slot of a Cluster for both keys
		level: -1,
	})
	return m.(*meter)
}

// Run forgets the grants that were not used since yesterday, until ctx ends.
func (l *Limiter) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		l.sweep()
	}
}

func (l *Limiter) sweep() {
	today := l.now().In(l.zone).Format(time.DateOnly)
	l.meters.Range(func(hash, m any) bool {
		if m.(*meter).stale(today) {
			l.meters.Delete(hash)
		}
		return true
	})
}
