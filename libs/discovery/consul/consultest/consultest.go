// Package consultest runs a Consul agent of a test's own, which it may kill and start again.
package consultest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// EnvBinary names the environment variable with the path of a Consul server program.
const EnvBinary = "NOORDERHUB_TEST_CONSUL_BIN"

// Agent is a server of one in memory: after a kill it has forgotten everything.
type Agent struct {
	URL string

	t       testing.TB
	program string
	ports   []int // HTTP, Serf, RPC
	process *exec.Cmd
}

// Start starts an agent on free ports of loopback and waits until it has a leader. Without a program the test is skipped.
func Start(t testing.TB) *Agent {
	t.Helper()
	program := os.Getenv(EnvBinary)
	if program == "" {
		t.Skipf("%s is not set; it holds the path of a Consul server for tests", EnvBinary)
	}
	a := &Agent{t: t, program: program}
	for range 3 {
		a.ports = append(a.ports, freePort(t))
	}
	a.URL = fmt.Sprintf("http://127.0.0.1:%d", a.ports[0])
	a.Restart()
	t.Cleanup(a.Kill)
	return a
}

// Restart starts the agent again on the same address, after Kill.
func (a *Agent) Restart() {
	a.t.Helper()
	// Not with the test's context: what a test does at its end may still need the agent.
	a.process = exec.Command(a.program, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-dns-port", "-1", //nolint:gosec,noctx // the test's own program
		"-grpc-port", "-1", "-http-port", strconv.Itoa(a.ports[0]), "-serf-lan-port", strconv.Itoa(a.ports[1]), "-serf-wan-port", "-1",
		"-server-port", strconv.Itoa(a.ports[2]), "-hcl", "disable_update_check = true", "-log-level", "error")
	if err := a.process.Start(); err != nil {
		a.t.Fatal(err)
	}
	deadline, tick := time.After(30*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !a.leads() {
		select {
		case <-deadline:
			a.t.Fatal("the Consul agent has no leader")
		case <-tick.C:
		}
	}
}

// Kill ends the agent at once, as kill -9 does. A second Kill does nothing.
func (a *Agent) Kill() {
	if a.process == nil {
		return
	}
	_ = a.process.Process.Kill()
	_ = a.process.Wait() // it was killed, which is its error
	a.process = nil
}

func (a *Agent) leads() bool {
	resp, err := http.Get(a.URL + "/v1/status/leader") //nolint:noctx // bounded by the deadline of Restart
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && len(body) > len(`""`)+1
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
