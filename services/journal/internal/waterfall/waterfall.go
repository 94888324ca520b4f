// Package waterfall puts the spans of a trace into the order in which they are drawn, and decides which of them an
// organisation may see: those below the calls it takes part in. A trace id is chosen by a client, so sharing one gives no
// right to see anything.
package waterfall

import (
	"cmp"
	"slices"
)

// Span is one finished span. Times are in microseconds since 1970.
type Span struct {
	TraceID    string
	ID         string
	ParentID   string // "" for a root
	Part       string // service.name of who made it
	Name       string
	Kind       string
	Status     string
	Start, End int64
	Attributes map[string]string
}

// Row is a span at its place in the drawing.
type Row struct {
	Span
	Depth int
}

// Calls tells the gateway's server spans of the calls in a trace apart, by span id.
type Calls struct {
	Visible map[string]bool // of calls the asker takes part in
	Hidden  map[string]bool // of calls it does not
}

// Rows gives the spans at and below the visible calls, a parent before its children, children by start. It does not go
// into a hidden call, even one that claims a visible span as its parent.
func Rows(spans []Span, calls Calls) []Row {
	children, present := family(spans)
	var roots []Span
	for _, s := range spans {
		if calls.Visible[s.ID] && !below(s, present, calls) {
			roots = append(roots, s)
		}
	}
	w := walk{children: children, hidden: calls.Hidden, seen: map[string]bool{}}
	w.rows(roots, 0)
	return w.out
}

// All gives every span of a trace; those whose parent is not there stand at the top.
func All(spans []Span) []Row {
	children, present := family(spans)
	var roots []Span
	for _, s := range spans {
		if _, ok := present[s.ParentID]; !ok {
			roots = append(roots, s)
		}
	}
	w := walk{children: children, seen: map[string]bool{}}
	w.rows(roots, 0)
	return w.out
}

func family(spans []Span) (children map[string][]Span, present map[string]Span) {
	children, present = map[string][]Span{}, make(map[string]Span, len(spans))
	for _, s := range spans {
		children[s.ParentID] = append(children[s.ParentID], s)
		present[s.ID] = s
	}
	return children, present
}

// below tells whether s will be drawn under another visible call anyway.
func below(s Span, present map[string]Span, calls Calls) bool {
	seen := map[string]bool{s.ID: true}
	for {
		parent, ok := present[s.ParentID]
		if !ok || seen[parent.ID] || calls.Hidden[parent.ID] {
			return false
		}
		if calls.Visible[parent.ID] {
			return true
		}
		seen[parent.ID] = true
		s = parent
	}
}

type walk struct {
	children map[string][]Span
	hidden   map[string]bool
	seen     map[string]bool // parents come from outside: they may form a circle
	out      []Row
}

func (w *walk) rows(spans []Span, depth int) {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID)) })
	for _, s := range spans {
		if w.seen[s.ID] || w.hidden[s.ID] {
			continue
		}
		w.seen[s.ID] = true
		w.out = append(w.out, Row{s, depth})
		w.rows(w.children[s.ID], depth+1)
	}
}
