package txlog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	journal "noorderhub.nl/hub/services/journal/api"
)

var quiet = slog.New(slog.DiscardHandler)

func options(dir string) Options { return Options{Dir: dir, Name: "gw", Logger: quiet} }

func open(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func record(transaction string) *journal.Record {
	return &journal.Record{
		Kind: journal.KindDecision, At: time.Now().UTC().Truncate(time.Microsecond), TransactionID: transaction,
		TraceID: strings.Repeat("a", 32), SpanID: strings.Repeat("b", 16), Decision: &journal.Decision{Permit: true},
	}
}

func appendAll(t *testing.T, l *Log, transactions ...string) {
	t.Helper()
	for _, id := range transactions {
		if err := l.Append(t.Context(), record(id)); err != nil {
			t.Fatal(err)
		}
	}
}

// lines reads all records on disk and checks their chain.
func lines(t *testing.T, dir string) []journal.Record {
	t.Helper()
	segments, err := listSegments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []journal.Record
	previous := ""
	for _, s := range segments {
		content, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			r, err := journal.Decode(line)
			if err != nil {
				t.Fatal(err)
			}
			if previous != "" && r.Previous != previous {
				t.Fatalf("record %d does not follow the one before", r.ID.Sequence)
			}
			previous = journal.Hash(line)
			all = append(all, r)
		}
	}
	return all
}

func ids(records []journal.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, r.TransactionID)
	}
	return strings.Join(all, " ")
}

func TestCallsThatComeDuringASyncShareTheNextOne(t *testing.T) {
	entered, release := make(chan struct{}, 8), make(chan struct{})
	o := options(t.TempDir())
	o.Sync = func(f *os.File) error {
		entered <- struct{}{}
		<-release
		return f.Sync()
	}
	l := open(t, o)
	var calls sync.WaitGroup
	calls.Go(func() { appendAll(t, l, "first") })
	<-entered
	for _, id := range []string{"second", "third", "fourth"} {
		calls.Go(func() { appendAll(t, l, id) })
	}
	for len(l.queue) < 3 { // all three have asked
		time.Sleep(0)
	}
	close(release)
	calls.Wait()
	if got := l.Stats(); got.Syncs != 2 || got.Records != 4 {
		t.Errorf("got %+v, want 4 records by 2 syncs", got)
	}
}

