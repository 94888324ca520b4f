package merkle

import (
	"errors"
	"fmt"
)

// Range is a run of leaves, counted from 0: From and those up to, not including, To.
type Range struct{ From, To int64 }

// String counts from 1, as people do with records: "3-7".
func (r Range) String() string {
	if r.To == r.From+1 {
		return fmt.Sprint(r.To)
	}
	return fmt.Sprintf("%d-%d", r.From+1, r.To)
}

// ErrRecord says that a record is not the one its leaf was made of.
var ErrRecord = errors.New("the record is not the one that was logged")

// Replay builds a tree anew from its stored leaves and the records that are still there. It starts as the empty tree.
type Replay struct {
	tree    Frontier
	removed []Range
}

// Tree is what was built so far.
func (r *Replay) Tree() Frontier { return r.tree }

// Removed are the runs of leaves whose records are gone, in order.
func (r *Replay) Removed() []Range { return r.removed }

// Record takes the next leaf with its record, and gives its nodes as Frontier.Append does. It takes the leaf as it is
// stored, whatever the record: then every leaf after it is still looked at for itself. The error is ErrRecord.
func (r *Replay) Record(leaf Hash, salt Salt, record []byte) ([]Hash, error) {
	var err error
	if Leaf(salt, record) != leaf {
		err = ErrRecord
	}
	return r.append(leaf), err
}

// Gone takes the next leaf, whose record was removed, and gives its nodes.
func (r *Replay) Gone(leaf Hash) []Hash {
	place := r.tree.Size()
	if last := len(r.removed) - 1; last >= 0 && r.removed[last].To == place {
		r.removed[last].To++
	} else {
		r.removed = append(r.removed, Range{From: place, To: place + 1})
	}
	return r.append(leaf)
}

func (r *Replay) append(leaf Hash) (nodes []Hash) {
	r.tree, nodes = r.tree.Append(leaf)
	return nodes
}
