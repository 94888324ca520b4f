// Package proc runs the programs of a benchmark: each in a process group of its own with its output in a file, stopped in
// the reverse order of their start.
package proc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Group is the programs of one run. Its methods are for one goroutine.
type Group struct {
	dir   string
	all   []*Process
	spawn chan func()
}

// NewGroup keeps the programs' output in dir.
//
// Programs are started from one thread that lives as long as this process: Linux sends the signal of a parent's death when
// the thread that started the child ends (prctl(2)), and threads of Go come and go. So nothing stays behind, however this
// process ends.
func NewGroup(dir string) *Group {
	g := &Group{dir: dir, spawn: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for start := range g.spawn { // never closed
			start()
		}
	}()
	return g
}

// Process is a running program.
type Process struct {
	Name string
	PID  int

	cmd    *exec.Cmd
	output string
	exited chan struct{}
}

// Patience for a start and an orderly stop.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	poll         = 20 * time.Millisecond
)

// Start runs a program and waits until ready holds.
func (g *Group) Start(ctx context.Context, name string, ready func(context.Context) error, program string, args ...string) (*Process, error) {
	output, err := os.Create(filepath.Join(g.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer output.Close()
	p := &Process{Name: name, output: output.Name(), exited: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, args...) // Stop ends it, in order
	p.cmd.Stdout, p.cmd.Stderr = output, output
	// Ctrl-C is for the benchmark, which stops them in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	g.spawn <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.PID = p.cmd.Process.Pid
	g.all = append(g.all, p)
	go func() {
		_ = p.cmd.Wait() // how it ended stands in its output
		close(p.exited)
	}()
	if err := p.await(ctx, ready); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, p.tail())
	}
	return p, nil
}

func (p *Process) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(poll):
		}
	}
}

// tailBytes of a program's output stand in the error of a failed start.
const tailBytes = 2000

func (p *Process) tail() string {
	text, err := os.ReadFile(p.output)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}

// Alive is an error when a program has ended by itself.
func (g *Group) Alive() error {
	for _, p := range g.all {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended\n%s", p.Name, p.tail())
		default:
		}
	}
	return nil
}

// Stop ends all, the last started first.
func (g *Group) Stop() {
	for i := len(g.all) - 1; i >= 0; i-- {
		g.all[i].stop()
	}
	g.all = nil
}

func (p *Process) stop() {
	_ = syscall.Kill(-p.PID, syscall.SIGTERM) // gone already is fine
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.exited:
	case <-timeout.C:
		_ = syscall.Kill(-p.PID, syscall.SIGKILL)
		<-p.exited
	}
}

// Listening is ready when something listens on the address.
func Listening(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// Ports lie below those that the kernel gives to outgoing connections: what is free now must still be free when the
// program starts, while load generators connect all the time.
const (
	firstPort = 20000
	portCount = 12000
)

// Free gives n loopback addresses with ports that are free now. All are held until the last is known, so that none is
// given twice.
func Free(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, 0, n)
	for range 50 * n {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(portCount)) //nolint:gosec // no secret
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			continue
		}
		defer l.Close()
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports", len(addresses), n)
}
