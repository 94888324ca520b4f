package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"noorderhub.nl/hub/libs/merkle"
)

// Report says what Verify found.
type Report struct {
	Size    int64          // records ever logged
	Root    merkle.Hash    // of the tree over all of them
	Records int64          // that are still there, and are what was logged
	Removed []merkle.Range // whose time was over
	Signed  int64          // the newest checkpoint covers the first so many
	Fault   *Fault         // the first that is wrong; nil: nothing is
}

// Fault is something that is not as it was logged.
type Fault struct {
	First, Last int64 // the records it is about; 0: the log as a whole
	What        string
}

// Error implements error.
func (f *Fault) Error() string {
	if f.First == 0 {
		return f.What
	}
	return fmt.Sprintf("record %s: %s", merkle.Range{From: f.First - 1, To: f.Last}, f.What)
}

// page is how many records Verify reads at a time.
const page = 500

// Verify reads the whole log and checks it: every record against its leaf and its index, the leaves and nodes against each
// other, and the tree against every signed checkpoint that is stored, and those that are held elsewhere, which is the only
// way to see that the newest records and checkpoints were cut off. src is one consistent view. The error is of reading, or
// of what is held; what is wrong with the log stands in the report.
func (l *Log) Verify(ctx context.Context, src Source, held ...string) (Report, error) {
	v := verifier{keys: l.o.Keys, src: src, held: map[int64]merkle.Hash{}}
	for i, text := range held {
		c, err := l.o.Keys.Open(text)
		if err != nil {
			return Report{}, fmt.Errorf("checkpoint %d that was held: %w", i+1, err)
		}
		if root, twice := v.held[c.Size]; twice && root != c.Root {
			return Report{}, fmt.Errorf("two checkpoints that were held are of %d records and differ: %w", c.Size, ErrTampered)
		}
		v.held[c.Size] = c.Root
	}
	err := v.run(ctx)
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		v.report.Fault, err = fault, nil
	case errors.Is(err, ErrTampered):
		v.report.Fault, err = &Fault{What: err.Error()}, nil
	}
	v.report.Removed = v.replay.Removed()
	return v.report, err
}

type verifier struct {
	keys    merkle.Keys
	src     Source
	held    map[int64]merkle.Hash
	through int64 // an AuditPurge says that the records up to here are gone
	replay  merkle.Replay
	report  Report

	checkpoints []Checkpoint // next ones
	last        int64        // size of the last one that was read
}

func wrong(first, last int64, format string, args ...any) error {
	return &Fault{First: first, Last: last, What: fmt.Sprintf(format, args...)}
}

func (v *verifier) run(ctx context.Context) error {
	tree, err := v.src.Tree(ctx)
	if err != nil {
		return err
	}
	v.report.Size, v.report.Root = tree.Size(), tree.Root()
	if err := v.claims(ctx); err != nil {
		return err
	}
	for from := int64(1); from <= tree.Size(); from += page {
		if err := v.records(ctx, from, min(from+page, tree.Size()+1)); err != nil {
			return err
		}
	}
	if v.replay.Tree().Root() != tree.Root() {
		return wrong(1, tree.Size(), "the stored tree has another root than its leaves")
	}
	return v.ends(ctx, tree.Size())
}

// claims reads which records are said to be removed. What says so is a record like others, and checked when its turn comes.
func (v *verifier) claims(ctx context.Context) error {
	rows, err := v.src.Acts(ctx, AuditPurge)
	if err != nil {
		return err
	}
	for _, row := range rows {
		var r Record
		var said purged
		if json.Unmarshal(row.Body, &r) == nil && json.Unmarshal(r.Detail, &said) == nil && said.Through < row.Sequence {
			v.through = max(v.through, said.Through)
		}
	}
	return nil
}

func (v *verifier) records(ctx context.Context, from, to int64) error {
	rows, err := v.src.Range(ctx, from, to)
	if err != nil {
		return err
	}
	nodes, err := v.src.StoredNodes(ctx, merkle.Position(from-1), merkle.Position(to-1))
	if err != nil {
		return err
	}
	for sequence := from; sequence < to; sequence++ {
		var row *Stored
		if len(rows) > 0 && rows[0].Sequence == sequence {
			row, rows = &rows[0], rows[1:]
		}
		if nodes, err = v.record(sequence, row, nodes); err != nil {
			return err
		}
		if err := v.checkpoint(ctx, sequence); err != nil {
			return err
		}
	}
	return nil
}

