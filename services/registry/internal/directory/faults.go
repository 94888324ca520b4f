package directory

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with one entity.
type Fault struct {
	Key    Key
	Field  string // path in the entity, e.g. "keys[0]"; empty: the entity as a whole
	Reason string
}

// String gives the fault on one line.
func (f Fault) String() string {
	parts := []string{string(f.Key.Kind) + " " + f.Key.ID}
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	return strings.Join(append(parts, f.Reason), ": ")
}

// Faults is the error of a change that is refused: everything that is wrong with it, at once.
type Faults []Fault

// Error lists all faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// faults collects; scoped copies share one list.
type faults struct {
	list  *Faults
	key   Key
	field string
}

func (f faults) of(k Key) faults { return faults{list: f.list, key: k} }

// at goes one step down in the entity.
func (f faults) at(format string, args ...any) faults {
	field := fmt.Sprintf(format, args...)
	if f.field != "" {
		field = f.field + "." + field
	}
	f.field = field
	return f
}

func (f faults) add(format string, args ...any) {
	*f.list = append(*f.list, Fault{Key: f.key, Field: f.field, Reason: fmt.Sprintf(format, args...)})
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
