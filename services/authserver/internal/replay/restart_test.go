package replay_test

import (
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/services/authserver/internal/replay"
)

// server starts a Redis of its own on a directory and gives a client of it and its end, without a last save.
func server(t *testing.T, dir string) (client *redis.Client, kill func()) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed; a memory that comes back old was not tested")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	_ = free.Close()
	cmd := exec.Command(binary, "--bind", "127.0.0.1", "--port", addr.String()[len("127.0.0.1:"):], "--dir", dir, "--save", "", "--dbfilename", "d.rdb")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client = redis.NewClient(&redis.Options{Addr: addr.String()})
	kill = func() { _ = client.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	deadline, tick := time.After(5*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for client.Ping(t.Context()).Err() != nil {
		select {
		case <-deadline:
			t.Fatal("redis-server does not answer")
		case <-tick.C:
		}
	}
	return client, kill
}

func TestT17ARedisThatComesBackWithAnOldMemoryHasForgotten(t *testing.T) {
	dir := t.TempDir()
	c := &clock{time.Now().Truncate(time.Second)}
	client, kill := server(t, dir)
	m := replay.New(client, leeway, c.now)
	if err := m.Begin(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := client.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	issued := c.at
	if got := use(t, m, "a", "1", issued); got != replay.Fresh {
		t.Fatalf("got %v at the first use", got)
	}
	if got := use(t, m, "a", "1", issued); got != replay.Used {
		t.Fatalf("got %v at the second use", got)
	}
	kill() // the mark is not in the file, the epochs are

	client, _ = server(t, dir)
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n == 0 {
		t.Fatalf("got %d keys, %v: the old memory did not come back", n, err)
	}
	m = replay.New(client, leeway, c.now)
	if got := use(t, m, "a", "1", issued); got != replay.Forgotten {
		t.Errorf("got %v for a used assertion whose mark was lost", got)
	}
	c.at = issued.Add(m.ReadyAfter())
	if got := use(t, m, "a", "2", c.at); got != replay.Fresh {
		t.Errorf("got %v for one that was signed after the loss", got)
	}
	if got := use(t, m, "a", "2", c.at); got != replay.Used {
		t.Errorf("got %v for it again", got)
	}
	for _, jti := range []string{"3", "4", "5", "6"} { // other buckets: their pause ran meanwhile
		if got := use(t, m, "a", jti, c.at); got != replay.Fresh {
			t.Errorf("got %v for %s after the pause", got, jti)
		}
	}
}
