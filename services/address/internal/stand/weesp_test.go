package stand

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/services/address/internal/bagtest"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// imported gives a store with the extracts at paths in use.
func imported(t testing.TB, paths ...string) *Store {
	t.Helper()
	s, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	began := time.Now()
	if _, err := s.Import(t.Context(), paths...); err != nil {
		t.Fatal(err)
	}
	t.Logf("imported %s in %v", filepath.Base(paths[0]), time.Since(began))
	return s
}

func acquired(t testing.TB, s *Store) *Stand {
	t.Helper()
	st, err := s.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Release)
	return st
}

// countedBefore are objects and occurrences per type as others counted them in the real extract.
var countedBefore = map[string][2]int{"NUM": {12609, 15935}, "VBO": {12424, 25899}, "PND": {12769, 22744}, "OPR": {321, 593}, "WPL": {2, 3},
	"LIG": {167, 167}, "STA": {13, 21}}

func compareCounts(t *testing.T, st *Stand) {
	t.Helper()
	for code, w := range countedBefore {
		if got := st.Counts[code]; got.Objects != w[0] || got.Occurrences != w[1] {
			t.Errorf("%s: got %d objects with %d occurrences, want %d with %d", code, got.Objects, got.Occurrences, w[0], w[1])
		}
	}
	if st.Relations != 8210 || st.StandDate() != imbag.NewDate(2021, 9, 15) {
		t.Errorf("got %d relations and a stand of %s, want 8210 and 2021-09-15", st.Relations, st.StandDate())
	}
	t.Logf("%d bytes per designation", len(st.data)/countedBefore["NUM"][0])
}

func TestEveryOccurrenceOfTheRealExtractsIsHeldAsAnIndependentReadingHasIt(t *testing.T) {
	bagtest.Heavy(t)
	for _, file := range []string{bagtest.Weesp, "nlextract/BAGNLDL-15092020-small.zip"} {
		path := bagtest.SharedData(t, file)
		st := acquired(t, imported(t, path))
		if file == bagtest.Weesp {
			compareCounts(t, st)
		}
		want := bagtest.Extract(t, path)
		for _, typ := range imbag.Types() {
			var got []string
			err := each(st, typ, func(o *imbag.Object) error {
				got = append(got, bagtest.Line(o))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			compareLines(t, typ.Code(), got, slices.Compact(want[typ.Code()]))
		}
	}
}

// each calls yield with every occurrence of every object of a type, in the order of ids.
func each(st *Stand, t imbag.Type, yield func(*imbag.Object) error) error {
	for i := range st.objects[t].len() {
		if err := st.history(t, i, yield); err != nil {
			return err
		}
	}
	return nil
}

func compareLines(t *testing.T, code string, got, want []string) {
	t.Helper()
	if len(got) == 0 || len(got) != len(want) {
		t.Errorf("%s: got %d occurrences, want %d and not 0", code, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: got\n%s\nwant\n%s", code, got[i], want[i])
		}
	}
	t.Logf("%s: %d occurrences are the same", code, len(got))
}
