package auditsql

import (
	"context"
	"fmt"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// List implements audit.Source.
func (s source) List(ctx context.Context, f audit.Filter) ([]audit.Stored, error) {
	var w where
	w.text("r.act", string(f.Act))
	w.text("r.outcome", string(f.Outcome))
	w.text("r.person", f.Person)
	w.text("r.client", f.Client)
	w.text("r.organisation", f.Organisation.String())
	w.text("r.subject_kind", f.Subject.Kind)
	w.text("r.subject_id", f.Subject.ID)
	w.moment("r.at >= $%d", f.From)
	w.moment("r.at < $%d", f.Till)
	if f.Before > 0 {
		w.add("r.sequence < $%d", f.Before)
	}
	if f.Reader != "" {
		w.add("EXISTS (SELECT 1 FROM audit_reader a WHERE a.organisation = $%d AND a.sequence = r.sequence)", f.Reader.String())
	}
	w.args = append(w.args, f.Limit)
	return s.records(ctx, w.String()+fmt.Sprintf(" ORDER BY r.sequence DESC LIMIT $%d", len(w.args)), w.args...)
}

// where collects conditions with one argument each.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, arg any) {
	w.args = append(w.args, arg)
	w.conditions = append(w.conditions, fmt.Sprintf(condition, len(w.args)))
}

func (w *where) text(column, value string) {
	if value != "" {
		w.add(column+" = $%d", value)
	}
}

func (w *where) moment(condition string, at time.Time) {
	if !at.IsZero() {
		w.add(condition, sqldb.At(at))
	}
}

// String gives the WHERE clause; empty when there is no condition.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}
