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

// Calls names calls by the span id of their decision record: that of the gateway's server span.
type Calls struct {
	Asked   map[string]bool // what is below these is drawn
	Visible map[string]bool // every call in the trace that the asker takes part in, those of Asked among them
}

// closed tells whether s begins a call that the asker is not known to take part in. A decision record may come later than
// its span, so a call without one is closed too.
func (c Calls) closed(s Span) bool {
	return s.Part == "gateway" && s.Kind == "server" && !c.Visible[s.ID]
}

// Rows gives the spans at and below the calls that are asked for, a parent before its children, children by start. It does
// not go into a closed call, even one that claims a visible span as its parent.
func Rows(spans []Span, calls Calls) []Row {
	children, present := family(spans)
	var roots []Span
	for _, s := range spans {
		if calls.Asked[s.ID] && !calls.closed(s) && !below(s, present, calls) {
			roots = append(roots, s)
		}
	}
	w := walk{children: children, closed: calls.closed, seen: map[string]bool{}}
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
	w := walk{children: children, closed: func(Span) bool { return false }, seen: map[string]bool{}}
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

// below tells whether s will be drawn under another call that is asked for anyway.
func below(s Span, present map[string]Span, calls Calls) bool {
	seen := map[string]bool{s.ID: true}
	for {
		parent, ok := present[s.ParentID]
		if !ok || seen[parent.ID] || calls.closed(parent) {
			return false
		}
		if calls.Asked[parent.ID] {
			return true
		}
		seen[parent.ID] = true
		s = parent
	}
}

type walk struct {
	children map[string][]Span
	closed   func(Span) bool
	seen     map[string]bool // parents come from outside: they may form a circle
	out      []Row
}

func (w *walk) rows(spans []Span, depth int) {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID)) })
	for _, s := range spans {
		if w.seen[s.ID] || w.closed(s) {
			continue
		}
		w.seen[s.ID] = true
		w.out = append(w.out, Row{s, depth})
		w.rows(w.children[s.ID], depth+1)
	}
}
