package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
)

func newApp() *app.App {
	return app.New("proef", slog.New(slog.DiscardHandler), 5*time.Second)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTeardownRunsEveryStepBackwards(t *testing.T) {
	a := newApp()
	var got []string
	broken := errors.New("broken")
	for _, name := range []string{"store", "cache", "server"} {
		a.OnStop(name, func(context.Context) error {
			got = append(got, name)
			if name == "cache" {
				return broken
			}
			return nil
		})
	}
	err := a.Close()
	if want := []string{"server", "cache", "store"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "stop cache") {
		t.Errorf("got %v, want the failed step by name", err)
	}
	if again := a.Close(); !errors.Is(again, broken) || len(got) != 3 {
		t.Error("a second Close ran the steps again or lost the fault")
	}
}

func TestACallInFlightFinishesBeforeTheStopEnds(t *testing.T) {
	a, l := newApp(), listen(t)
	entered, release := make(chan struct{}), make(chan struct{})
	a.Serve("http", l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "done")
	}))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(ctx) }()

	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	cancel()
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a call in flight: %v", err)
	default:
	}
	close(release)
	if got := <-answer; got != "done" {
		t.Errorf("got answer %q, want done", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("got %v, want an orderly stop", err)
	}
}

func TestALoopThatFailsStopsThePart(t *testing.T) {
	a := newApp()
	broken := errors.New("broken")
	ended := false
	a.Background("steady", func(ctx context.Context) error { <-ctx.Done(); ended = true; return ctx.Err() })
	a.Background("weak", func(context.Context) error { return broken })
	err := a.Run(context.Background())
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the loop's fault", err)
	}
	if !ended {
		t.Error("the other loop was not waited for")
	}
}

func TestReadinessFollowsLifeAndChecks(t *testing.T) {
	a, l := newApp(), listen(t)
	var fault error
	a.Check("upstream", func(context.Context) error { return fault })
	a.Admin(l, nil)
	if err := a.Ready(context.Background()); err == nil {
		t.Error("ready before Run")
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(ctx) }()
	status := func(path string) int {
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := status("/readyz"); got != 200 {
		t.Errorf("got %d while all is well, want 200", got)
	}
	fault = errors.New("away")
	if got := status("/readyz"); got != 503 {
		t.Errorf("got %d while a check fails, want 503", got)
	}
	if got := status("/healthz"); got != 200 {
		t.Errorf("got health %d, want 200", got)
	}
	cancel()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if a.Ready(context.Background()) == nil {
		t.Error("ready after the stop")
	}
}

func TestAStreamThatNeverEndsLeavesTimeForTheOtherSteps(t *testing.T) {
	a, l := app.New("proef", slog.New(slog.DiscardHandler), time.Second), listen(t)
	lastStep := make(chan error, 1)
	a.OnStop("last step", func(ctx context.Context) error { lastStep <- ctx.Err(); return nil })
	a.Serve("http", l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(ctx) }()
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	if err := <-lastStep; err != nil {
		t.Errorf("got %v: the stream took the whole stop", err)
	}
	if err := <-stopped; err == nil {
		t.Error("a stream that was cut counts as an orderly stop")
	}
}
