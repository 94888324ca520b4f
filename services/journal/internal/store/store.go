// Package store keeps the journal in SQL: the gateways' logs as they were shipped, spans, and the processing logs. One
// text per query serves PostgreSQL and SQLite.
package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"

	"noorderhub.nl/hub/libs/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the journal's own database.
type Store struct{ db *sqldb.DB }

// New brings the schema up to date.
func New(ctx context.Context, db *sqldb.DB) (*Store, error) {
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, fmt.Errorf("journal store: %w", err)
	}
	return &Store{db: db}, nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// maxParameters of one statement. SQLite looks names such as $7 up one after the other, so the cost of a statement grows
// with the square of their number; some hundreds are cheap and still spare PostgreSQL its round trips.
const maxParameters = 600

// insert adds rows with statements of as many rows as fit. tail comes after the values, e.g. ON CONFLICT.
func insert(ctx context.Context, tx *sql.Tx, into string, columns int, rows [][]any, tail string) error {
	per := maxParameters / columns
	for len(rows) > 0 {
		n := min(per, len(rows))
		var text strings.Builder
		text.WriteString("INSERT INTO " + into + " VALUES ")
		args := make([]any, 0, n*columns)
		for i, row := range rows[:n] {
			if i > 0 {
				text.WriteByte(',')
			}
			for j := range row {
				text.WriteString(separator(j))
				fmt.Fprintf(&text, "%d", len(args)+j+1)
			}
			text.WriteByte(')')
			args = append(args, row...)
		}
		if _, err := tx.ExecContext(ctx, text.String()+" "+tail, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// separator stands before column j of a row.
func separator(j int) string {
	if j == 0 {
		return "($"
	}
	return ",$"
}
