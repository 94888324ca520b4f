package region

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a region.
type Fault struct {
	File   string // as named in the region file
	Place  string // e.g. "clients[3] assen-vergunningen: keys[0]"
	Reason string
}

// String gives the fault on one line.
func (f Fault) String() string {
	if f.Place == "" {
		return f.File + ": " + f.Reason
	}
	return f.File + ": " + f.Place + ": " + f.Reason
}

// Faults is the error of a region that is refused.
type Faults []Fault

// Error lists all faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return fmt.Sprintf("the region has %d faults:\n%s", len(f), strings.Join(lines, "\n"))
}

// faults collects; scoped copies share one list.
type faults struct {
	list  *[]Fault
	file  string
	place string
}

func (f faults) at(format string, args ...any) faults {
	place := fmt.Sprintf(format, args...)
	if f.place != "" {
		place = f.place + ": " + place
	}
	f.place = place
	return f
}

func (f faults) in(file string) faults {
	return faults{list: f.list, file: file}
}

func (f faults) add(format string, args ...any) {
	*f.list = append(*f.list, Fault{File: f.file, Place: f.place, Reason: fmt.Sprintf(format, args...)})
}

// join adds each part of a joined error as a fault of its own.
func (f faults) join(err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			f.join(e)
		}
		return
	}
	if err != nil {
		f.add("%s", err)
	}
}

func (f faults) err() error {
	if len(*f.list) == 0 {
		return nil
	}
	sorted := slices.Clone(*f.list)
	slices.SortStableFunc(sorted, func(a, b Fault) int { return cmp.Compare(a.File, b.File) })
	return Faults(sorted)
}
