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

// call is a gateway's server span.
func call(id, parent string, start int64) Span {
	return Span{ID: id, ParentID: parent, Part: "gateway", Kind: "server", Start: start}
}

// all is the choice of one who asks for all its calls.
func all(ids ...string) Calls { return Calls{set(ids...), set(ids...)} }

func TestRows(t *testing.T) {
	tree := []Span{
		{ID: "db", ParentID: "svc", Start: 5},
		call("gw", "client", 1), // the client's own span is not with us
		{ID: "svc", ParentID: "up", Start: 4},
		{ID: "up", ParentID: "gw", Start: 3},
		{ID: "auth", ParentID: "gw", Start: 2},
		call("gw2", "svc", 6),
		{ID: "svc2", ParentID: "gw2", Start: 7},
		call("other", "client", 2),
	}
	tests := []struct {
		name  string
		spans []Span
		calls Calls
		want  string
	}{
		{"a call below it that the asker is not known to take part in", tree, all("gw"), "gw@0 auth@1 up@1 svc@2 db@3"},
		{"an own call below it with another id", tree, Calls{set("gw"), set("gw", "gw2", "other")}, "gw@0 auth@1 up@1 svc@2 db@3 gw2@3 svc2@4"},
		{"a nested call is drawn once", tree, all("gw", "gw2"), "gw@0 auth@1 up@1 svc@2 db@3 gw2@3 svc2@4"},
		{"two calls side by side", tree, all("gw", "other"), "gw@0 auth@1 up@1 svc@2 db@3 other@0"},
		{"an own call under a foreign one stands at the top", tree, all("gw2"), "gw2@0 svc2@1"},
		{"asked but not visible", tree, Calls{Asked: set("gw")}, ""},
		{"visible but not asked", tree, Calls{Visible: set("gw")}, ""},
		{"no call, no spans", tree, Calls{}, ""},
		{"a call whose spans are lost", nil, all("gw"), ""},
		{"a circle of parents ends", []Span{{ID: "a", ParentID: "b"}, {ID: "b", ParentID: "a"}}, all("a"), "a@0 b@1"},
		{"a span that is its own parent", []Span{{ID: "a", ParentID: "a"}}, all("a"), "a@0"},
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

// Whatever parents a client invents, no row is drawn twice, no call of others is drawn, and each row hangs under its parent.
func TestAnyShapeOfTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-h]`)
		ids := rapid.SliceOfNDistinct(id, 0, 8, rapid.ID).Draw(t, "ids")
		spans := make([]Span, len(ids))
		for i, s := range ids {
			spans[i] = call(s, id.Draw(t, "parent"), rapid.Int64Range(0, 3).Draw(t, "start"))
			if rapid.Bool().Draw(t, "inside a service") {
				spans[i].Part = "address"
			}
		}
		asked := set(rapid.SliceOfN(id, 0, 3).Draw(t, "asked")...)
		visible := set(rapid.SliceOfN(id, 0, 3).Draw(t, "visible")...)
		seen := map[string]bool{}
		var path []string
		for _, r := range Rows(spans, Calls{asked, visible}) {
			if seen[r.ID] || (r.Part == "gateway" && !visible[r.ID]) {
				t.Fatalf("%s is drawn twice or a call of others", r.ID)
			}
			seen[r.ID] = true
			if r.Depth > len(path) || (r.Depth > 0 && path[r.Depth-1] != r.ParentID) || (r.Depth == 0 && !asked[r.ID]) {
				t.Fatalf("%s at depth %d does not hang under its parent", r.ID, r.Depth)
			}
			path = append(path[:r.Depth], r.ID)
		}
	})
}
