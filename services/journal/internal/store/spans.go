package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

// AddSpans keeps spans; one that is held already is left as it is.
func (s *Store) AddSpans(ctx context.Context, spans []waterfall.Span, received time.Time) error {
	rows := make([][]any, len(spans))
	for i, sp := range spans {
		attributes, err := json.Marshal(sp.Attributes)
		if err != nil {
			return fmt.Errorf("attributes: %w", err)
		}
		rows[i] = []any{sp.TraceID, sp.ID, sp.ParentID, sp.Part, sp.Name, sp.Kind, sp.Status, sp.Start, sp.End,
			string(attributes), sqldb.At(received)}
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		const columns = `spans (trace_id, span_id, parent_id, part, name, kind, status, begun, ended, attributes, received)`
		return insert(ctx, tx, columns, 11, rows, "ON CONFLICT (trace_id, span_id) DO NOTHING")
	})
}

// spanRow is a row of the table: attributes are JSON there.
type spanRow struct {
	waterfall.Span
	attributes string
}

func (r *spanRow) fields() []any {
	return []any{&r.TraceID, &r.ID, &r.ParentID, &r.Part, &r.Name, &r.Kind, &r.Status, &r.Start, &r.End, &r.attributes}
}

// Spans gives at most limit spans of a trace, in the order of their start.
func (s *Store) Spans(ctx context.Context, traceID string, limit int) ([]waterfall.Span, error) {
	rows, err := sqldb.Collect(ctx, s.db.Reader(), (*spanRow).fields, `
		SELECT trace_id, span_id, parent_id, part, name, kind, status, begun, ended, attributes
		FROM spans WHERE trace_id = $1 ORDER BY begun, span_id LIMIT $2`, traceID, limit)
	if err != nil {
		return nil, fmt.Errorf("spans: %w", err)
	}
	spans := make([]waterfall.Span, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r.attributes), &r.Attributes); err != nil {
			return nil, fmt.Errorf("attributes of a span held: %w", err)
		}
		spans[i] = r.Span
	}
	return spans, nil
}

// PurgeSpans takes away the spans that came before a moment and gives their number.
func (s *Store) PurgeSpans(ctx context.Context, before time.Time) (int64, error) {
	result, err := s.db.ExecContext(ctx, `DELETE FROM spans WHERE received < $1`, sqldb.At(before))
	if err != nil {
		return 0, fmt.Errorf("purge spans: %w", err)
	}
	return result.RowsAffected()
}
