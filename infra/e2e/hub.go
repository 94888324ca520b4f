package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/stack"
)

// hub is a stack in a scenario.
type hub struct {
	*stack.Stack
	root  string
	files string // folder for what the scenario makes
	say   func(string, ...any)
	cases int // made so far; each is another one
}

// onStack plays a scenario on a stack of its own and stops it in order. A failure comes with the last lines of every log.
func onStack(ctx context.Context, root string, say func(string, ...any), o stack.Options, play func(context.Context, *hub) error) (err error) {
	o.Root, o.Say = root, say
	began := time.Now()
	s, err := stack.Start(ctx, o)
	if err != nil {
		return err
	}
	say("every part is ready after %.0f s", time.Since(began).Seconds())
	files, err := os.MkdirTemp("", "scenario-")
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	defer func() { _ = os.RemoveAll(files) }()
	if err := play(ctx, &hub{Stack: s, root: root, files: files, say: say}); err != nil {
		return errors.Join(errors.New(s.Logs()), s.Stop(), err) // what went wrong last, where it is read
	}
	if err := s.Stop(); err != nil {
		return err
	}
	say("every part stopped in order, exit code 0")
	return nil
}

// run is hubctl as a person calls it. The error holds what it said.
func (h *hub) run(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, told bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(h.Bin, "hubctl"), append([]string{"--data", h.Data}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		return out.String(), told.String(), fmt.Errorf("hubctl %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), told.String())
	}
	return out.String(), told.String(), nil
}

// query runs hubctl with --json and reads its document into dst.
func (h *hub) query(ctx context.Context, dst any, args ...string) error {
	out, _, err := h.run(ctx, append([]string{"--json"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), dst); err != nil {
		return fmt.Errorf("hubctl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// call makes an authorised call that must succeed and gives its body and its transaction.
func (h *hub) call(ctx context.Context, args ...string) (body, transaction string, err error) {
	body, told, err := h.run(ctx, append([]string{"call"}, args...)...)
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(told) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "transaction "); ok {
			return body, id, nil
		}
	}
	return "", "", errors.New("an answer without transaction")
}

const (
	patience  = 90 * time.Second // for something to come true after a restart
	lookEvery = 250 * time.Millisecond
)

// eventually tries until try succeeds, and gives its last error when it does not.
func eventually(ctx context.Context, within time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", within, err)
		case <-time.After(lookEvery):
		}
	}
}
