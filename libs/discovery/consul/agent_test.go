package consul

import (
	"testing"
	"time"

	"noorderhub.nl/hub/libs/discovery/consul/consultest"
)

// The same against a real agent, which is killed and comes back without its memory.
func TestARealAgentComesAndGoes(t *testing.T) {
	agent := consultest.Start(t)
	c := client(t, agent.URL)
	_, events := follow(t, c, "bag")
	expect(t, events)
	first := join(t, c, "bag", "127.0.0.1:8443")
	weighted := open(t, Config{Address: agent.URL, Weight: 3})
	second := join(t, weighted, "bag", "127.0.0.1:8444")
	expect(t, events, "127.0.0.1:8443", "127.0.0.1:8444;weight=3")
	changed, k := watch(t, c), keep(t, c)
	k.Keep("1.1")
	hint(t, changed)

	second.unwell.Store(true)
	expect(t, events, "127.0.0.1:8443")
	second.unwell.Store(false)
	expect(t, events, "127.0.0.1:8443", "127.0.0.1:8444;weight=3")

	agent.Kill()
	if e := <-events; e.Err == nil {
		t.Fatalf("got %+v while the agent is away, want an error and no instances", e)
	}
	k.Keep("1.2")
	agent.Restart()
	expect(t, events, "127.0.0.1:8443", "127.0.0.1:8444;weight=3")
	hint(t, changed)
	k.Keep("1.3")
	began := time.Now()
	hint(t, changed)
	if took := time.Since(began); took > time.Second {
		t.Errorf("a hint took %v", took)
	}
	first.stop()
	expect(t, events, "127.0.0.1:8444;weight=3")
}
