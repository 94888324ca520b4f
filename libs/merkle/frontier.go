package merkle

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Frontier is what of a tree is needed to append to it: the roots of its largest full subtrees, at most 63 of them. It is
// a value: appending gives another one. The zero Frontier is the empty tree.
type Frontier struct {
	size  int64
	peaks []Hash // of subtrees of falling size, one for every bit of size
}

// Size is the number of leaves.
func (f Frontier) Size() int64 { return f.size }

// Append gives the tree with one leaf more, and the nodes that are complete with it, to be stored at the positions from
// Position(f.Size()) on: the leaf, then the roots of the subtrees that it fills.
func (f Frontier) Append(leaf Hash) (Frontier, []Hash) {
	nodes, peaks := []Hash{leaf}, f.peaks
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(peaks) - 1
		leaf = tlog.NodeHash(peaks[last], leaf)
		nodes, peaks = append(nodes, leaf), peaks[:last]
	}
	// Clipped, so that the frontiers before and after never share what they append to.
	return Frontier{size: f.size + 1, peaks: append(slices.Clip(peaks), leaf)}, nodes
}

// Root is the root of the tree (RFC 6962 §2.1); of the empty tree SHA-256 of nothing.
func (f Frontier) Root() Hash {
	if f.size == 0 {
		return emptyRoot()
	}
	root := f.peaks[len(f.peaks)-1]
	for _, peak := range slices.Backward(f.peaks[:len(f.peaks)-1]) {
		root = tlog.NodeHash(peak, root)
	}
	return root
}

func emptyRoot() Hash {
	root, _ := tlog.TreeHash(0, nil) // reads nothing
	return root
}

const sizeLength = 8

// MarshalBinary gives the form to store: the size in eight bytes, then the hashes.
func (f Frontier) MarshalBinary() ([]byte, error) {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, sizeLength+len(f.peaks)*HashSize), uint64(f.size))
	for _, peak := range f.peaks {
		out = append(out, peak[:]...)
	}
	return out, nil
}

var errFrontier = errors.New("not a stored frontier")

// UnmarshalBinary reads what MarshalBinary made.
func (f *Frontier) UnmarshalBinary(data []byte) error {
	if len(data) < sizeLength {
		return errFrontier
	}
	size := binary.BigEndian.Uint64(data)
	hashes := data[sizeLength:]
	if size > maxSize || len(hashes) != bits.OnesCount64(size)*HashSize {
		return errFrontier
	}
	f.size, f.peaks = int64(size), nil
	for peak := range slices.Chunk(hashes, HashSize) {
		f.peaks = append(f.peaks, Hash(peak))
	}
	return nil
}
