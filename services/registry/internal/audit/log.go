package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/merkle"
)

// Store writes the log inside the transaction of an act.
type Store interface {
	Source
	// Add stores an entry: record, nodes and tree.
	Add(ctx context.Context, e Entry) error
	// Through gives the last record of the run from the first one on that were all logged before a moment; 0: none is.
	Through(ctx context.Context, before time.Time) (int64, error)
	// Remove takes away the records up to one, and their salts. The nodes stay.
	Remove(ctx context.Context, through int64) (removed int64, err error)
	// AddCheckpoint keeps a signed checkpoint; there is one of a size.
	AddCheckpoint(ctx context.Context, c Checkpoint) error
}

// Source reads the log. What cannot be there unless somebody changed it gives an error that wraps ErrTampered.
type Source interface {
	merkle.Nodes
	// Tree gives what the log is now; the empty tree before the first record.
	Tree(ctx context.Context) (merkle.Frontier, error)
	// Range gives what is stored of the records from one up to, not including, another, in order. What was removed is left out.
	Range(ctx context.Context, from, to int64) ([]Stored, error)
	// StoredNodes gives the nodes at the positions from one up to, not including, another, in order. What is not there is left out.
	StoredNodes(ctx context.Context, from, to int64) ([]Node, error)
	// Ends gives the highest record and the highest node that are stored; 0 and -1 where there is none.
	Ends(ctx context.Context) (record, node int64, err error)
	// Checkpoints gives those of a log of more than after records, smallest first, at most limit.
	Checkpoints(ctx context.Context, after int64, limit int) ([]Checkpoint, error)
	// Newest gives the checkpoint of the largest log; the zero Checkpoint when there is none.
	Newest(ctx context.Context) (Checkpoint, error)
	// Acts gives the records of an act, in order.
	Acts(ctx context.Context, act Act) ([]Stored, error)
	// List gives what a filter selects, newest first, at most Limit.
	List(ctx context.Context, f Filter) ([]Stored, error)
}

// Entry is one record as it goes into the log.
type Entry struct {
	Record Record
	Index  Index
	Salt   merkle.Salt
	Body   []byte          // JSON
	Nodes  []merkle.Hash   // to be stored from merkle.Position(Sequence-1) on
	Tree   merkle.Frontier // the log with the record
}

// Stored is one record as it lies in the store.
type Stored struct {
	Sequence int64
	Salt     []byte
	Body     []byte
	Index    Index
	Readers  []string // OINs, in order
}

// Node is a stored node.
type Node struct {
	Position int64
	Hash     []byte
}

// Checkpoint is a signed checkpoint as it is kept.
type Checkpoint struct {
	Size int64
	Note string // C2SP signed note
}

// Options are what New needs; all are required.
type Options struct {
	Signer *merkle.Signer // signs checkpoints
	Keys   merkle.Keys    // of the signer, and those before it
	Now    func() time.Time
}

// Log is the audit log of one registry. It holds no state: what the log is stands in its store, and is changed there
// together with what the acts change.
type Log struct{ o Options }

// New checks the options.
func New(o Options) (*Log, error) {
	if o.Signer == nil || o.Now == nil {
		return nil, errors.New("audit: signer and clock are required")
	}
	return &Log{o: o}, nil
}

// Append logs records, in order, and gives them as they were logged. An error means that the act must not happen either:
// the caller rolls its transaction back.
func (l *Log) Append(ctx context.Context, s Store, records ...Record) ([]Record, error) {
	tree, err := s.Tree(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	logged := make([]Record, 0, len(records))
	for _, r := range records {
		if err := r.prepare(tree.Size()+1, l.o.Now()); err != nil {
			return nil, err
		}
		body, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("audit record: %w", err)
		}
		e := Entry{Record: r, Index: r.index(), Salt: merkle.NewSalt(), Body: body}
		tree, e.Nodes = tree.Append(merkle.Leaf(e.Salt, body))
		e.Tree = tree
		if err := s.Add(ctx, e); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		logged = append(logged, r)
	}
	return logged, nil
}

// ErrTampered says that what is stored is not what was signed: an incident (BIO2 8.15.05).
var ErrTampered = errors.New("the audit log is not the one that was signed before")

// Checkpoint signs what the log is now, unless the newest checkpoint says so already, and gives the newest. It refuses with
// ErrTampered to sign a log that is not a continuation of the newest checkpoint. Signing with every act leaves no record
// that the database alone could change; signing at times leaves those since the last time.
func (l *Log) Checkpoint(ctx context.Context, s Store) (Checkpoint, error) {
	tree, err := s.Tree(ctx)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit log: %w", err)
	}
	newest, err := l.continues(ctx, s, tree)
	if err != nil || newest.Size == tree.Size() {
		return newest, err
	}
	c := Checkpoint{Size: tree.Size()}
	if c.Note, err = l.o.Signer.Sign(tree); err != nil {
		return Checkpoint{}, err
	}
	if err := s.AddCheckpoint(ctx, c); err != nil {
		return Checkpoint{}, fmt.Errorf("audit checkpoint: %w", err)
	}
	return c, nil
}

// continues gives the newest checkpoint after proving that the tree still begins with it.
func (l *Log) continues(ctx context.Context, s Source, tree merkle.Frontier) (Checkpoint, error) {
	newest, err := s.Newest(ctx)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit checkpoint: %w", err)
	}
	if newest.Size == 0 {
		return newest, nil
	}
	signed, err := l.o.Keys.Open(newest.Note)
	if err != nil || signed.Size != newest.Size {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint of %d records", ErrTampered, newest.Size)
	}
	if tree.Size() < signed.Size {
		return Checkpoint{}, fmt.Errorf("%w: %d records are left of %d", ErrTampered, tree.Size(), signed.Size)
	}
	proof, err := merkle.ProveConsistency(ctx, s, signed.Size, tree.Size())
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit log: %w", err)
	}
	if err := merkle.CheckConsistency(proof, signed.Size, signed.Root, tree.Size(), tree.Root()); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: the first %d records", ErrTampered, signed.Size)
	}
	return newest, nil
}

// purged is the detail of an AuditPurge: all records up to Through are gone.
type purged struct {
	Through int64 `json:"through"`
}

// Purge removes the records from the first on that were logged before a moment, with their salts, after it logged that it
// does and signed the log. It gives how many there were; 0 logs nothing.
func (l *Log) Purge(ctx context.Context, s Store, before time.Time, by Actor, reason string) (int64, error) {
	through, err := s.Through(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("audit purge: %w", err)
	}
	removed, err := s.Remove(ctx, through)
	if err != nil || removed == 0 {
		return 0, err
	}
	detail, err := json.Marshal(purged{Through: through})
	if err != nil {
		return 0, err
	}
	_, err = l.Append(ctx, s, Record{
		Actor: by, Act: AuditPurge, Subject: Subject{Kind: "audit", ID: fmt.Sprint(through)}, Outcome: Succeeded, Reason: reason, Detail: detail,
	})
	if err != nil {
		return 0, err
	}
	_, err = l.Checkpoint(ctx, s)
	return removed, err
}
