package limit

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"noorderhub.nl/hub/gateway/internal/shared"
)

const grant = "$1$3$grant"

// fleet gives as many limiters as gateways, on one Redis.
func fleet(t testing.TB, addr string, n int, now func() time.Time) []*Limiter {
	t.Helper()
	var all []*Limiter
	for range n {
		client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1})
		t.Cleanup(func() { _ = client.Close() })
		memory := shared.New(client, slog.New(slog.DiscardHandler))
		go func() { _ = memory.Run(t.Context()) }()
		l, err := New(memory, now)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func everyRedis(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("embedded", func(t *testing.T) { test(t, miniredis.RunT(t).Addr()) })
	t.Run("real", func(t *testing.T) {
		addr := os.Getenv("NOORDERHUB_TEST_REDIS")
		if addr == "" {
			t.Skip("NOORDERHUB_TEST_REDIS names no Redis; only the embedded twin was tested")
		}
		test(t, addr)
	})
}

// press calls from several clients at each gateway for so long, and on until each client is refused: then the bucket is
// empty, and what was let through must be what came into it up to that moment. It gives the calls that were let through, and
// the earliest and the latest that this moment can be. ok is false on a machine that does not get to make so many calls.
func press(all []*Limiter, name string, of Limits, callers int, long time.Duration) (passed int64, least, most time.Duration, ok bool) {
	var count, last atomic.Int64
	var group sync.WaitGroup
	begin := time.Now()
	var gaveUp atomic.Bool
	for _, l := range all {
		for range callers {
			group.Go(func() {
				for {
					before := time.Since(begin)
					v := l.Take(context.Background(), name, of)
					if v.Reason == Free {
						count.Add(1)
						if before > 5*long {
							gaveUp.Store(true)
							return
						}
						continue
					}
					if before > long {
						for have := last.Load(); int64(before) > have && !last.CompareAndSwap(have, int64(before)); {
							have = last.Load()
						}
						return
					}
					<-time.After(min(v.Wait, 5*time.Millisecond))
				}
			})
		}
	}
	group.Wait()
	return count.Load(), time.Duration(last.Load()), time.Since(begin), !gaveUp.Load()
}

func TestGatewaysShareOneRateWithinOnePercent(t *testing.T) {
	everyRedis(t, func(t *testing.T, addr string) {
		for _, rate := range []int{50, 400} {
			all := fleet(t, addr, 2, nil)
			for _, l := range all {
				l.wait = 10 * time.Second // the machine that runs the test may halt
			}
			name := fmt.Sprintf("%s %d %d", grant, rate, time.Now().UnixNano())
			passed, least, most, ok := press(all, name, Limits{Rate: rate}, 8, 2*time.Second)
			if !ok {
				t.Skipf("this machine does not make %d calls per second beside what else it does: nothing to measure", rate)
			}
			low := 0.99 * float64(rate) * least.Seconds()
			high := float64(rate)*most.Seconds() + float64(Burst(rate))
			if got := float64(passed); got < low || got > high {
				t.Errorf("rate %d: %d calls in %s, want %.0f to %.0f", rate, passed, least, low, high)
			}
			if all[0].Alone()+all[1].Alone() > 0 {
				t.Errorf("rate %d: a gateway counted alone", rate)
			}
			t.Logf("rate %d: %d calls in %s (%+.2f %%), %d questions", rate, passed, least.Round(time.Millisecond),
				100*(float64(passed)/(float64(rate)*least.Seconds())-1), all[0].Asked()+all[1].Asked())
		}
	})
}

func TestGatewaysShareAQuotaToTheCall(t *testing.T) {
	everyRedis(t, func(t *testing.T, addr string) {
		all := fleet(t, addr, 3, nil)
		of := Limits{Quota: 1000}
		name := fmt.Sprintf("%s %d", grant, time.Now().UnixNano())
		var passed atomic.Int64
		var group sync.WaitGroup
		for _, l := range all {
			for range 16 {
				group.Go(func() {
					for l.Take(context.Background(), name, of).Reason == Free {
						passed.Add(1)
					}
				})
			}
		}
		group.Wait()
		if got := passed.Load(); got != 1000 {
			t.Errorf("got %d calls of a quota of 1000", got)
		}
		v := all[0].Take(context.Background(), name, of)
		if v.Reason != Quota || v.Wait <= 0 || v.Wait > 25*time.Hour || v.QuotaLeft != 0 {
			t.Errorf("got %+v after the quota", v)
		}
	})
}

