package stand

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/services/address/internal/bag"
	"noorderhub.nl/hub/services/address/internal/bagtest"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// extractFile writes an extract into a file of its own.
func extractFile(t testing.TB, x bagextract.Extract) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "extract.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bagextract.Write(f, x), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func townOn(t testing.TB, date string) string {
	t.Helper()
	x := bagextract.Town()
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	x.Date = d
	return extractFile(t, x)
}

// content lists the folder of a store.
func content(t *testing.T, s *Store) []string {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestEveryOccurrenceOfTheTownIsHeld(t *testing.T) {
	path := townOn(t, bagextract.TownDate)
	st := acquired(t, imported(t, path))
	want := bagtest.Extract(t, path)
	for _, typ := range imbag.Types() {
		var got []string
		if err := each(st, typ, func(o *imbag.Object) error { got = append(got, bagtest.Line(o)); return nil }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		compareLines(t, typ.Code(), got, want[typ.Code()])
	}
	if c := st.Counts["NUM"]; c.Inactive != 1 || c.NotBAG != 1 || c.Inquiries != 3 {
		t.Errorf("got %+v, want one occurrence taken back, one not of the BAG and three inquiries", c)
	}
	var codes []uint16
	at, _ := st.relations.find(9952)
	if err := st.municipalities(at, func(r imbag.Relation) { codes = append(codes, r.Municipality) }); err != nil || !slices.Equal(codes, []uint16{9901, 9902}) {
		t.Errorf("got municipalities %v, want 9901 and, before it, 9902: %v", codes, err)
	}
}

func TestTheSameExtractIsImportedOnce(t *testing.T) {
	path := townOn(t, bagextract.TownDate)
	s := imported(t, path)
	before := content(t, s)
	if _, err := s.Import(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if after := content(t, s); !slices.Equal(before, after) {
		t.Errorf("got %v, want still %v", after, before)
	}
}

func TestAFaultyExtractLeavesEverythingAsItWas(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	before := content(t, s)
	x := bagextract.Town()
	x.Date = x.Date.AddDate(0, 1, 0)
	spaces := slices.Collect(x.Spaces)
	spaces[3].ID = "99013000000000XX"
	x.Spaces = slices.Values(spaces)
	_, err := s.Import(t.Context(), extractFile(t, x))
	var f *bag.Fault
	if !errors.As(err, &f) || f.File != "extract.zip" || len(f.Inner) != 3 || f.Offset <= 0 {
		t.Errorf("got %v, want file, inner files and position", err)
	}
	if after := content(t, s); !slices.Equal(before, after) {
		t.Errorf("got %v, want still %v", after, before)
	}
	if got := acquired(t, s).Date; got != bagextract.TownDate {
		t.Errorf("got the stand of %s in use, want the one before", got)
	}
}

func TestAnOlderStandOfTheSameAreaIsRefused(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	if _, err := s.Import(t.Context(), townOn(t, "2026-10-01")); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("got %v, want a refusal of the older stand", err)
	}
}

func TestTwoExtractsOfOneDayMakeOneStand(t *testing.T) {
	town := townOn(t, bagextract.TownDate)
	other := bagextract.Town()
	other.Municipality, other.Name = "9902", "Buurgemeente" // delivers the same objects along its border
	st := acquired(t, imported(t, town, extractFile(t, other)))
	alone := acquired(t, imported(t, town))
	if got, want := st.Counts["NUM"], alone.Counts["NUM"]; got != want {
		t.Errorf("got %+v, want %+v: what both deliver counts once", got, want)
	}
	if want := []string{"9901", "9902"}; !slices.Equal(st.Areas, want) {
		t.Errorf("got areas %v, want %v", st.Areas, want)
	}
	s, _ := OpenStore(t.TempDir())
	if _, err := s.Import(t.Context(), town, townOn(t, "2026-10-01")); err == nil || !strings.Contains(err.Error(), "one day") {
		t.Errorf("got %v, want a refusal of two days", err)
	}
}

func TestOneOccurrenceWithTwoContentsIsRefused(t *testing.T) {
	x := bagextract.Town()
	rows := slices.Collect(x.Designations)
	double := rows[5]
	double.Postcode = "9990XX"
	x.Designations = slices.Values(append(rows, double))
	s, _ := OpenStore(t.TempDir())
	if _, err := s.Import(t.Context(), extractFile(t, x)); err == nil || !strings.Contains(err.Error(), double.ID) {
		t.Errorf("got %v, want a refusal that names %s", err, double.ID)
	}
	if names := content(t, s); !slices.Equal(names, []string{lockName}) {
		t.Errorf("got %v left behind, want only the lock", names)
	}
}

func TestRollbackTakesTheStandBeforeInUseAgain(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	if _, err := s.Rollback(t.Context()); err == nil {
		t.Error("rolled back to nothing")
	}
	for _, date := range []string{"2026-12-01", "2027-01-01"} {
		if _, err := s.Import(t.Context(), townOn(t, date)); err != nil {
			t.Fatal(err)
		}
	}
	stands := slices.DeleteFunc(content(t, s), func(n string) bool { return !strings.HasSuffix(n, suffix) })
	if len(stands) != 2 {
		t.Errorf("got %v, want the stand in use and the one before", stands)
	}
	if _, err := s.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := acquired(t, s).Date, "2026-12-01"; got != want {
		t.Errorf("got %s in use, want %s", got, want)
	}
}

func TestWhatAnotherProcessImportsIsTakenInUse(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	other, err := OpenStore(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Import(t.Context(), townOn(t, "2026-12-01")); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if got, want := acquired(t, s).Date, "2026-12-01"; got != want {
		t.Errorf("got %s in use, want %s", got, want)
	}
}

func TestASecondImportAtTheSameTimeIsRefused(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	unlock, err := s.lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	other, _ := OpenStore(s.dir)
	if _, err := other.Import(t.Context(), townOn(t, "2026-12-01")); err == nil || !strings.Contains(err.Error(), "another import") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestCallsInFlightKeepTheStandTheyBeganWith(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	st, err := s.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			var o imbag.Object
			for {
				select {
				case <-done:
					return
				default:
				}
				st, err := s.Acquire()
				if err != nil {
					t.Error(err)
					return
				}
				if found, err := st.Actual(9901200000000001, imbag.NewDate(2026, 11, 23), &o); !found || err != nil {
					t.Errorf("got %v %v while stands are swapped", found, err)
				}
				st.Release()
			}
		}()
	}
	for _, date := range []string{"2026-12-01", "2027-01-01", "2027-02-01"} {
		if _, err := s.Import(t.Context(), townOn(t, date)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	if st.Date != bagextract.TownDate || st.data == nil {
		t.Error("the stand that is held was unmapped")
	}
	st.Release()
	if st.data != nil || st.Acquire() {
		t.Error("the stand that nobody holds is still mapped")
	}
}

// damaged gives the path of a copy of the stand in use after edit.
func damaged(t *testing.T, s *Store, edit func([]byte) []byte) string {
	t.Helper()
	b, err := os.ReadFile(acquired(t, s).Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.stand")
	if err := os.WriteFile(path, edit(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADamagedFileIsRefusedOrFoundOut(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	for name, edit := range map[string]func([]byte) []byte{
		"cut off":           func(b []byte) []byte { return b[:len(b)-1] },
		"too long":          func(b []byte) []byte { return append(b, 0) },
		"empty":             func([]byte) []byte { return nil },
		"another format":    func(b []byte) []byte { b[0] ^= 1; return b },
		"another version":   func(b []byte) []byte { b[8]++; return b },
		"a table that lies": func(b []byte) []byte { b[headerSize+17] ^= 1; return b },
	} {
		if st, err := Open(damaged(t, s, edit)); err == nil {
			st.Release()
			t.Errorf("%s: opened", name)
		}
	}
	// Any flipped byte inside a section: whoever reads gets an error or a value, never a crash, and Verify finds it.
	size := len(acquired(t, s).data)
	for i := range 40 {
		at := headerSize + entrySize*70 + (size-headerSize-entrySize*70)*i/40
		st, err := Open(damaged(t, s, func(b []byte) []byte { b[at] ^= 0xff; return b }))
		if err != nil {
			continue
		}
		_ = each(st, imbag.Designation, func(*imbag.Object) error { return nil })
		if inSection(st, at) && st.Verify(t.Context()) == nil {
			t.Errorf("byte %d: the damage passes Verify", at)
		}
		st.Release()
	}
}

// inSection tells whether a byte belongs to a section; between them there is padding.
func inSection(st *Stand, at int) bool {
	for _, b := range st.raw {
		from := len(st.data)
		if len(b) > 0 {
			from = int(uintptr(unsafe.Pointer(&b[0])) - uintptr(unsafe.Pointer(&st.data[0])))
		}
		if at >= from && at < from+len(b) {
			return true
		}
	}
	return false
}

func TestRunsThatDoNotFitInMemoryAreMergedFromDisk(t *testing.T) {
	dir := t.TempDir()
	var p pile
	var r run
	for _, entries := range [][]string{{"d", "a", "c"}, {"b", "a", ""}, {"e"}} {
		for _, e := range entries {
			r.add([]byte(e))
		}
		if err := p.spill(dir, &r); err != nil {
			t.Fatal(err)
		}
	}
	r.add([]byte("c"))
	r.add([]byte("f"))
	p.keep(&r)
	var got []string
	if err := p.each(func(b []byte) error { got = append(got, string(bytes.Clone(b))); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "a", "b", "c", "d", "e", "f"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files left behind", len(left))
	}
}

func TestAWorkerThatSpillsGivesTheSameStand(t *testing.T) {
	var whole, spilled bytes.Buffer
	for _, c := range []struct {
		limit int
		to    *bytes.Buffer
	}{{workerMemory, &whole}, {2000, &spilled}} {
		dir := t.TempDir()
		b := newBuilder(dir)
		b.limit = c.limit
		x, err := bag.Open(t.Context(), townOn(t, bagextract.TownDate))
		if err != nil {
			t.Fatal(err)
		}
		b.manifest.Date = x.Date.String()
		if err := errors.Join(x.Read(t.Context(), b), x.Close()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "x.stand")
		if err := b.write(path); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c.to.Write(content)
	}
	if !bytes.Equal(whole.Bytes(), spilled.Bytes()) {
		t.Error("the files differ")
	}
}

func BenchmarkByPostcode(b *testing.B) {
	st := acquired(b, imported(b, bagtest.SharedData(b, bagtest.Weesp)))
	p, _ := imbag.ParsePostcode("1382LT")
	var ids []imbag.ID
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var err error
		if ids, err = st.ByPostcode(ids[:0], p, i%100); err != nil {
			b.Fatal(err)
		}
	}
}
