package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Process is one program of the stack: a part, a store or the balancer. It can be ended in every way that a machine room
// knows, and started again on the same address and data.
type Process struct {
	Name  string
	Admin string // URL of its admin listener; empty for stores and the balancer

	program string
	args    []string
	env     []string                    // beside that of this process
	user    *syscall.Credential         // nil: as who started the stack
	ready   func(context.Context) error // nil error: it can be used
	end     syscall.Signal              // asks for an orderly stop
	strict  bool                        // an orderly stop has exit code 0
	again   bool                        // may end at once after a kill -9, while what it left behind is cleared
	logFile string
	spawn   spawner

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
	err    error         // of Wait, set before exited closes
}

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 40 * time.Second
	readyPoll    = 200 * time.Millisecond
)

// Start starts the program and waits until it is ready.
func (p *Process) Start(ctx context.Context) error {
	if err := p.Launch(); err != nil {
		return err
	}
	return p.AwaitReady(ctx)
}

// Launch starts the program and does not wait.
func (p *Process) Launch() error {
	if p.Running() {
		return fmt.Errorf("%s runs already", p.Name)
	}
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...) //nolint:noctx // it outlives the start: Stop and Kill end it
	cmd.Dir, cmd.Env = "/", append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A process group of its own: Ctrl-C reaches the scenario only, which then stops everything in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: p.user}
	if err := p.spawn.start(cmd); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	exited := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.exited, p.err = cmd, exited, nil
	p.mu.Unlock()
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(exited)
	}()
	return nil
}

// AwaitReady waits until the program can be used.
func (p *Process) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		fault := p.ready(ctx)
		if fault == nil {
			return nil
		}
		select {
		case <-p.gone():
			if !p.again {
				return fmt.Errorf("%s ended before it was ready: %w\n%s", p.Name, p.fault(), p.Log())
			}
			if err := errors.Join(pause(ctx, readyPoll), p.Launch()); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.Name, fault, p.Log())
		case <-time.After(readyPoll):
		}
	}
}

// Ready asks once.
func (p *Process) Ready(ctx context.Context) error { return p.ready(ctx) }

// Stop asks the program to end and waits. A part that does not end with exit code 0 is an error.
func (p *Process) Stop() error {
	if !p.Running() {
		return nil
	}
	p.Resume() // a paused process hears nothing
	_ = p.signal(p.end)
	select {
	case <-p.gone():
	case <-time.After(stopTimeout):
		p.Kill()
		return fmt.Errorf("%s is still there %s after it was told to stop\n%s", p.Name, stopTimeout, p.Log())
	}
	if err := p.fault(); err != nil && p.strict {
		return fmt.Errorf("%s did not stop in order: %w\n%s", p.Name, err, p.Log())
	}
	return nil
}

// Kill ends the program at once, as a power cut would, and waits until it is gone.
func (p *Process) Kill() {
	if p.signal(syscall.SIGKILL) == nil {
		<-p.gone()
	}
}

// Pause makes the program hang: its connections stay open and nothing answers.
func (p *Process) Pause() { _ = p.signal(syscall.SIGSTOP) }

// Resume lets a paused program go on.
func (p *Process) Resume() { _ = p.signal(syscall.SIGCONT) }

// Running tells whether the program is there.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// PID is the program's process id, 0 when it was never started.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

const logTail = 2 << 10

// Log gives the last lines that the program wrote.
func (p *Process) Log() string {
	f, err := os.Open(p.logFile)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > logTail {
		_, _ = f.Seek(-logTail, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return "--- " + p.Name + "\n" + strings.TrimSpace(string(text)) + "\n"
}

func (p *Process) signal(s syscall.Signal) error {
	if !p.Running() {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.PID(), s)
}

func (p *Process) gone() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exited
}

func (p *Process) fault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// spawner starts processes from one thread that lives as long as this process: Linux sends the signal of a parent's death
// when the thread that started the child ends, and threads of Go come and go. So nothing stays behind, however this
// process ends.
type spawner chan func()

func newSpawner() spawner {
	s := make(spawner)
	go func() {
		runtime.LockOSThread()
		for f := range s { // never closed
			f()
		}
	}()
	return s
}

func (s spawner) start(cmd *exec.Cmd) error {
	failed := make(chan error, 1)
	s <- func() { failed <- cmd.Start() }
	return <-failed
}

// together runs fn for each process at the same time. The first fault ends the others' waiting, and is what is told.
func together(ctx context.Context, processes []*Process, fn func(context.Context, *Process) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range processes {
		group.Go(func() error { return fn(ctx, p) })
	}
	return group.Wait()
}
