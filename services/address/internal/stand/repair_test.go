package stand

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"noorderhub.nl/hub/infra/bagextract"
)

// rot flips a byte of the designations in the file of a stand, as a failing disk would.
func rot(t *testing.T, path string) {
	t.Helper()
	st, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Release()
	at := 0
	for at = range st.data {
		if &st.data[at] == &st.raw["obj.NUM.rec"][0] {
			break
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{st.data[at] ^ 0xff}, int64(at)); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedStandIsMadeAgainOfTheSameExtractAndNotKept(t *testing.T) {
	town := townOn(t, "2026-12-01")
	s := imported(t, townOn(t, bagextract.TownDate))
	if _, err := s.Import(t.Context(), town); err != nil {
		t.Fatal(err)
	}
	rotten := acquired(t, s).Path()
	rot(t, rotten)
	if _, err := s.Import(t.Context(), town); err != nil {
		t.Fatal(err)
	}
	st := acquired(t, s)
	if err := st.Verify(t.Context()); err != nil || st.Path() == rotten {
		t.Errorf("got %s in use, want a whole one beside it: %v", st.Path(), err)
	}
	if slices.Contains(content(t, s), filepath.Base(rotten)) {
		t.Error("the damaged stand is kept for a rollback")
	}
	if m, err := s.Rollback(t.Context()); err != nil || m.Date != bagextract.TownDate {
		t.Errorf("got %s %v, want a rollback to the whole stand before the damaged one", m.Date, err)
	}
}

func TestThereIsNoRollbackToADamagedStand(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	rotten := acquired(t, s).Path()
	if _, err := s.Import(t.Context(), townOn(t, "2026-12-01")); err != nil {
		t.Fatal(err)
	}
	rot(t, rotten)
	if _, err := s.Rollback(t.Context()); err == nil {
		t.Error("went back to a damaged stand")
	}
	if got := acquired(t, s).Date; got != "2026-12-01" {
		t.Errorf("got %s in use, want still 2026-12-01", got)
	}
}

func TestWhateverTheFolderSaysIsInUseAnImportReplacesIt(t *testing.T) {
	town := townOn(t, bagextract.TownDate)
	for name, pointer := range map[string]string{
		"an empty pointer":                 "",
		"a pointer out of the folder":      "../../etc/passwd\n\n",
		"a pointer with too many lines":    "a\nb\nc\n",
		"a pointer to what is not there":   "gone.stand\n\n",
		"a pointer to a file of no format": lockName + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := imported(t, town)
			if err := os.WriteFile(filepath.Join(s.dir, pointerName), []byte(pointer), 0o600); err != nil {
				t.Fatal(err)
			}
			again, err := OpenStore(s.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if m, err := again.Import(t.Context(), town); err != nil || m.Date != bagextract.TownDate {
				t.Errorf("got %s %v, want the stand of %s", m.Date, err, bagextract.TownDate)
			}
		})
	}
}

func TestAnImportThatCannotTidyUpSucceedsWithAWarning(t *testing.T) {
	s := imported(t, townOn(t, bagextract.TownDate))
	var warnings []error
	s.Warn = func(_ context.Context, err error) { warnings = append(warnings, err) }
	if err := os.MkdirAll(filepath.Join(s.dir, "old"+suffix, "full"), 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), townOn(t, "2026-12-01")); err != nil {
		t.Fatal(err)
	}
	if got := acquired(t, s).Date; got != "2026-12-01" || len(warnings) != 1 {
		t.Errorf("got %s in use with warnings %v, want 2026-12-01 and one warning", got, warnings)
	}
}

func TestSourcesAreComparedAsSets(t *testing.T) {
	for name, c := range map[string]struct {
		have, given []string
		want        bool
	}{
		"the same":                      {[]string{"a", "b"}, []string{"a", "b"}, true},
		"in another order":              {[]string{"a", "b"}, []string{"b", "a"}, true},
		"one twice instead of two":      {[]string{"a", "b"}, []string{"a", "a"}, false},
		"two instead of one twice":      {[]string{"a", "a"}, []string{"a", "b"}, false},
		"one twice where it stood once": {[]string{"a"}, []string{"a", "a"}, true},
		"one fewer":                     {[]string{"a", "b"}, []string{"a"}, false},
		"one more":                      {[]string{"a"}, []string{"a", "b"}, false},
	} {
		var m Manifest
		for _, sum := range c.have {
			m.Sources = append(m.Sources, Source{SHA256: sum})
		}
		if got := m.madeOf(c.given); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