func TestAnAppendReturnsOnlyAfterTheSync(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	o := options(t.TempDir())
	o.Sync = func(*os.File) error { entered <- struct{}{}; <-release; return nil }
	l := open(t, o)
	done := make(chan error, 1)
	go func() { done <- l.Append(context.Background(), record("one")) }()
	<-entered
	select {
	case <-done:
		t.Fatal("returned before the sync")
	default:
	}
	if l.Synced() != 0 {
		t.Error("counts as synced before the sync")
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhoGivesUpWaitingLeavesNoRecordThatWasNotWritten(t *testing.T) {
	dir := t.TempDir()
	entered, release := make(chan struct{}, 9), make(chan struct{})
	o := options(dir)
	o.Sync = func(*os.File) error { entered <- struct{}{}; <-release; return nil }
	l := open(t, o)
	first := make(chan error, 1)
	go func() { first <- l.Append(context.Background(), record("first")) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() { second <- l.Append(ctx, record("second")) }()
	for len(l.queue) == 0 {
		time.Sleep(0)
	}
	cancel()
	if err := <-second; !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := ids(lines(t, dir)); got != "first" {
		t.Errorf("got records %q, want first", got)
	}
}

func TestAfterASyncErrorNothingOfTheBatchCountsAndAFreshSegmentGoesOn(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("disk")
	var fail atomic.Bool
	var failed *os.File
	o := options(dir)
	o.Sync = func(f *os.File) error {
		if fail.Load() {
			failed = f
			return broken
		}
		if f == failed {
			t.Error("a file whose sync failed was synced again")
		}
		return f.Sync()
	}
	l := open(t, o)
	appendAll(t, l, "one", "two")
	fail.Store(true)
	if err := l.Append(t.Context(), record("lost")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, broken) {
		t.Errorf("got %v, want ErrUnavailable with its cause", err)
	}
	if err := l.Ready(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want a log that is not ready", err)
	}
	if l.Synced() != 2 {
		t.Errorf("got synced %d, want 2", l.Synced())
	}
	if !l.Note(record("outcome")) {
		t.Error("an outcome was not taken while the disk is on trial")
	}
	fail.Store(false)
	appendAll(t, l, "three")
	if err := l.Ready(); err != nil {
		t.Errorf("got %v, want a log that is ready again", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := ids(lines(t, dir)); got != "one two outcome three" {
		t.Errorf("got records %q", got)
	}
	again := open(t, options(dir))
	if again.Synced() != 4 {
		t.Errorf("got %d records after the restart, want 4", again.Synced())
	}
}

func TestALogThatFailedTriesTheDiskByItself(t *testing.T) {
	var fail atomic.Bool
	o := options(t.TempDir())
	o.Linger = time.Millisecond
	o.Sync = func(f *os.File) error {
		if fail.Load() {
			return errors.New("disk")
		}
		return f.Sync()
	}
	l := open(t, o)
	fail.Store(true)
	if l.Append(t.Context(), record("lost")) == nil {
		t.Fatal("no error")
	}
	fail.Store(false)
	wait(t, func() bool { return l.Ready() == nil })
}

func wait(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain")
		case <-tick.C:
		}
	}
}

// A crash of the machine leaves at least what was synced, and any part of what was not.
func TestAfterACrashEveryAnsweredCallHasItsRecordAndNoneTwice(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var disk []byte // what survives a crash
	o := options(dir)
	o.Sync = func(f *os.File) error {
		content, err := os.ReadFile(f.Name())
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		disk = content
		return nil
	}
	l := open(t, o)
	var answered []string
	var calls sync.WaitGroup
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		calls.Go(func() {
			if l.Append(context.Background(), record(id)) == nil {
				mu.Lock()
				defer mu.Unlock()
				answered = append(answered, id)
			}
		})
	}
	calls.Wait()
	segment := l.segments[0].path
	mu.Lock()
	synced := bytes.Clone(disk)
	mu.Unlock()
	for i := range 3 {
		l.Note(record("outcome"))
		_ = i
	}
	_ = l.Close()
	whole, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	for cutAt := len(synced); cutAt <= len(whole); cutAt += 7 {
		crashed := t.TempDir()
		copyFile(t, filepath.Join(dir, "id"), filepath.Join(crashed, "id"))
		write(t, filepath.Join(crashed, filepath.Base(segment)), whole[:cutAt])
		again := open(t, options(crashed))
		appendAll(t, again, "after")
		_ = again.Close()
		got := map[string]int{}
		for i, r := range lines(t, crashed) {
			got[r.TransactionID]++
			if r.ID.Sequence != uint64(i+1) {
				t.Fatalf("got sequence %d at place %d", r.ID.Sequence, i+1)
			}
		}
		for _, id := range append(answered, "after") {
			if got[id] != 1 {
				t.Fatalf("cut at %d: call %q has %d records, want 1", cutAt, id, got[id])
			}
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, content)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATornEndIsKeptAsEvidence(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	appendAll(t, l, "one")
	path := l.segments[0].path
	_ = l.Close()
	content, _ := os.ReadFile(path)
	write(t, path, append(content, `{"recordId":{"gateway`...))
	again := open(t, options(dir))
	if again.Synced() != 1 {
		t.Errorf("got %d records, want 1", again.Synced())
	}
	torn, _ := filepath.Glob(filepath.Join(dir, "*"+tornSuffix))
	if len(torn) != 1 {
		t.Errorf("got %d files with torn ends, want 1", len(torn))
	}
}

func TestAFaultBeforeTheLastSegmentStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.SegmentBytes = 1 // every record its own segment
	l := open(t, o)
	appendAll(t, l, "one", "two", "three")
	first := l.segments[0].path
	_ = l.Close()
	content, _ := os.ReadFile(first)
	write(t, first, bytes.Replace(content, []byte(`"permit":true`), []byte(`"permit":null`), 1))
	if _, err := Open(o); err == nil {
		t.Fatal("a changed record went unnoticed")
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	note(t, dir, position{Hash: journal.Genesis})
	if _, err := Open(o); err == nil {
		t.Fatal("a missing segment went unnoticed")
	}
}

func TestTwoGatewaysDoNotShareADirectory(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	if _, err := Open(options(dir)); err == nil {
		t.Error("a second log opened the same directory")
	}
	id := l.ID()
	_ = l.Close()
	if again := open(t, options(dir)); again.ID() != id || !strings.HasPrefix(id, "gw-") {
		t.Errorf("got id %q then %q, want the same", id, again.ID())
	}
}

func TestAFullLogRefusesWhoWaitsAndKeepsRoomForOutcomes(t *testing.T) {
	o := options(t.TempDir())
	o.MaxBytes = 2000
	l := open(t, o)
	var err error
	for err == nil {
		err = l.Append(t.Context(), record("call"))
	}
	if !errors.Is(err, ErrFull) || !errors.Is(l.Ready(), ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if l.size.Load() < o.MaxBytes+o.MaxBytes/8 && !l.Note(record("outcome")) {
		t.Error("the outcome of a call that was let through was not taken")
	}
	wait(t, func() bool { return !l.Note(record("outcome")) })
	if l.Stats().Lost == 0 {
		t.Error("a lost record was not counted")
	}
}

func TestARecordNobodyWaitsForIsSyncedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(options(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		l.Note(record("outcome"))
		synctest.Wait()
		if l.Synced() != 0 {
			t.Error("synced at once")
		}
		time.Sleep(2 * defaultLinger)
		synctest.Wait()
		if l.Synced() != 1 {
			t.Error("not synced after the linger time")
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAfterCloseNothingIsTaken(t *testing.T) {
	l := open(t, options(t.TempDir()))
	_ = l.Close()
	if err := l.Append(t.Context(), record("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if l.Note(record("late")) {
		t.Error("took a record after Close")
	}
}