// clock is one that stands still.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestAHaltIsMadeUpForAndAPauseGivesABurst(t *testing.T) {
	server := miniredis.RunT(t)
	c := &clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	server.SetTime(c.now())
	l := fleet(t, server.Addr(), 1, c.now)[0]
	of := Limits{Rate: 100}
	count := func() int {
		for n := 0; ; n++ {
			if v := l.Take(t.Context(), grant, of); v.Reason != Free {
				if v.Reason != Rate || v.Wait != 10*time.Millisecond || v.RateLeft != 0 {
					t.Errorf("got refusal %+v, want the rate with a wait of 10ms", v)
				}
				return n
			}
		}
	}
	forward := func(d time.Duration) {
		c.forward(d)
		server.SetTime(c.now())
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 5}, {10 * time.Millisecond, 1}, {30 * time.Millisecond, 3}, {900 * time.Millisecond, 90}, {time.Second, 5}, {time.Hour, 5}} {
		forward(step.after)
		if got := count(); got != step.want {
			t.Errorf("%s after: got %d calls, want %d", step.after, got, step.want)
		}
	}
	before := l.Asked()
	for range 100 {
		l.Take(t.Context(), grant, of)
	}
	if l.Asked() != before {
		t.Error("a refusal that is known asked Redis again")
	}
	server.SetTime(c.now().Add(-time.Hour)) // a server with another clock took over
	c.forward(time.Second)
	if got := l.Take(t.Context(), grant, of); got.Reason != Rate {
		t.Errorf("got %+v, want no gift from a clock that went back", got)
	}
	server.SetTime(c.now().Add(time.Hour))
	c.forward(time.Second)
	if got := count(); got != 5 {
		t.Errorf("got %d calls after the clock went on, want a burst", got)
	}
	for _, key := range server.Keys() {
		if ttl := server.TTL(key); ttl <= 0 || ttl > time.Minute {
			t.Errorf("key %s lives for %s", key, ttl)
		}
	}
}

func TestWithoutRedisEachGatewayCountsAloneAndPaysBack(t *testing.T) {
	server := miniredis.RunT(t)
	all := fleet(t, server.Addr(), 2, nil)
	of := Limits{Rate: 100000, Quota: 100}
	take := func(l *Limiter, n int) {
		t.Helper()
		for range n {
			if v := l.Take(t.Context(), grant, of); v.Reason != Free {
				t.Fatalf("got %+v", v)
			}
		}
	}
	take(all[0], 10)
	take(all[1], 10)
	server.SetError("LOADING")
	take(all[0], 20)
	take(all[1], 30)
	if got := all[0].Alone() + all[1].Alone(); got != 50 {
		t.Errorf("got %d decided alone, want 50", got)
	}
	server.SetError("")
	deadline := time.After(10 * time.Second)
	for _, l := range all {
		for alone := l.Alone(); l.Alone() == alone; {
			select {
			case <-deadline:
				t.Fatal("the gateways do not come back to Redis")
			case <-time.After(20 * time.Millisecond):
			}
			if _, up := l.memory.Client(); up {
				break
			}
		}
	}
	take(all[0], 1)
	take(all[1], 1)
	if v := all[1].Take(t.Context(), grant, of); v.QuotaLeft != 100-20-50-3 {
		t.Errorf("got %d left of the quota, want %d: 20 shared, 50 given out alone, 3 since", v.QuotaLeft, 100-20-50-3)
	}
	server.FlushAll() // it lost its memory
	if v := all[1].Take(t.Context(), grant, of); v.QuotaLeft != 100-20-50-4 {
		t.Errorf("got %d left of the quota: a gateway forgot with Redis what it knew", v.QuotaLeft)
	}
}

