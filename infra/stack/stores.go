package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
)

// dialTimeout bounds one look whether a process is ready.
const dialTimeout = 2 * time.Second

// postgres is a database server of the stack's own: commits are durable, as in production.
func (s *Stack) postgres(ctx context.Context, t tools) (*Process, error) {
	folder := filepath.Join(s.dir, "postgres")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	owner, err := databaseUser(folder)
	if err != nil {
		return nil, err
	}
	init := exec.CommandContext(ctx, t.initdb, "-D", filepath.Join(folder, "data"), "-U", "hub", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	init.Dir = "/"
	init.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p := s.process("postgres", t.postgres, "-D", filepath.Join(folder, "data"), "-p", port(s.at["postgres"]), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=200")
	p.user, p.end, p.again = owner, syscall.SIGINT, true
	p.ready = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		db, err := sqldb.Open(ctx, s.dsn("postgres"))
		if err != nil {
			return err
		}
		return db.Close()
	}
	return p, nil
}

// databaseUser is who PostgreSQL runs as: it refuses root.
func databaseUser(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if err := errors.Join(errUID, errGID, os.Chown(folder, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// dsn is the data source of a database: every part has its own, none reads another's tables.
func (s *Stack) dsn(database string) string {
	return "postgres://hub@" + s.at["postgres"] + "/" + database + "?sslmode=disable&connect_timeout=2"
}

// Database opens the database of a part, for who looks whether everything is there.
func (s *Stack) Database(ctx context.Context, part string) (*sqldb.DB, error) {
	return sqldb.Open(ctx, s.dsn(part))
}

func (s *Stack) createDatabases(ctx context.Context, names ...string) error {
	db, err := sqldb.Open(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, name := range names {
		if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
			return fmt.Errorf("database %s: %w", name, err)
		}
	}
	return nil
}

// redis keeps nothing on disk: a restart loses its memory, which is what the parts must be right about.
func (s *Stack) redis(t tools) *Process {
	p := s.process("redis", t.redis, "--port", port(s.at["redis"]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	p.end = syscall.SIGTERM
	p.ready = func(ctx context.Context) error {
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", s.at["redis"])
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(dialTimeout))
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return err
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && strings.TrimSpace(line) != "+PONG" {
			err = fmt.Errorf("answered %q", line)
		}
		return err
	}
	return p
}

// consul is one server in memory: after a kill it comes back empty, which is the worst it can do.
func (s *Stack) consul(t tools) *Process {
	p := s.process("consul", t.consul, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-http-port", port(s.at["consul"]),
		"-dns-port", "-1", "-grpc-port", "-1", "-serf-lan-port", port(s.at["consul-serf"]), "-serf-wan-port", "-1",
		"-server-port", port(s.at["consul-rpc"]), "-hcl", "disable_update_check = true", "-log-level", "warn")
	p.end = syscall.SIGTERM
	p.ready = func(ctx context.Context) error {
		return answers(ctx, "http://"+s.at["consul"]+"/v1/health/service/consul?passing")
	}
	return p
}

// answers wants 200 of an address.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
