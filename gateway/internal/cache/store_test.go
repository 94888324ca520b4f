package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/gateway/internal/shared"
)

func TestTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	now := time.Now()
	one := &entry{body: make([]byte, 100), until: now.Add(time.Minute)}
	m := newMemory(3 * one.size())
	names := []name{{1}, {2}, {3}, {4}}
	for _, n := range names[:3] {
		m.put(n, one, one.until)
	}
	m.get(names[0], now)
	m.put(names[3], one, one.until)
	for i, want := range []bool{true, false, true, true} {
		if got := m.get(names[i], now) != nil; got != want {
			t.Errorf("answer %d: got there %v, want %v", i+1, got, want)
		}
	}
	m.put(names[0], one, one.until) // again: counted once
	if got := m.bytes(); got != 3*one.size() {
		t.Errorf("got %d bytes, want %d", got, 3*one.size())
	}
	m.put(names[1], &entry{body: make([]byte, 4*one.size())}, one.until)
	if m.get(names[1], now) != nil || m.get(names[0], now) == nil {
		t.Error("an answer larger than all room pushed others out")
	}
	for _, n := range names {
		m.get(n, now.Add(time.Hour))
	}
	if got := m.bytes(); got != 0 {
		t.Errorf("got %d bytes of answers that are over", got)
	}
}

