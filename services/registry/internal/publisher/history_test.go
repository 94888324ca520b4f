package publisher_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

func held(s *publisher.State) api.Held {
	return api.Held{Version: s.Snapshot.Version, Hash: s.Sealed.Hash(), Body: s.Sealed.Body}
}

// retitle publishes a new version.
func (w *world) retitle(t *testing.T, p *publisher.Publisher, n int) *publisher.State {
	t.Helper()
	w.region.Replace(t, fmt.Sprintf("title: %s", title(n)), fmt.Sprintf("title: %s", title(n+1)))
	if _, err := p.Reload(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return p.State()
}

func title(n int) string {
	if n == 0 {
		return "Adressen"
	}
	return fmt.Sprintf("Titel-%d", n)
}

// steps gives how many steps lead from what is held to the newest, 0 where only the whole does. They are walked.
func steps(t *testing.T, newest *publisher.State, from api.Held) int {
	t.Helper()
	text, err := newest.Delta(from)
	if err != nil {
		t.Fatal(err)
	}
	if text == nil {
		return 0
	}
	var d api.Delta
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	body, err := d.Apply(from.Body)
	if err != nil || !bytes.Equal(body, newest.Sealed.Body) {
		t.Fatalf("the delta from %s leads elsewhere: %v", from.Version, err)
	}
	if len(text) >= len(newest.Sealed.Body) {
		t.Errorf("got a delta of %d bytes for a snapshot of %d", len(text), len(newest.Sealed.Body))
	}
	return len(d.Steps)
}

func TestADeltaLeadsFromEveryVersionThatIsWorthIt(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	all := []api.Held{held(p.State())}
	const changes = 40
	for n := range changes {
		all = append(all, held(w.retitle(t, p, n)))
	}
	newest := p.State()
	for i, from := range all[:changes] {
		got, want := steps(t, newest, from), changes-i
		if got != want && (got != 0 || want <= 2) { // old ones cost more than the whole
			t.Errorf("got %d steps from %s, want %d", got, from.Version, want)
		}
	}
	if got := steps(t, newest, all[0]); got != 0 {
		t.Errorf("got %d steps from the first version: the history grows without end", got)
	}
	for name, from := range map[string]api.Held{
		"another content under a version": {Version: all[changes-1].Version, Hash: all[0].Hash},
		"a version never published":       {Version: api.Version{Epoch: 1, Number: 0}, Hash: all[0].Hash},
		"nothing":                         {},
	} {
		if got := steps(t, newest, from); got != 0 {
			t.Errorf("%s: got %d steps", name, got)
		}
	}
}

func TestARestartGoesOnFromTheVersionInTheStore(t *testing.T) {
	w := newWorld(t)
	before := held(w.publisher(t).State())
	p := w.publisher(t)
	newest := w.retitle(t, p, 0)
	if got := steps(t, newest, before); got != 1 {
		t.Errorf("got %d steps from the version before the restart, want 1", got)
	}
	if again := w.publisher(t).State(); steps(t, again, before) != 0 {
		t.Error("a restart remembers steps")
	}
}

func TestARaisedEpochBeginsAnew(t *testing.T) {
	w := newWorld(t)
	before := held(w.publisher(t).State())
	w.options.Epoch = 2
	p := w.publisher(t)
	if got := steps(t, p.State(), before); got != 0 {
		t.Errorf("got %d steps over a change of epoch", got)
	}
	between := held(p.State())
	if got := steps(t, w.retitle(t, p, 0), between); got != 1 {
		t.Errorf("got %d steps in the new epoch, want 1", got)
	}
}

func TestARefreshThatChangesNothingKeepsTheHistory(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	before := held(p.State())
	w.retitle(t, p, 0)
	if err := p.Refresh(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, p.State(), before); got != 1 {
		t.Errorf("got %d steps, want 1", got)
	}
}
