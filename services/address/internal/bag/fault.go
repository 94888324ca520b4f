// Package bag reads official BAG 2.0 extracts: three levels of zip, streamed without unpacking to disk, and the XML in
// them by a byte scanner. It takes every object type with its history and refuses what is not exactly such a delivery;
// every refusal names the outer file, the inner files and the position.
//
// It reads the two layouts of a full stand: BAGNLDL (national) and BAGGEMxxxxL (a municipality). The schema is
// BagvsExtractDeelbestandExtractLvc-2.1.0 (v20200601).
package bag

import (
	"fmt"
	"strings"
)

// Fault is why an extract was refused, and where.
type Fault struct {
	File   string   // the file on disk, base name
	Inner  []string // names of the entries, from outside in
	Offset int64    // byte position in the innermost file; -1: not known
	Reason string
	cause  error
}

// Error gives file, inner files, position and reason.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(strings.Join(append([]string{f.File}, f.Inner...), " > "))
	if f.Offset >= 0 {
		fmt.Fprintf(&b, ", byte %d", f.Offset)
	}
	b.WriteString(": ")
	b.WriteString(f.Reason)
	if f.cause != nil {
		b.WriteString(": ")
		b.WriteString(f.cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.cause }

// location is a place in an extract.
type location struct {
	file  string
	inner []string
}

func (l location) in(name string) location {
	return location{l.file, append(append([]string(nil), l.inner...), briefly(name))}
}

// maxName is how many bytes of the name of an entry a fault repeats. A zip can have names of 64 kB, an extract has none
// above 40 bytes.
const maxName = 100

func briefly(name string) string {
	if len(name) > maxName {
		return strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	return name
}

func (l location) fault(offset int64, format string, args ...any) error {
	return &Fault{File: l.file, Inner: l.inner, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

func (l location) wrap(cause error, reason string) error {
	return &Fault{File: l.file, Inner: l.inner, Offset: -1, Reason: reason, cause: cause}
}
