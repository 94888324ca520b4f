// Package auditsql keeps the audit log in the registry's database. In writes inside the transaction of an act; View reads
// one consistent view.
package auditsql

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// Schema is what the log needs of the database, for its migrations and for tests.
//
//go:embed schema.sql
var Schema string

// Tx is a transaction; *sql.Tx is it.
type Tx interface {
	sqldb.Querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Store is an audit.Store in a transaction.
type Store struct {
	source
	tx Tx
}

// In gives the log as the transaction sees it.
func In(tx Tx) Store { return Store{source: source{tx}, tx: tx} }

// View lets fn read one consistent view of the log, whatever is written meanwhile.
func View(ctx context.Context, db *sqldb.DB, fn func(audit.Source) error) error {
	options := &sql.TxOptions{ReadOnly: true} // on SQLite every transaction is one view
	if db.Dialect == sqldb.PostgreSQL {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.Reader().BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(source{tx})
}

// Add implements audit.Store.
func (s Store) Add(ctx context.Context, e audit.Entry) error {
	frontier, err := e.Tree.MarshalBinary()
	if err != nil {
		return err
	}
	// First the row that all writers share: who loses a race is told so by the database, and tried again (sqldb.Tx).
	if _, err := s.tx.ExecContext(ctx, `INSERT INTO audit_tree (id, frontier) VALUES (1, $1)
		ON CONFLICT (id) DO UPDATE SET frontier = excluded.frontier`, frontier); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	i := e.Index
	_, err = s.tx.ExecContext(ctx, `INSERT INTO audit_record (sequence, salt, body, id, at, act, outcome, person, client,
		organisation, subject_kind, subject_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		e.Record.Sequence, e.Salt[:], string(e.Body), i.ID, sqldb.At(i.At), string(i.Act), string(i.Outcome), i.Person, i.Client,
		i.Organisation.String(), i.Subject.Kind, i.Subject.ID)
	if err != nil {
		return fmt.Errorf("record %d: %w", e.Record.Sequence, err)
	}
	readers := make([][2]any, len(e.Record.Organisations))
	for i, o := range e.Record.Organisations {
		readers[i] = [2]any{o.String(), e.Record.Sequence}
	}
	if err := s.pairs(ctx, `audit_reader (organisation, sequence)`, readers); err != nil {
		return fmt.Errorf("readers of record %d: %w", e.Record.Sequence, err)
	}
	first := merkle.Position(e.Record.Sequence - 1)
	nodes := make([][2]any, len(e.Nodes))
	for i, hash := range e.Nodes {
		nodes[i] = [2]any{first + int64(i), hash[:]}
	}
	if err := s.pairs(ctx, `audit_node (position, hash)`, nodes); err != nil {
		return fmt.Errorf("nodes of record %d: %w", e.Record.Sequence, err)
	}
	return nil
}

// pairs adds rows of two columns with one statement.
func (s Store) pairs(ctx context.Context, into string, rows [][2]any) error {
	if len(rows) == 0 {
		return nil
	}
	var values strings.Builder
	args := make([]any, 0, 2*len(rows))
	for i, row := range rows {
		if i > 0 {
			values.WriteByte(',')
		}
		fmt.Fprintf(&values, "($%d,$%d)", len(args)+1, len(args)+2)
		args = append(args, row[0], row[1])
	}
	_, err := s.tx.ExecContext(ctx, `INSERT INTO `+into+` VALUES `+values.String(), args...)
	return err
}

// Through implements audit.Store.
func (s Store) Through(ctx context.Context, before time.Time) (int64, error) {
	return sqldb.One(ctx, s.tx, number, `SELECT COALESCE(
		(SELECT MIN(sequence) - 1 FROM audit_record WHERE at >= $1),
		(SELECT MAX(sequence) FROM audit_record), 0)`, sqldb.At(before))
}

// Remove implements audit.Store.
func (s Store) Remove(ctx context.Context, through int64) (int64, error) {
	if _, err := s.tx.ExecContext(ctx, `DELETE FROM audit_reader WHERE sequence <= $1`, through); err != nil {
		return 0, fmt.Errorf("readers of records: %w", err)
	}
	result, err := s.tx.ExecContext(ctx, `DELETE FROM audit_record WHERE sequence <= $1`, through)
	if err != nil {
		return 0, fmt.Errorf("records: %w", err)
	}
	return result.RowsAffected()
}

// AddCheckpoint implements audit.Store.
func (s Store) AddCheckpoint(ctx context.Context, c audit.Checkpoint) error {
	_, err := s.tx.ExecContext(ctx, `INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)`, c.Size, c.Note)
	return err
}

// source is an audit.Source over whatever reads.
type source struct{ q sqldb.Querier }

func number(n *int64) []any { return []any{n} }

// Tree implements audit.Source.
func (s source) Tree(ctx context.Context) (merkle.Frontier, error) {
	var tree merkle.Frontier
	stored, err := sqldb.One(ctx, s.q, func(b *[]byte) []any { return []any{b} }, `SELECT frontier FROM audit_tree`)
	if errors.Is(err, sql.ErrNoRows) {
		return tree, nil
	}
	if err != nil {
		return tree, err
	}
	if err := tree.UnmarshalBinary(stored); err != nil {
		return tree, fmt.Errorf("%w: %w", audit.ErrTampered, err)
	}
	return tree, nil
}

// Nodes implements merkle.Nodes.
func (s source) Nodes(ctx context.Context, positions []int64) ([]merkle.Hash, error) {
	var list strings.Builder
	args := make([]any, len(positions))
	for i, p := range positions {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, "$%d", i+1)
		args[i] = p
	}
	nodes, err := sqldb.Collect(ctx, s.q, node, `SELECT position, hash FROM audit_node WHERE position IN (`+list.String()+`)`, args...)
	if err != nil {
		return nil, err
	}
	byPosition := make(map[int64][]byte, len(nodes))
	for _, n := range nodes {
		byPosition[n.Position] = n.Hash
	}
	hashes := make([]merkle.Hash, len(positions))
	for i, p := range positions {
		hash := byPosition[p]
		if len(hash) != merkle.HashSize {
			return nil, fmt.Errorf("%w: node %d is missing", audit.ErrTampered, p)
		}
		hashes[i] = merkle.Hash(hash)
	}
	return hashes, nil
}

func node(n *audit.Node) []any { return []any{&n.Position, &n.Hash} }

// StoredNodes implements audit.Source.
func (s source) StoredNodes(ctx context.Context, from, to int64) ([]audit.Node, error) {
	return sqldb.Collect(ctx, s.q, node, `SELECT position, hash FROM audit_node WHERE position >= $1 AND position < $2 ORDER BY position`, from, to)
}

// Ends implements audit.Source.
func (s source) Ends(ctx context.Context) (record, node int64, err error) {
	type ends struct{ record, node int64 }
	e, err := sqldb.One(ctx, s.q, func(e *ends) []any { return []any{&e.record, &e.node} },
		`SELECT COALESCE((SELECT MAX(sequence) FROM audit_record), 0), COALESCE((SELECT MAX(position) FROM audit_node), -1)`)
	return e.record, e.node, err
}

func checkpoint(c *audit.Checkpoint) []any { return []any{&c.Size, &c.Note} }

// Checkpoints implements audit.Source.
func (s source) Checkpoints(ctx context.Context, after int64, limit int) ([]audit.Checkpoint, error) {
	return sqldb.Collect(ctx, s.q, checkpoint, `SELECT size, note FROM audit_checkpoint WHERE size > $1 ORDER BY size LIMIT $2`, after, limit)
}

// Newest implements audit.Source.
func (s source) Newest(ctx context.Context) (audit.Checkpoint, error) {
	c, err := sqldb.One(ctx, s.q, checkpoint, `SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Checkpoint{}, nil
	}
	return c, err
}

const columns = `SELECT sequence, salt, body, id, at, act, outcome, person, client, organisation, subject_kind, subject_id FROM audit_record r `

// Range implements audit.Source.
func (s source) Range(ctx context.Context, from, to int64) ([]audit.Stored, error) {
	rows, err := s.records(ctx, `WHERE sequence >= $1 AND sequence < $2 ORDER BY sequence`, from, to)
	if err != nil {
		return nil, err
	}
	type reader struct {
		sequence     int64
		organisation string
	}
	readers, err := sqldb.Collect(ctx, s.q, func(r *reader) []any { return []any{&r.sequence, &r.organisation} },
		`SELECT sequence, organisation FROM audit_reader WHERE sequence >= $1 AND sequence < $2`, from, to)
	if err != nil {
		return nil, err
	}
	of := make(map[int64][]string, len(rows))
	for _, r := range readers {
		of[r.sequence] = append(of[r.sequence], r.organisation)
	}
	for i := range rows {
		rows[i].Readers = slices.Sorted(slices.Values(of[rows[i].Sequence]))
	}
	return rows, nil
}

// Acts implements audit.Source.
func (s source) Acts(ctx context.Context, act audit.Act) ([]audit.Stored, error) {
	return s.records(ctx, `WHERE act = $1 ORDER BY sequence`, string(act))
}

func (s source) records(ctx context.Context, rest string, args ...any) ([]audit.Stored, error) {
	type row struct {
		audit.Stored
		at sqldb.Time
	}
	rows, err := sqldb.Collect(ctx, s.q, func(r *row) []any {
		i := &r.Index
		return []any{&r.Sequence, &r.Salt, &r.Body, &i.ID, &r.at, &i.Act, &i.Outcome, &i.Person, &i.Client, &i.Organisation, &i.Subject.Kind, &i.Subject.ID}
	}, columns+rest, args...)
	out := make([]audit.Stored, len(rows))
	for i, r := range rows {
		out[i] = r.Stored
		out[i].Index.At = r.at.Time
	}
	return out, err
}
