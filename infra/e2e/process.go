package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program under test in a process group of its own, so that a signal reaches it as Ctrl-C would, also
// through "go run".
type process struct {
	cmd    *exec.Cmd
	output *tail
	exited chan struct{}
	err    error // of Wait, set before exited closes
}

// start runs a shell command line in dir and waits until its output has a line with ready.
func start(ctx context.Context, dir, line, ready string, within time.Duration) (*process, error) {
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(ctx), "bash", "-c", "exec "+line), output: newTail(ready), exited: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = writer, writer
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.output.read(reader)
	go func() {
		p.err = p.cmd.Wait()
		_ = writer.Close()
		<-p.output.done
		close(p.exited)
	}()
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case <-p.output.ready:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("%s ended before it was ready: %w\n%s", line, p.err, p.output)
	case <-timeout.C:
		p.kill()
		return nil, fmt.Errorf("%s was not ready within %s\n%s", line, within, p.output)
	case <-ctx.Done():
		p.kill()
		return nil, ctx.Err()
	}
}

// interrupt sends what Ctrl-C sends and waits for an orderly end, which the program's last line tells: "go run" exits with 1
// after a signal, whatever the program's own exit code was.
func (p *process) interrupt(last string, within time.Duration) error {
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.exited:
		if !strings.HasSuffix(p.output.String(), "\n"+last) {
			return fmt.Errorf("did not stop in order: %w\n%s", p.err, p.output)
		}
		return nil
	case <-time.After(within):
		p.kill()
		return fmt.Errorf("still there %s after SIGINT\n%s", within, p.output)
	}
}

// kill ends the whole group at once, as a power cut would.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// tail keeps the last lines of a program's output and tells when one of them has the awaited text.
type tail struct {
	want  string
	ready chan struct{} // closed at the awaited text
	done  chan struct{} // closed at the end of the output

	mu    sync.Mutex
	lines []string
	seen  bool
}

const tailLines = 60

func newTail(want string) *tail {
	return &tail{want: want, ready: make(chan struct{}), done: make(chan struct{})}
}

func (t *tail) read(r io.Reader) {
	defer close(t.done)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		t.mu.Lock()
		t.lines = append(t.lines, scanner.Text())
		if len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
		if !t.seen && strings.Contains(scanner.Text(), t.want) {
			t.seen = true
			close(t.ready)
		}
		t.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r) // a line too long: keep the program from blocking
}

// String gives the lines kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// shell runs a script as a person would paste it; its output comes back, with the error when it failed.
func shell(ctx context.Context, dir, script string, env ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), fmt.Errorf("exit code %d\n%s\n%s", exit.ExitCode(), script, out)
	}
	return string(out), err
}
