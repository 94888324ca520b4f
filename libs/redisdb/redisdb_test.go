package redisdb_test

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/redisdb"
)

func TestTheEmbeddedRedisForgetsInRealTime(t *testing.T) {
	client, stop, err := redisdb.Open(t.Context(), redisdb.Config{Embedded: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	set := func() bool {
		ok, err := client.SetNX(t.Context(), "once", 1, 150*time.Millisecond).Result()
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !set() {
		t.Fatal("a new key was there already")
	}
	if set() {
		t.Fatal("a key was set twice")
	}
	deadline := time.Now().Add(10 * time.Second)
	for !set() {
		if time.Now().After(deadline) {
			t.Fatal("the key does not expire")
		}
	}
	stop()
	stop() // may be called twice
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("the client answers after stop")
	}
}

func TestARedisThatHangsIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts into the backlog and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	client, stop, err := redisdb.Open(t.Context(), redisdb.Config{Addrs: []string{l.Addr().String()}, Timeout: config.Duration(50 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	begin := time.Now()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Fatal("got an answer from nobody")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("gave up after %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := client.Ping(ctx).Err(); err == nil {
		t.Error("the deadline of the context is not kept")
	}
}

func TestFaultsOfTheConfigurationComeTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  redisdb.Config
		want []string
	}{
		"nothing":           {redisdb.Config{}, []string{"exactly one"}},
		"both":              {redisdb.Config{Embedded: true, Addrs: []string{"a:1"}}, []string{"exactly one"}},
		"several at once":   {redisdb.Config{CA: "x", Timeout: -1}, []string{"exactly one", "tls is off", "negative"}},
		"a missing CA file": {redisdb.Config{Addrs: []string{"a:1"}, TLS: true, CA: "/nonexistent"}, []string{"anchors"}},
	} {
		_, _, err := redisdb.Open(t.Context(), tc.cfg)
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want a fault with %q", name, err, want)
			}
		}
	}
}

func TestARealRedisAnswersTheSame(t *testing.T) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed; only the embedded twin was tested")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = l.Close()
	cmd := exec.Command(binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	client, stop, err := redisdb.Open(t.Context(), redisdb.Config{Addrs: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	deadline := time.Now().Add(10 * time.Second)
	for client.Ping(t.Context()).Err() != nil {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
	first, err1 := client.SetNX(t.Context(), "once", 1, time.Minute).Result()
	second, err2 := client.SetNX(t.Context(), "once", 1, time.Minute).Result()
	if err1 != nil || err2 != nil || !first || second {
		t.Errorf("got %v, %v (%v, %v), want true, false", first, second, err1, err2)
	}
}
