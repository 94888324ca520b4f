package limit

import (
	"sync"
	"time"
)

// permit is one permit as a bucket counts it. A rate per second is as many of these units per microsecond, so that all
// counting is in whole numbers.
const permit = 1_000_000

// meter is one grant as this gateway knows it: what Redis said last, and what it counted by itself since.
type meter struct {
	key string // in Redis; a hash of the grant's hash

	mu     sync.Mutex
	queue  []chan turn // calls that wait for the next question
	asking bool        // a question is under way

	level int64     // of the bucket, in millionths; below 0 while nothing is known
	at    time.Time // of level
	shut  time.Time // nobody gets a permit of the rate before

	day  string        // the date that used counts for
	left time.Duration // of the day
	used int64         // permits of the day, as far as known
	owed int64         // of used: given out alone, not yet known to Redis
}

// question is what Redis is asked.
type question struct {
	n    int
	of   Limits
	day  string
	seen int64
	owed int64
	keep time.Duration
}

// margin is how long a day's count outlives the day, for clocks that differ.
const margin = time.Hour

func (m *meter) question(n int, of Limits) question {
	return question{n: n, of: of, day: m.day, seen: m.used - m.owed, owed: m.owed, keep: m.left + margin}
}

// turn goes on to the day of now.
func (m *meter) turn(now time.Time) {
	year, month, day := now.Date()
	m.left = time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now)
	if today := now.Format(time.DateOnly); today != m.day {
		m.day, m.used, m.owed = today, 0, 0
	}
}

func (m *meter) stale(today string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.day < today && !m.asking
}

// closed refuses what no question can get: a call that is refused costs nothing but this.
func (m *meter) closed(now time.Time, of Limits) (Verdict, bool) {
	if of.Quota > 0 && m.used >= int64(of.Quota) || of.Rate > 0 && now.Before(m.shut) {
		return m.verdict(now, of, false), true
	}
	return Verdict{}, false
}

// learn takes over what Redis said and gives the number of permits. What was given out alone while the question was under
// way stays owed.
func (m *meter) learn(now time.Time, of Limits, q question, answer []int64) int {
	m.level, m.at = answer[1], now
	if q.day == m.day {
		m.owed -= q.owed
		m.used = max(m.used, answer[2]+m.owed)
	}
	if of.Rate > 0 && m.level < permit {
		m.shut = now.Add(m.untilPermit(of.Rate))
	}
	return int(answer[0])
}

// alone decides without Redis, by the rule that take.lua has.
func (m *meter) alone(now time.Time, of Limits) Verdict {
	if of.Rate > 0 {
		switch passed := now.Sub(m.at).Truncate(time.Microsecond); {
		case m.level < 0 || passed >= time.Second:
			m.level, m.at = int64(Burst(of.Rate))*permit, now
		case passed > 0:
			m.level = min(int64(of.Rate)*permit, m.level+passed.Microseconds()*int64(of.Rate))
			m.at = m.at.Add(passed) // what was cut off counts the next time
		}
		if m.level < permit {
			return m.verdict(now, of, false)
		}
	}
	if of.Quota > 0 {
		if m.used >= int64(of.Quota) {
			return m.verdict(now, of, false)
		}
		m.used++
		m.owed++
	}
	if of.Rate > 0 {
		m.level -= permit
	}
	return m.verdict(now, of, true)
}

// untilPermit is the time in which the bucket gets a whole permit.
func (m *meter) untilPermit(rate int) time.Duration {
	missing := permit - m.level
	return time.Duration((missing+int64(rate)-1)/int64(rate)) * time.Microsecond
}

func (m *meter) verdict(now time.Time, of Limits, free bool) Verdict {
	v := Verdict{Reset: m.left}
	if of.Rate > 0 {
		v.RateLeft = int(max(m.level, 0) / permit)
	}
	if of.Quota > 0 {
		v.QuotaLeft = int(max(int64(of.Quota)-m.used, 0))
	}
	switch {
	case free:
	case of.Quota > 0 && (v.QuotaLeft == 0 || of.Rate == 0):
		// Without a rate it was the quota, though of a day that ended while the question was under way.
		v.Reason, v.Wait = Quota, m.left
	default:
		v.Reason, v.Wait = Rate, max(m.shut.Sub(now), 0)
		if m.level < permit {
			v.Wait = max(v.Wait, m.untilPermit(of.Rate)-now.Sub(m.at))
		}
	}
	return v
}