func TestADayEndsAtMidnightInTheNetherlands(t *testing.T) {
	server := miniredis.RunT(t)
	c := &clock{at: time.Date(2026, 10, 24, 21, 59, 0, 0, time.UTC)} // a minute to the day of 25 hours
	all := fleet(t, server.Addr(), 2, c.now)
	of := Limits{Quota: 1}
	if v := all[0].Take(t.Context(), grant, of); v.Reason != Free || v.Reset != time.Minute {
		t.Fatalf("got %+v, want the last minute of a day", v)
	}
	if v := all[1].Take(t.Context(), grant, of); v.Reason != Quota || v.Wait != time.Minute {
		t.Errorf("got %+v, want the quota met until midnight", v)
	}
	c.forward(time.Minute)
	if v := all[1].Take(t.Context(), grant, of); v.Reason != Free || v.Reset != 25*time.Hour {
		t.Errorf("got %+v, want a new day of 25 hours", v)
	}
	if v := all[0].Take(t.Context(), grant, of); v.Reason != Quota {
		t.Errorf("got %+v, want the quota of the new day met", v)
	}
	c.forward(48 * time.Hour)
	all[0].sweep()
	if _, there := all[0].meters.Load(grant); there {
		t.Error("a grant that nobody uses is remembered for ever")
	}
	for _, key := range server.Keys() {
		if ttl := server.TTL(key); ttl <= 0 || ttl > 27*time.Hour {
			t.Errorf("key %s lives for %s", key, ttl)
		}
	}
}

// However calls come, a gateway alone lets no more through than rate × time + burst, and no call with permits left in the
// bucket is refused.
func TestAloneTheBoundHoldsHoweverCallsCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 100_000).Draw(t, "rate")
		m := &meter{level: -1, left: time.Hour}
		of := Limits{Rate: rate}
		begin := time.Unix(1_800_000_000, 0)
		now, passed := begin, 0
		for range rapid.IntRange(1, 400).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30_000_000).Draw(t, "pause")))
			v := m.alone(now, of)
			if v.Reason == Free {
				passed++
			} else if v.Wait <= 0 || v.Wait > time.Second+time.Microsecond {
				t.Fatalf("a refusal with the wait %s", v.Wait)
			}
			if most := float64(rate)*now.Sub(begin).Seconds() + float64(Burst(rate)); float64(passed) > most+1e-6 {
				t.Fatalf("%d calls, want %f at most", passed, most)
			}
		}
	})
}

func TestTheBurstIsSmall(t *testing.T) {
	for rate, want := range map[int]int{1: 1, 3: 3, 5: 5, 50: 5, 100: 5, 400: 10, 100_000: 2500} {
		if got := Burst(rate); got != want {
			t.Errorf("rate %d: got %d, want %d", rate, got, want)
		}
	}
}

// BenchmarkTake is a permit of a rate that is never met, asked by 32 calls at once or one after the other. cpu-ns/op is
// what the process spends, for a machine that does other things besides.
func BenchmarkTake(b *testing.B) {
	addr := os.Getenv("NOORDERHUB_TEST_REDIS")
	if addr == "" {
		addr = miniredis.RunT(b).Addr()
	}
	of := Limits{Rate: 100_000, Quota: 1_000_000_000}
	measure := func(b *testing.B, l *Limiter, calls int, take func()) {
		b.SetParallelism(calls)
		b.ReportAllocs()
		begin := spent()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				take()
			}
		})
		b.ReportMetric(float64(spent()-begin)/float64(b.N), "cpu-ns/op")
		b.ReportMetric(float64(l.Asked())/float64(b.N), "questions/op")
	}
	b.Run("side by side", func(b *testing.B) {
		l := fleet(b, addr, 1, nil)[0]
		measure(b, l, 16, func() { l.Take(context.Background(), grant, of) })
	})
	b.Run("one by one", func(b *testing.B) {
		l := fleet(b, addr, 1, nil)[0]
		b.ReportAllocs()
		begin := spent()
		for b.Loop() {
			l.Take(context.Background(), grant, of)
		}
		b.ReportMetric(float64(spent()-begin)/float64(b.N), "cpu-ns/op")
	})
	b.Run("a question per call side by side", func(b *testing.B) {
		l := fleet(b, addr, 1, nil)[0]
		m := l.meter(grant)
		m.turn(time.Now())
		measure(b, l, 16, func() { _, _ = l.run(context.Background(), m, m.question(1, of)) })
	})
}

// spent is the CPU time of this process.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // the process itself: cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestAQuotaWithoutARateIsNeverAQuestionOfTime(t *testing.T) {
	// Redis said no for yesterday, and since then the day began anew: nothing is used, and there is no rate to wait for.
	m := &meter{left: time.Hour, level: -1}
	if v := m.verdict(time.Now(), Limits{Quota: 1}, false); v.Reason != Quota || v.Wait != time.Hour {
		t.Errorf("got %+v", v)
	}
}
