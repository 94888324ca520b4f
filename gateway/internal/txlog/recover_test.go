package txlog

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	journal "noorderhub.nl/hub/services/journal/api"
)

func note(t *testing.T, dir string, at position) {
	t.Helper()
	c, err := openCursor(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.save(at), c.close()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestACrashBeforeTheFirstDurableRecordDoesNotStopTheNextStart(t *testing.T) {
	for name, leave := range map[string]func(dir string){
		"with an empty segment": func(dir string) { write(t, segmentPath(dir, 1), nil) },
		"with half a record":    func(dir string) { write(t, segmentPath(dir, 1), []byte(`{"recordId":{"gat`)) },
		"with no segment":       func(string) {},
		"without the note":      func(dir string) { _ = os.Remove(filepath.Join(dir, cursorName)); write(t, segmentPath(dir, 1), nil) },
	} {
		dir := t.TempDir()
		o := options(dir)
		o.Sync = func(*os.File) error { return errors.New("disk") }
		l := open(t, o)
		if l.Append(t.Context(), record("lost")) == nil {
			t.Fatal("no error")
		}
		_ = l.Close()
		leave(dir)
		again, err := Open(options(dir))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		appendAll(t, again, "first")
		j := &ledger{}
		if err := NewShipper(again, j, quiet).Flush(t.Context()); err != nil || j.count() != 1 {
			t.Errorf("%s: the journal has %d records, %v", name, j.count(), err)
		}
		_ = again.Close()
	}
}

func TestDamageBeforeAWholeRecordIsNoTornEnd(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	appendAll(t, l, "one", "two", "three")
	path := l.segments[0].path
	_ = l.Close()
	good := read(t, path)
	lines := bytes.SplitAfter(good, []byte{'\n'})
	for name, tc := range map[string]struct {
		content []byte
		starts  bool
	}{
		"nothing":                        {good, true},
		"a record that is no JSON":       {bytes.Join([][]byte{lines[0], bytes.Replace(lines[1], []byte(`{`), []byte(`[`), 1), lines[2]}, nil), false},
		"zeros in the middle":            {bytes.Join([][]byte{lines[0], make([]byte, len(lines[1])-1), {'\n'}, lines[2]}, nil), false},
		"a record whose content changed": {bytes.Replace(good, []byte(`"two"`), []byte(`"owt"`), 1), false},
		"a record that is gone":          {bytes.Join([][]byte{lines[0], lines[2]}, nil), false},
		"a record of another gateway":    {append(bytes.Clone(good), bytes.Replace(lines[2], []byte(l.ID()), []byte("other"), 1)...), false},
		"half a last record":             {good[:len(good)-7], true},
		"a last record that is no JSON":  {bytes.Join([][]byte{lines[0], lines[1], bytes.Replace(lines[2], []byte(`{`), []byte(`[`), 1)}, nil), true},
	} {
		write(t, path, tc.content)
		again, err := Open(options(dir))
		if (err == nil) != tc.starts {
			t.Errorf("%s: got %v, want start %v", name, err, tc.starts)
		}
		if err == nil {
			_ = again.Close()
			continue
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %q does not name the place", name, err)
		}
		if !bytes.Equal(read(t, path), tc.content) {
			t.Errorf("%s: the segment was changed although the start failed", name)
		}
	}
}

func TestALostIdIsNotReplacedWhileRecordsCarryIt(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	appendAll(t, l, "one")
	path := l.segments[0].path
	_ = l.Close()
	want := read(t, path)
	if err := os.Remove(filepath.Join(dir, "id")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(options(dir)); err == nil {
		t.Error("a new id was made")
	}
	if !bytes.Equal(read(t, path), want) {
		t.Error("the segment was changed")
	}
	if _, err := os.Stat(filepath.Join(dir, "id")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want no id", err)
	}
}

func TestALogThatEndsBeforeWhatWasShippedKeepsItsTornEnd(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	appendAll(t, l, "one", "two")
	if err := NewShipper(l, &ledger{}, quiet).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := l.segments[0].path
	_ = l.Close()
	content := read(t, path)
	content = content[:len(content)-5]
	write(t, path, content)
	if _, err := Open(options(dir)); err == nil {
		t.Fatal("a shipped record is gone and nobody noticed")
	}
	if !bytes.Equal(read(t, path), content) {
		t.Error("the segment was cut before all checks had passed")
	}
}

func TestACursorSurvivesATornWriteAndMayGoBack(t *testing.T) {
	dir := t.TempDir()
	at := func(n uint64) position { return position{Sequence: n, Hash: journal.Hash([]byte{byte(n)})} }
	for _, n := range []uint64{5, 9, 3} {
		note(t, dir, at(n))
	}
	path := filepath.Join(dir, cursorName)
	size := len(read(t, path))
	expect := func(name string, want position) {
		t.Helper()
		c, err := openCursor(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		if c.slot.Position != want {
			t.Errorf("%s: got %+v, want %+v", name, c.slot.Position, want)
		}
	}
	expect("the newest note, not the highest", at(3))
	content := read(t, path)
	copy(content[slotSize+20:], "torn") // the third note stands in the second slot
	write(t, path, content)
	expect("the note before a torn one", at(9))
	write(t, path, make([]byte, size))
	expect("both lost", position{})
	if size != slotCount*slotSize {
		t.Errorf("the file has %d bytes: it grew", size)
	}
}

func TestANotedRecordThatCannotBeKeptIsCounted(t *testing.T) {
	l := open(t, options(t.TempDir()))
	big := record("big")
	big.Decision.Rule = strings.Repeat("x", journal.MaxLine)
	if !l.Note(big) {
		t.Fatal("not taken")
	}
	wait(t, func() bool { return l.Stats().Lost == 1 })
}

func TestEveryNoteThatWasTakenIsThereAfterTheStop(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		l := open(t, options(dir))
		taken, stopped := make(chan int), make(chan struct{})
		for range 2 {
			go func() {
				n := 0
				for ; n < 1000 && l.Note(record("outcome")); n++ {
				}
				taken <- n
			}()
		}
		go func() { _ = l.Stop(); close(stopped) }()
		want := <-taken + <-taken
		<-stopped
		if got := int(l.Stats().Records); got != want {
			t.Fatalf("got %d records, want the %d that were taken", got, want)
		}
		_ = l.Close()
	}
}

func TestABadDiskIsTriedLessAndLessAndToldOfSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int64
		var good atomic.Bool
		var told bytes.Buffer
		o := options(t.TempDir())
		o.Logger = slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelError}))
		o.Sync = func(*os.File) error {
			if tries.Add(1); !good.Load() {
				return errors.New("disk")
			}
			return nil
		}
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			l.Note(record("outcome"))
			time.Sleep(time.Second) // of the bubble's clock
		}
		synctest.Wait()
		if lines := strings.Count(told.String(), "not durable"); tries.Load() > 20 || lines > 14 || lines == 0 {
			t.Errorf("got %d tries and %d lines in a minute", tries.Load(), lines)
		}
		good.Store(true)
		time.Sleep(trialMost)
		synctest.Wait()
		if got := l.Stats(); l.Ready() != nil || got.Records != 60 || got.Lost != 0 {
			t.Errorf("got %v and %+v with a good disk, want all 60 records", l.Ready(), got)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
