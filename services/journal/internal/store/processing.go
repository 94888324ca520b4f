package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/journal/internal/processing"
)

var codeRewrite = &errs.Code{
	ID: "log-append-only", Kind: errs.Conflict, Side: errs.SideClient, Title: "The processing log is append-only",
	Next: "Give every action a span id of its own; a record that was stored cannot be changed.",
}

// AddProcessing keeps records, all or none, and returns after they are durable. The subjects must be pseudonyms by now.
// A record that is held already in the same words is taken as stored; one with the same ids and other words is refused.
func (s *Store) AddProcessing(ctx context.Context, records []processing.Record, received time.Time) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, r := range records {
			if err := addProcessing(ctx, tx, r, received); err != nil {
				return err
			}
		}
		return nil
	})
	if sqldb.IsUnique(err) {
		return codeRewrite.Wrap(err, "the same record is being stored by another request")
	}
	return err
}

func addProcessing(ctx context.Context, tx *sql.Tx, r processing.Record, received time.Time) error {
	text, err := json.Marshal(r) // maps come out sorted: equal records have equal text
	if err != nil {
		return fmt.Errorf("processing record: %w", err)
	}
	var held string
	err = tx.QueryRowContext(ctx, `SELECT record FROM processing WHERE controller = $1 AND trace_id = $2 AND span_id = $3`,
		r.Controller, r.TraceID, r.SpanID).Scan(&held)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO processing (controller, trace_id, span_id, received, record)
			VALUES ($1, $2, $3, $4, $5)`, r.Controller, r.TraceID, r.SpanID, sqldb.At(received), string(text))
		return err
	case err != nil:
		return err
	case held != string(text):
		return codeRewrite.New("there is another record with trace_id %s and span_id %s", r.TraceID, r.SpanID)
	}
	return nil
}

// Processing gives at most limit records of one trace from the logbook of one controller, by span id.
func (s *Store) Processing(ctx context.Context, controller, traceID string, limit int) ([]processing.Record, error) {
	texts, err := sqldb.Collect(ctx, s.db.Reader(), func(t *string) []any { return []any{t} }, `
		SELECT record FROM processing WHERE controller = $1 AND trace_id = $2 ORDER BY span_id LIMIT $3`,
		controller, traceID, limit)
	if err != nil {
		return nil, fmt.Errorf("processing records: %w", err)
	}
	records := make([]processing.Record, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &records[i]); err != nil {
			return nil, fmt.Errorf("processing record held: %w", err)
		}
	}
	return records, nil
}
