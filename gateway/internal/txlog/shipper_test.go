package txlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	journal "noorderhub.nl/hub/services/journal/api"
)

// ledger is a journal that keeps its rules: in order, chained, idempotent.
type ledger struct {
	mu    sync.Mutex
	lines [][]byte
	fail  func(calls int) error // before taking anything
	after func(calls int) error // after taking everything: the answer gets lost
	calls int
}

func (j *ledger) ShipLines(_ context.Context, batch [][]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls++
	if j.fail != nil {
		if err := j.fail(j.calls); err != nil {
			return err
		}
	}
	for _, line := range batch {
		r, err := journal.Decode(line)
		if err != nil {
			return err
		}
		have := uint64(len(j.lines))
		if r.ID.Sequence <= have && bytes.Equal(j.lines[r.ID.Sequence-1], line) {
			continue
		}
		want := journal.Genesis
		if have > 0 {
			want = journal.Hash(j.lines[have-1])
		}
		if r.ID.Sequence != have+1 || r.Previous != want {
			return &journal.GapError{Expected: have + 1, Err: errors.New("gap")}
		}
		j.lines = append(j.lines, bytes.Clone(line))
	}
	if j.after != nil {
		return j.after(j.calls)
	}
	return nil
}

func (j *ledger) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lines)
}

func TestEverythingArrivesInOrderThoughAnswersGetLost(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.SegmentBytes = 4000
	l := open(t, o)
	j := &ledger{
		fail:  func(n int) error { return map[bool]error{true: errors.New("away")}[n%3 == 1] },
		after: func(n int) error { return map[bool]error{true: errors.New("answer lost")}[n%3 == 2] },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- NewShipper(l, j, quiet).Run(ctx) }()
	for i := range 40 {
		appendAll(t, l, fmt.Sprintf("call-%d", i))
	}
	wait(t, func() bool { return j.count() == 40 })
	wait(t, func() bool { return l.Stats().Bytes <= 2*4000 }) // shipped segments are gone
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestARestartShipsWhatIsLeftAndNothingIsMissing(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.SegmentBytes = 1500
	j := &ledger{}
	for round := range 5 {
		l := open(t, o)
		s := NewShipper(l, j, quiet)
		for i := range 7 {
			appendAll(t, l, fmt.Sprintf("%d-%d", round, i))
			if i == 3 {
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.Stop(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 { // an orderly stop ships first; a kill does not
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, o)
	if err := NewShipper(l, j, quiet).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.count() != 35 {
		t.Errorf("the journal has %d records, want 35", j.count())
	}
}

func TestNothingUnsyncedIsShipped(t *testing.T) {
	o := options(t.TempDir())
	o.Linger = 1 << 40
	l := open(t, o)
	appendAll(t, l, "synced")
	l.Note(record("unsynced"))
	j := &ledger{}
	s := NewShipper(l, j, quiet)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.count() != 1 {
		t.Errorf("the journal has %d records, want 1", j.count())
	}
}

func TestWithoutItsNoteTheShipperSendsAgain(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	appendAll(t, l, "one", "two")
	j := &ledger{}
	if err := NewShipper(l, j, quiet).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := os.Remove(filepath.Join(dir, cursorName)); err != nil {
		t.Fatal(err)
	}
	again := open(t, options(dir))
	appendAll(t, again, "three")
	if err := NewShipper(again, j, quiet).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.count() != 3 {
		t.Errorf("the journal has %d records, want 3", j.count())
	}
}

func TestAJournalRestoredFromABackupGetsItsGapFilled(t *testing.T) {
	l := open(t, options(t.TempDir()))
	j := &ledger{}
	s := NewShipper(l, j, quiet)
	appendAll(t, l, "one", "two", "three")
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.lines = j.lines[:1]
	appendAll(t, l, "four")
	if err := s.Flush(t.Context()); err == nil {
		t.Fatal("a gap went unnoticed")
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.count() != 4 {
		t.Errorf("the journal has %d records, want 4", j.count())
	}
}
