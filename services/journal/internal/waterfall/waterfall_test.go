package waterfall

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn renders rows as "id@depth".
func drawn(rows []Row) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		parts[i] = fmt.Sprintf("%s@%d", r.ID, r.Depth)
	}
	return strings.Join(parts, " ")
}

func set(ids ...string) map[string]bool {
	m := map[string]bool{}
	for _, id := range ids {
		m[id] = true
	}
	return m
}

func TestRows(t *testing.T) {
	tree := []Span{
		{ID: "db", ParentID: "svc", Start: 5},
		{ID: "gw", ParentID: "client", Start: 1}, // the client's own span is not with us
		{ID: "svc", ParentID: "up", Start: 4},
		{ID: "up", ParentID: "gw", Start: 3},
		{ID: "auth", ParentID: "gw", Start: 2},
		{ID: "gw2", ParentID: "svc", Start: 6},
		{ID: "svc2", ParentID: "gw2", Start: 7},
		{ID: "other", ParentID: "client", Start: 2},
	}
	tests := []struct {
		name  string
		spans []Span
		calls Calls
		want  string
	}{
		{"one call with all below it", tree, Calls{Visible: set("gw")}, "gw@0 auth@1 up@1 svc@2 db@3 gw2@3 svc2@4"},
		{"a call of another organisation below it stays hidden", tree, Calls{set("gw"), set("gw2")}, "gw@0 auth@1 up@1 svc@2 db@3"},
		{"a nested call is drawn once", tree, Calls{Visible: set("gw", "gw2")}, "gw@0 auth@1 up@1 svc@2 db@3 gw2@3 svc2@4"},
		{"two calls side by side", tree, Calls{set("gw", "other"), set("gw2")}, "gw@0 auth@1 up@1 svc@2 db@3 other@0"},
		{"a visible call under a hidden one stands at the top", tree, Calls{set("gw2"), set("gw")}, "gw2@0 svc2@1"},
		{"no call, no spans", tree, Calls{}, ""},
		{"a call whose spans are lost", nil, Calls{Visible: set("gw")}, ""},
		{"a circle of parents ends", []Span{{ID: "a", ParentID: "b"}, {ID: "b", ParentID: "a"}}, Calls{Visible: set("a")}, "a@0 b@1"},
		{"a span that is its own parent", []Span{{ID: "a", ParentID: "a"}}, Calls{Visible: set("a")}, "a@0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, drawn(Rows(tt.spans, tt.calls))); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
	if got, want := drawn(All(tree)), "gw@0 auth@1 up@1 svc@2 db@3 gw2@3 svc2@4 other@0"; got != want {
		t.Errorf("All: got %s, want %s", got, want)
	}
}

// Whatever parents a client invents, no row is drawn twice, none is hidden, and each row hangs under its parent.
func TestAnyShapeOfTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-h]`)
		ids := rapid.SliceOfNDistinct(id, 0, 8, rapid.ID).Draw(t, "ids")
		spans := make([]Span, len(ids))
		for i, s := range ids {
			spans[i] = Span{ID: s, ParentID: id.Draw(t, "parent"), Start: rapid.Int64Range(0, 3).Draw(t, "start")}
		}
		hidden := set(rapid.SliceOfN(id, 0, 3).Draw(t, "hidden")...)
		visible := map[string]bool{}
		for _, v := range rapid.SliceOfN(id, 0, 3).Draw(t, "visible") {
			visible[v] = !hidden[v]
		}
		seen := map[string]bool{}
		var path []string
		for _, r := range Rows(spans, Calls{visible, hidden}) {
			if seen[r.ID] || hidden[r.ID] {
				t.Fatalf("%s is drawn twice or hidden", r.ID)
			}
			seen[r.ID] = true
			if r.Depth > len(path) || (r.Depth > 0 && path[r.Depth-1] != r.ParentID) || (r.Depth == 0 && !visible[r.ID]) {
				t.Fatalf("%s at depth %d does not hang under its parent", r.ID, r.Depth)
			}
			path = append(path[:r.Depth], r.ID)
		}
	})
}
