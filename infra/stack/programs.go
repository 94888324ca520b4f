package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles every part and hubctl into dir.
func Build(ctx context.Context, root, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := []string{"build", "-o", dir + string(filepath.Separator), "./infra/hubctl", "./gateway/cmd/gateway", "./services/address/cmd/address"}
	for _, part := range single {
		args = append(args, "./services/"+part+"/cmd/"+part)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// tools are the programs of others that the stack runs.
type tools struct {
	postgres, initdb, redis, consul, haproxy string
}

// findTools looks where infra/test.sh puts them. What is missing is named together, with the way to get it.
func findTools(root string) (tools, error) {
	versions, err := readVersions(filepath.Join(root, "infra", "versions.env"))
	if err != nil {
		return tools{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return tools{}, err
	}
	postgresql := "/usr/lib/postgresql/" + versions["POSTGRESQL_VERSION"] + "/bin/"
	var t tools
	var missing []string
	for _, tool := range []struct {
		path   *string
		name   string
		places []string
	}{
		{&t.postgres, "PostgreSQL " + versions["POSTGRESQL_VERSION"], []string{postgresql + "postgres"}},
		{&t.initdb, "initdb", []string{postgresql + "initdb"}},
		{&t.redis, "redis-server", []string{"redis-server", "/usr/bin/redis-server"}},
		{&t.haproxy, "haproxy", []string{"haproxy", "/usr/sbin/haproxy"}},
		{&t.consul, "Consul " + versions["CONSUL_VERSION"], []string{filepath.Join(cache, "noorderhub", "tools", "consul-"+versions["CONSUL_VERSION"])}},
	} {
		for _, place := range tool.places {
			if found, err := exec.LookPath(place); err == nil && *tool.path == "" {
				*tool.path = found
			}
		}
		if *tool.path == "" {
			missing = append(missing, tool.name)
		}
	}
	if len(missing) > 0 {
		return t, errors.New("not installed: " + strings.Join(missing, ", ") + "; ./infra/test.sh --tools installs them")
	}
	return t, nil
}

func readVersions(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	versions := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			versions[name] = value
		}
	}
	return versions, lines.Err()
}

// Root is the folder with go.mod, from the working directory upwards.
func Root() (string, error) {
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
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}
