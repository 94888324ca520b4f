package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// quickstart does what README.md says, literally: its first command starts the hub, every other runs in a second
// terminal. Then two clients of others do the same, Ctrl-C must end in order, and a second start must work the same.
func quickstart(ctx context.Context, root string, say func(string, ...any)) error {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return err
	}
	blocks := shellBlocks(string(text))
	if len(blocks) < 5 {
		return fmt.Errorf("README.md has %d sh blocks: the reader of them is broken, or the page is", len(blocks))
	}
	for round := 1; round <= 2; round++ {
		if err := playReadme(ctx, root, blocks, round == 1, say); err != nil {
			return err
		}
	}
	return nil
}

func playReadme(ctx context.Context, root string, blocks []string, all bool, say func(string, ...any)) error {
	hub, err := start(ctx, root, blocks[0], "ready", 5*time.Minute) // compiles first
	if err != nil {
		return err
	}
	defer hub.kill()
	say("%s: ready", strings.TrimSpace(blocks[0]))
	rest := blocks[1:]
	if !all {
		rest = rest[:1]
	}
	for _, block := range rest {
		out, err := shell(ctx, root, block)
		if err != nil {
			return errors.Join(err, errors.New(hub.output.String()))
		}
		say("ok: %s (%d bytes)", firstLine(block), len(out))
	}
	if all {
		if err := foreignClients(ctx, root, say); err != nil {
			return errors.Join(err, errors.New(hub.output.String()))
		}
	}
	if err := hub.interrupt("stopped", 30*time.Second); err != nil {
		return err
	}
	say("Ctrl-C: stopped in order")
	return nil
}

const examplePath = "/bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1"

// foreignClients lets libraries that others wrote get a token from metadata alone and call the gateway.
func foreignClients(ctx context.Context, root string, say func(string, ...any)) error {
	dir := filepath.Join(root, "infra", "e2e", "clients")
	if out, err := shell(ctx, dir, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error"); err != nil {
		return fmt.Errorf("npm: %w\n%s", err, out)
	}
	for _, name := range []string{"openid-client", "oauth4webapi"} {
		out, err := shell(ctx, dir, "node "+name+".mjs \"$DEMO\" assen \"$TARGET\"",
			"DEMO="+filepath.Join(root, ".noorderhub", "demo.json"), "TARGET="+examplePath)
		if err != nil {
			return err
		}
		if !strings.Contains(out, `"postcode":"9990AA"`) {
			return fmt.Errorf("%s got another answer:\n%s", name, out)
		}
		say("ok: %s got a token from metadata and the address", name)
	}
	return nil
}

var shBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// shellBlocks gives the ```sh blocks of a page in order. Blocks without the language are shown, not run.
func shellBlocks(page string) []string {
	var blocks []string
	for _, m := range shBlock.FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
