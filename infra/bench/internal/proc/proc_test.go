package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func ready(context.Context) error { return nil }

func TestStopEndsThePrograms(t *testing.T) {
	g := NewGroup(t.TempDir())
	a, err := g.Start(t.Context(), "a", ready, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Alive(); err != nil {
		t.Errorf("got %v while it runs", err)
	}
	g.Stop()
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", a.PID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("process %d is still there", a.PID)
	}
}

func TestStartTellsWhyAProgramEnded(t *testing.T) {
	g := NewGroup(t.TempDir())
	t.Cleanup(g.Stop)
	_, err := g.Start(t.Context(), "a", func(context.Context) error { return errors.New("no") }, "sh", "-c", "echo the reason; exit 3")
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("got %v, want the program's output", err)
	}
	if err := g.Alive(); err == nil {
		t.Error("a program that ended counts as alive")
	}
}

func TestFreeAddressesDiffer(t *testing.T) {
	addresses, err := Free(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range addresses {
		if _, _, err := net.SplitHostPort(a); err != nil || seen[a] {
			t.Errorf("got %v", addresses)
		}
		seen[a] = true
	}
}

func TestListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := Listening(address)(t.Context()); err != nil {
		t.Error(err)
	}
	_ = l.Close()
	if err := Listening(address)(t.Context()); err == nil {
		t.Error("got no error of an address where nobody listens")
	}
}
