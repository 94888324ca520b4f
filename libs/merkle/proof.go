package merkle

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Nodes gives stored nodes by their positions, in the order asked; what is missing is an error.
type Nodes interface {
	Nodes(ctx context.Context, positions []int64) ([]Hash, error)
}

// Position is where the nodes of a leaf begin: Frontier.Append gives them, and they are stored one after the other. Leaves
// are counted from 0, and no position is ever left out or used twice.
func Position(leaf int64) int64 { return tlog.StoredHashIndex(0, leaf) }

// maxSize bounds sizes that come from outside; tlog's search for powers of two does not end beyond it.
const maxSize = 1 << 62

// Proof is a list of nodes: an inclusion proof (RFC 6962 §2.1.1) or a consistency proof (§2.1.2).
type Proof []Hash

// Errors of the checks. What they wrap says more, but nothing that a caller should branch on.
var (
	ErrInclusion   = errors.New("the proof does not show that the record is in the log")
	ErrConsistency = errors.New("the proof does not show that the log only grew")
)

// RootAt gives the root that the tree had when it had size leaves.
func RootAt(ctx context.Context, nodes Nodes, size int64) (Hash, error) {
	return tlog.TreeHash(size, reader(ctx, nodes))
}

// ProveInclusion shows that a leaf (from 0) is in the tree of size leaves.
func ProveInclusion(ctx context.Context, nodes Nodes, leaf, size int64) (Proof, error) {
	proof, err := tlog.ProveRecord(size, leaf, reader(ctx, nodes))
	return Proof(proof), err
}

// CheckInclusion tells whether a leaf with this place is in the tree with this size and root.
func CheckInclusion(proof Proof, leaf Hash, place, size int64, root Hash) error {
	if size > maxSize {
		return ErrInclusion
	}
	if err := tlog.CheckRecord(tlog.RecordProof(proof), size, root, place, leaf); err != nil {
		return fmt.Errorf("%w: %w", ErrInclusion, err)
	}
	return nil
}

// ProveConsistency shows that the tree of old leaves is the beginning of the one of size leaves.
func ProveConsistency(ctx context.Context, nodes Nodes, old, size int64) (Proof, error) {
	if old == 0 && size >= 0 {
		return Proof{}, nil // everything begins with nothing
	}
	proof, err := tlog.ProveTree(size, old, reader(ctx, nodes))
	return Proof(proof), err
}

// CheckConsistency tells whether the tree with oldRoot is the beginning of the one with root.
func CheckConsistency(proof Proof, old int64, oldRoot Hash, size int64, root Hash) error {
	if old == 0 {
		if size < 0 || len(proof) > 0 || oldRoot != emptyRoot() {
			return ErrConsistency
		}
		return nil
	}
	if size > maxSize {
		return ErrConsistency
	}
	if err := tlog.CheckTree(tlog.TreeProof(proof), size, root, old, oldRoot); err != nil {
		return fmt.Errorf("%w: %w", ErrConsistency, err)
	}
	return nil
}

// reader gives nodes to tlog, which knows no context.
func reader(ctx context.Context, nodes Nodes) tlog.HashReader {
	return tlog.HashReaderFunc(func(positions []int64) ([]Hash, error) {
		if len(positions) == 0 {
			return nil, nil
		}
		hashes, err := nodes.Nodes(ctx, positions)
		if err == nil && len(hashes) != len(positions) {
			err = fmt.Errorf("got %d nodes, asked for %d", len(hashes), len(positions))
		}
		return hashes, err
	})
}
