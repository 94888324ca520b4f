package consul

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
)

const testKey = "noorderhub/snapshot"

// newer orders the test's values as text; anything is newer than none and than what begins with a mark.
func newer(a, b string) bool { return a[0] != '?' && (b[0] == '?' || a > b) }

func keep(t *testing.T, c *Client) *Keeper {
	t.Helper()
	var k *Keeper
	run(t, func(a *app.App) { k = c.Keeper(a, "snapshot", newer) })
	return k
}

func watch(t *testing.T, c *Client) <-chan struct{} {
	t.Helper()
	var changed <-chan struct{}
	run(t, func(a *app.App) { changed = c.Watch(a, "snapshot") })
	return changed
}

func hint(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Fatal("no hint came")
	}
}

func TestWhatIsKeptReachesWhoWatches(t *testing.T) {
	f := newFake(t)
	c := client(t, f.URL)
	changed, k := watch(t, c), keep(t, c)
	for _, v := range []string{"1.1", "1.2", "1.3"} {
		k.Keep(v)
		began := time.Now()
		hint(t, changed)
		if took := time.Since(began); took > time.Second {
			t.Errorf("the hint took %v", took)
		}
		if got := f.value(testKey); got != v {
			t.Errorf("got %q, want %q", got, v)
		}
	}
}

func TestAValueIsKeptUntilItStandsThereAndWhenItIsLost(t *testing.T) {
	f := newFake(t)
	f.away = true
	k := keep(t, client(t, f.URL))
	k.Keep("1.1")
	k.Keep("1.2")
	k.Keep("1.1") // older: it came late
	f.change(func() { f.away = false })
	for what, disturb := range map[string]func(){
		"the agent is back":  func() {},
		"it was deleted":     func() { f.put(testKey, "") },
		"it was overwritten": func() { f.put(testKey, "1.0") },
		"it is no version":   func() { f.put(testKey, "?") },
	} {
		disturb()
		eventually(t, what, func() bool { return f.value(testKey) == "1.2" })
	}
}

func TestANewerValueIsLeftAloneAndToldOnce(t *testing.T) {
	f := newFake(t)
	f.put(testKey, "1.9")
	log := &lines{}
	c, err := Open(Config{Address: f.URL}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	k := keep(t, c)
	k.Keep("1.2")
	eventually(t, "the log", func() bool { return log.count("newer value") == 1 })
	f.put("other", "x") // wakes the query
	k.Keep("1.3")
	f.put("other", "y")
	k.Keep("2.0")
	eventually(t, "the newest", func() bool { return f.value(testKey) == "2.0" })
	if got := log.count("newer value"); got != 1 {
		t.Errorf("got %d lines about one value", got)
	}
}

func TestTwoKeepersAgreeOnTheNewest(t *testing.T) {
	f := newFake(t)
	c := client(t, f.URL)
	a, b := keep(t, c), keep(t, c)
	for _, v := range []string{"1.1", "1.3", "1.5"} {
		a.Keep(v)
		b.Keep(v[:2] + string(v[2]+1))
	}
	eventually(t, "agreement", func() bool { return f.value(testKey) == "1.6" })
	f.put("other", "x")
	f.mu.Lock()
	before := f.queries
	f.mu.Unlock()
	quietFor(t, 300*time.Millisecond, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.queries > before+6 })
	if got := f.value(testKey); got != "1.6" {
		t.Errorf("got %q", got)
	}
}

// quietFor fails when something happens in a stretch of time.
func quietFor(t *testing.T, d time.Duration, happens func() bool) {
	t.Helper()
	end, tick := time.After(d), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			if happens() {
				t.Fatal("it did not stay quiet")
			}
		}
	}
}

// A value may come at any moment of the keeper's round: while it waits, asks, writes or pauses.
func TestNoValueIsMissedWheneverItComes(t *testing.T) {
	f := newFake(t)
	c := client(t, f.URL)
	changed, k := watch(t, c), keep(t, c)
	for i := range 40 {
		k.Keep(fmt.Sprintf("1.%03d", i))
		hint(t, changed)
		pause := time.NewTimer(time.Duration(i) * 3 * time.Millisecond)
		<-pause.C
	}
}
