package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// tools are programs that others wrote, by name, each with its path.
type tools map[string]string

// versionFlags ask a program for its version.
var versionFlags = map[string]string{"wrk": "-v", "nginx": "-v", "haproxy": "-v", "redis-server": "--version", "openssl": "version"}

// missing gives the programs that are not there.
func missing(names ...string) []string {
	var gone []string
	for _, name := range names {
		if _, err := find(name); err != nil {
			gone = append(gone, name)
		}
	}
	return gone
}

// find looks in PATH and where Debian puts servers, which PATH leaves out for people without rights.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", name))
}

// install gives the programs, and gets from Debian what is missing.
func install(ctx context.Context, root string, names ...string) (tools, error) {
	if gone := missing(names...); len(gone) > 0 {
		cmd := exec.CommandContext(ctx, "bash", filepath.Join(root, "infra/bench/install.sh")) //nolint:gosec // a file of the repository
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("missing: %s; infra/bench/install.sh could not install them: %w", strings.Join(gone, ", "), err)
		}
	}
	all := tools{}
	for _, name := range names {
		path, err := find(name)
		if err != nil {
			return nil, err
		}
		all[name] = path
	}
	return all, nil
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// versions asks the programs.
func (t tools) versions(ctx context.Context) map[string]string {
	all := map[string]string{}
	for name, path := range t {
		out, _ := exec.CommandContext(ctx, path, versionFlags[name]).CombinedOutput() //nolint:gosec // found by find; wrk -v exits with 1
		all[name] = string(versionNumber.Find(bytes.TrimSpace(out)))
	}
	return all
}

// repository gives the folder with go.mod, from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = parent
	}
}