func TestWhatIsSealedOpensUnderItsNameOnly(t *testing.T) {
	k, err := newKeyring("a secret of all gateways, long enough")
	if err != nil {
		t.Fatal(err)
	}
	twin, _ := newKeyring("a secret of all gateways, long enough")
	stranger, _ := newKeyring("")
	n := k.name("bag", "/a")
	if n != twin.name("bag", "/a") || n == stranger.name("bag", "/a") || n == k.name("bag/", "a") || n == k.name("bag", "/a", "") {
		t.Error("names are not what they should be")
	}
	e := &entry{header: http.Header{"Etag": {`"x"`}}, body: []byte("moi"), asked: time.UnixMicro(1), age: time.Second, until: time.UnixMicro(2)}
	plain, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.seal(n, plain)
	if err != nil || bytes.Contains(sealed, []byte("moi")) {
		t.Fatalf("got %v", err)
	}
	opened, err := twin.open(n, sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(opened)
	if err != nil || string(got.body) != "moi" || got.header.Get("Etag") != `"x"` || !got.until.Equal(e.until) || got.age != e.age {
		t.Errorf("got %+v %v", got, err)
	}
	if _, err := k.open(k.name("bag", "/b"), sealed); err == nil {
		t.Error("an answer opened under another name")
	}
	if _, err := stranger.open(n, sealed); err == nil {
		t.Error("an answer opened with another key")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := k.open(n, sealed); err == nil {
		t.Error("a changed answer opened")
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := (&entry{header: http.Header{"A": {"b"}}, body: []byte("moi")}).encode()
	f.Add(good)
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := decode(b); (e == nil) != (err != nil) {
			t.Errorf("got %v with %v", e, err)
		}
	})
}

func small(t *testing.T) *Cache {
	t.Helper()
	c, err := New(Config{Memory: shared.New(nil, slog.New(slog.DiscardHandler)), Bytes: 10_000, Answer: 1000, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(path string) *http.Request {
	r, _ := http.NewRequest("GET", "https://hub.example.nl"+path, nil)
	return r
}

// answerOf is a service's answer whose body ends as told.
func answerOf(body io.Reader) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, TransferEncoding: []string{"chunked"}, Body: io.NopCloser(body)}, nil
	}
}

func TestOnlyWholeAnswersAreKept(t *testing.T) {
	for name, tc := range map[string]struct {
		body io.Reader
		read int64 // bytes that the client takes; 0 for all
		kept bool
	}{
		"whole":                {strings.NewReader("moi"), 0, true},
		"empty":                {strings.NewReader(""), 0, true},
		"as large as may be":   {strings.NewReader(strings.Repeat("x", 1000)), 0, true},
		"too large":            {strings.NewReader(strings.Repeat("x", 1001)), 0, false},
		"broken off":           {io.MultiReader(strings.NewReader("mo"), failing{}), 0, false},
		"not taken to the end": {strings.NewReader("moi"), 2, false},
	} {
		c, q, r := small(t), &Question{Service: "bag", Agreed: time.Minute}, get("/a")
		resp, _, err := c.Serve(t.Context(), q, r, answerOf(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.read > 0 {
			_, _ = io.CopyN(io.Discard, resp.Body, tc.read)
		} else {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		_ = resp.Body.Close()
		if got := c.Stats().Kept == 1; got != tc.kept {
			t.Errorf("%s: got kept %v", name, got)
		}
		if left := c.reading.Load(); left != 0 || len(c.flights.all) != 0 {
			t.Errorf("%s: %d bytes and %d flights are left over", name, left, len(c.flights.all))
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cut") }

func TestSlowReadersDoNotFillTheMemory(t *testing.T) {
	c := small(t)
	var open []*http.Response
	for i := range 100 {
		q := &Question{Service: "bag", Client: string(rune('a' + i)), Agreed: time.Minute}
		resp, _, err := c.Serve(t.Context(), q, get("/a"), answerOf(strings.NewReader(strings.Repeat("x", 900))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, 800); err != nil {
			t.Fatal(err)
		}
		open = append(open, resp)
	}
	if got := c.reading.Load(); got > 10_000 {
		t.Errorf("got %d bytes held for answers under way, want 10000 at most", got)
	}
	for _, resp := range open {
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 100 {
			t.Fatalf("a client got %d bytes more, %v", len(rest), err)
		}
		_ = resp.Body.Close()
	}
	if got := c.reading.Load(); got != 0 {
		t.Errorf("got %d bytes held after all", got)
	}
}

func TestWhoeverWaitsGoesOnWhenTheFirstFails(t *testing.T) {
	for name, tc := range map[string]struct {
		first func(leave context.CancelFunc) (*http.Response, error)
		asks  int // of the second call
	}{
		"an error": {func(context.CancelFunc) (*http.Response, error) { return nil, errors.New("away") }, 1},
		"an answer not to keep": {func(context.CancelFunc) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody}, nil
		}, 1},
		"a client that left": {func(leave context.CancelFunc) (*http.Response, error) { leave(); return nil, context.Canceled }, 1},
	} {
		c, q := small(t), &Question{Service: "bag", Agreed: time.Minute}
		entered, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		go func() {
			defer close(ended)
			resp, _, err := c.Serve(ctx, q, get("/a"), func() (*http.Response, error) {
				close(entered)
				<-release
				return tc.first(leave)
			})
			if err == nil {
				_ = resp.Body.Close()
			}
		}()
		<-entered
		got := make(chan int, 1)
		go func() {
			asks := 0
			resp, _, err := c.Serve(t.Context(), q, get("/a"), func() (*http.Response, error) {
				asks++
				return answerOf(strings.NewReader("moi"))()
			})
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			got <- asks
		}()
		close(release)
		<-ended
		if asks := <-got; asks != tc.asks {
			t.Errorf("%s: the second call asked %d times, want %d", name, asks, tc.asks)
		}
	}
}

func TestAFaultOfTheFirstHoldsNobody(t *testing.T) {
	c, q := small(t), &Question{Service: "bag", Agreed: time.Minute}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = c.Serve(t.Context(), q, get("/a"), func() (*http.Response, error) { panic("fault") })
	}()
	if n := len(c.flights.all); n != 0 {
		t.Errorf("got %d flights that never land", n)
	}
}

func TestWhoAsksAfterAChangeIsNotToldWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, q := small(t), &Question{Service: "bag", Agreed: time.Minute}
		release := make(chan struct{})
		ask := func(fetch func() (*http.Response, error)) <-chan string {
			told := make(chan string, 1)
			go func() {
				resp, _, err := c.Serve(t.Context(), q, get("/a"), fetch)
				if err != nil {
					told <- err.Error()
					return
				}
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				told <- string(text)
			}()
			synctest.Wait()
			return told
		}
		first := ask(answerOf(gated{release, strings.NewReader("old")}))
		time.Sleep(time.Millisecond)
		c.Changed(t.Context(), "bag", time.Minute)
		second := ask(answerOf(strings.NewReader("new")))
		close(release)
		if a, b := <-first, <-second; a != "old" || b != "new" {
			t.Errorf("got %q and %q", a, b)
		}
	})
}

// gated is a body that comes when it may.
type gated struct {
	open <-chan struct{}
	io.Reader
}

func (g gated) Read(p []byte) (int, error) { <-g.open; return g.Reader.Read(p) }

func TestASlowLookUpIsAMissAndNoLossOfRedis(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(slow{})
	m := shared.New(client, slog.New(slog.DiscardHandler))
	c, err := New(Config{Memory: m, Secret: "a secret of all gateways, long enough", Bytes: 10_000, Answer: 1000, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	resp, kept, err := c.Serve(t.Context(), &Question{Service: "bag", Agreed: time.Minute}, get("/a"), answerOf(strings.NewReader("moi")))
	if err != nil || kept {
		t.Fatalf("got %v, %v", kept, err)
	}
	_ = resp.Body.Close()
	if _, up := m.Client(); !up {
		t.Error("the limits of all gateways are off because one answer was looked for too slowly")
	}
}

// slow is a Redis that takes longer for a pipeline than an answer is worth waiting for.
type slow struct{}

func (slow) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (slow) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (slow) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		<-ctx.Done()
		for _, c := range commands {
			c.SetErr(ctx.Err())
		}
		return ctx.Err()
	}
}

func TestAChangeThatCouldNotBeToldIsToldLater(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	m := shared.New(client, slog.New(slog.DiscardHandler))
	c, err := New(Config{Memory: m, Secret: "a secret of all gateways, long enough", Bytes: 10_000, Answer: 1000, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server.SetError("LOADING")
	c.Changed(t.Context(), "bag", time.Minute)
	if server.Exists(changeKey("bag")) {
		t.Fatal("the test's Redis took it")
	}
	server.SetError("")
	go func() { _ = m.Run(t.Context()) }()
	for _, up := m.Client(); !up; _, up = m.Client() {
	}
	c.settle(t.Context())
	if !server.Exists(changeKey("bag")) {
		t.Error("the change was never told")
	}
	later, _ := server.Get(changeKey("bag"))
	c.tell(t.Context(), "bag", change{time.Now().Add(-time.Hour), time.Minute})
	if got, _ := server.Get(changeKey("bag")); got != later {
		t.Errorf("got %s: an earlier change took the place of a later one (%s)", got, later)
	}
}
