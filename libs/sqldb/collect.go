package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// Querier is what reads rows: *sql.DB, *sql.Tx, *sql.Conn and *DB.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Collect gives all rows of a query, nil when there is none. fields names where the columns of one row go, in their
// order:
//
//	func(o *order) []any { return []any{&o.ID, &o.At} }
func Collect[T any](ctx context.Context, q Querier, fields func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		var one T
		if err := rows.Scan(fields(&one)...); err != nil {
			return nil, fmt.Errorf("row %d: %w", len(all)+1, err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// One gives the first row of a query; sql.ErrNoRows when there is none.
func One[T any](ctx context.Context, q Querier, fields func(*T) []any, query string, args ...any) (T, error) {
	all, err := Collect(ctx, q, fields, query, args...)
	var one T
	if err != nil {
		return one, err
	}
	if len(all) == 0 {
		return one, sql.ErrNoRows
	}
	return all[0], nil
}
