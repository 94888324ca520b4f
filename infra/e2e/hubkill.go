package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// hubKill ends the hub with kill -9 while calls are under way, starts it again on the same folder, and looks every call up
// that was answered: each must be in the journal, exactly once.
func hubKill(ctx context.Context, root string, say func(string, ...any)) error {
	dir, err := os.MkdirTemp("", "hub-kill-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, program := range []string{"up", "hubctl"} {
		if out, err := shell(ctx, root, "go build -o "+filepath.Join(dir, program)+" ./infra/"+program); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
	}
	k := killer{dir: dir, data: filepath.Join(dir, "data")}
	if k.line, err = k.commandLine(ctx); err != nil {
		return err
	}
	hub, err := start(ctx, dir, k.line, "ready", time.Minute)
	if err != nil {
		return err
	}
	answered := k.callUntilKilled(ctx, hub)
	say("kill -9 with %d calls answered", len(answered))
	if len(answered) == 0 {
		return errors.New("no call was answered before the kill")
	}
	if hub, err = start(ctx, dir, k.line, "ready", time.Minute); err != nil {
		return err
	}
	defer hub.kill()
	for _, id := range answered {
		if err := k.findOnce(ctx, id); err != nil {
			return errors.Join(err, errors.New(hub.output.String()))
		}
	}
	say("every one of them is in the journal, once")
	return hub.interrupt("stopped", 30*time.Second)
}

type killer struct {
	dir, data, line string
}

// commandLine uses fixed free ports: the hub's address is its issuer and must be the same after the restart.
func (k killer) commandLine(ctx context.Context) (string, error) {
	line := filepath.Join(k.dir, "up") + " --data " + k.data
	for _, flag := range []string{"--listen", "--listen-tls"} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		defer l.Close()
		line += " " + flag + " " + l.Addr().String()
	}
	return line, nil
}

const (
	killCallers = 4
	killAfter   = 15 // answered calls
)

// callUntilKilled lets several callers call; when enough calls were answered, the hub is killed under the others.
func (k killer) callUntilKilled(ctx context.Context, hub *process) []string {
	var mu sync.Mutex
	var answered []string
	var once sync.Once
	var callers sync.WaitGroup
	for range killCallers {
		callers.Go(func() {
			for {
				id, err := k.call(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				answered = append(answered, id)
				enough := len(answered) >= killAfter
				mu.Unlock()
				if enough {
					once.Do(hub.kill)
				}
			}
		})
	}
	callers.Wait()
	once.Do(hub.kill)
	return answered
}

func (k killer) hubctl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(k.dir, "hubctl"), args...)
	cmd.Env = append(os.Environ(), "NOORDERHUB_DATA="+k.data)
	return cmd
}

// call gives the transaction of a call that was answered with 2xx.
func (k killer) call(ctx context.Context) (string, error) {
	var stderr strings.Builder
	cmd := k.hubctl(ctx, "call", "--as", "assen", "GET "+examplePath)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	id, ok := strings.CutPrefix(strings.TrimSpace(stderr.String()), "transaction ")
	if !ok {
		return "", errors.New("an answer without transaction")
	}
	return id, nil
}

func (k killer) findOnce(ctx context.Context, id string) error {
	out, err := k.hubctl(ctx, "trace", "--json", id).Output()
	if err != nil {
		return fmt.Errorf("transaction %s: %w", id, err)
	}
	var found struct {
		Calls []struct {
			Permit bool `json:"toegestaan"`
		} `json:"aanroepen"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return fmt.Errorf("transaction %s: %w", id, err)
	}
	if len(found.Calls) != 1 || !found.Calls[0].Permit {
		return fmt.Errorf("transaction %s: got %d records, want 1: %s", id, len(found.Calls), out)
	}
	return nil
}