// record takes the next record, nil where there is none, with its nodes off the front of those given.
func (v *verifier) record(sequence int64, row *Stored, nodes []Node) ([]Node, error) {
	position := merkle.Position(sequence - 1)
	if len(nodes) == 0 || nodes[0].Position != position || len(nodes[0].Hash) != merkle.HashSize {
		return nil, wrong(sequence, sequence, "its leaf is missing")
	}
	leaf := merkle.Hash(nodes[0].Hash)
	var complete []merkle.Hash
	switch {
	case row == nil && sequence > v.through:
		return nil, wrong(sequence, sequence, "is missing, and no purge says that it was removed")
	case row == nil:
		complete = v.replay.Gone(leaf)
	case len(row.Salt) != merkle.SaltSize:
		return nil, wrong(sequence, sequence, "its salt was changed")
	default:
		var err error
		if complete, err = v.replay.Record(leaf, merkle.Salt(row.Salt), row.Body); err != nil {
			return nil, wrong(sequence, sequence, "%s", err)
		}
		if err := row.check(); err != nil {
			return nil, wrong(sequence, sequence, "%s", err)
		}
		v.report.Records++
	}
	for i, hash := range complete {
		if len(nodes) <= i || nodes[i].Position != position+int64(i) || !bytes.Equal(nodes[i].Hash, hash[:]) {
			return nil, wrong(sequence, sequence, "the node above it is missing or was changed")
		}
	}
	return nodes[len(complete):], nil
}

// check compares what a record is found by with what it says.
func (s *Stored) check() error {
	var r Record
	if err := json.Unmarshal(s.Body, &r); err != nil {
		return errors.New("cannot be read")
	}
	readers := make([]string, len(r.Organisations))
	for i, o := range r.Organisations {
		readers[i] = o.String()
	}
	switch {
	case r.Sequence != s.Sequence:
		return fmt.Errorf("was logged as record %d", r.Sequence)
	case !r.index().equal(s.Index):
		return errors.New("is indexed as another one: a column beside it was changed")
	case !slices.Equal(readers, s.Readers):
		return errors.New("is shown to other organisations than it says")
	}
	return nil
}

// checkpoint compares the tree of so many records with what was signed when there were so many.
func (v *verifier) checkpoint(ctx context.Context, size int64) error {
	root := v.replay.Tree().Root
	if held, ok := v.held[size]; ok && held != root() {
		return wrong(v.report.Signed+1, size, "what was logged differs from the checkpoint of %d records that was held", size)
	}
	c, err := v.next(ctx)
	if err != nil || c.Size != size {
		return err
	}
	v.checkpoints = v.checkpoints[1:]
	signed, err := v.keys.Open(c.Note)
	if err != nil || signed.Size != c.Size {
		return wrong(v.report.Signed+1, size, "the checkpoint of %d records was changed, or signed with an unknown key", size)
	}
	if signed.Root != root() {
		return wrong(v.report.Signed+1, size, "what was logged differs from the checkpoint of %d records", size)
	}
	v.report.Signed = size
	return nil
}

// next gives the next stored checkpoint; the zero Checkpoint after the last.
func (v *verifier) next(ctx context.Context) (Checkpoint, error) {
	if len(v.checkpoints) == 0 && v.last >= 0 {
		read, err := v.src.Checkpoints(ctx, v.last, page)
		if err != nil {
			return Checkpoint{}, err
		}
		v.checkpoints, v.last = read, -1
		if len(read) == page {
			v.last = read[page-1].Size
		}
	}
	if len(v.checkpoints) == 0 {
		return Checkpoint{}, nil
	}
	return v.checkpoints[0], nil
}

// ends looks for what is stored or signed beyond the last record of the tree.
func (v *verifier) ends(ctx context.Context, size int64) error {
	c, err := v.next(ctx)
	if err != nil {
		return err
	}
	for held := range v.held {
		c.Size = max(c.Size, held)
	}
	if c.Size > size {
		return wrong(size+1, c.Size, "are missing: a checkpoint of %d records was signed", c.Size)
	}
	record, node, err := v.src.Ends(ctx)
	if err != nil {
		return err
	}
	if record > size || node >= merkle.Position(size) {
		return wrong(size+1, max(record, size+1), "was put behind the end of the log")
	}
	return nil
}
