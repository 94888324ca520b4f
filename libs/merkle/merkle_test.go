package merkle_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"noorderhub.nl/hub/libs/merkle"
)

// memory keeps nodes by position, as a table does.
type memory []merkle.Hash

func (m memory) Nodes(_ context.Context, positions []int64) ([]merkle.Hash, error) {
	hashes := make([]merkle.Hash, len(positions))
	for i, p := range positions {
		if p < 0 || p >= int64(len(m)) {
			return nil, fmt.Errorf("there is no node %d", p)
		}
		hashes[i] = m[p]
	}
	return hashes, nil
}

// grow gives the frontiers of all sizes from 0, and the stored nodes.
func grow(t testing.TB, leaves []merkle.Hash) ([]merkle.Frontier, memory) {
	t.Helper()
	frontiers, nodes := []merkle.Frontier{{}}, memory{}
	for i, leaf := range leaves {
		if got, want := merkle.Position(int64(i)), int64(len(nodes)); got != want {
			t.Fatalf("the nodes of leaf %d begin at %d, want %d", i, got, want)
		}
		next, fresh := frontiers[i].Append(leaf)
		frontiers, nodes = append(frontiers, next), append(nodes, fresh...)
	}
	return frontiers, nodes
}

// The test tree of Certificate Transparency (RFC 6962): its inputs, its roots by size, and proofs in it.
var (
	rfcInputs = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	rfcRoots  = []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	rfcInclusion = []struct {
		leaf, size int64
		proof      []string
	}{
		{0, 1, nil},
		{0, 8, []string{
			"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
		}},
		{5, 8, []string{
			"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
			"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		}},
		{2, 3, []string{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
	}
	rfcConsistency = []struct {
		old, size int64
		proof     []string
	}{
		{1, 1, nil},
		{1, 8, []string{
			"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
		}},
		{6, 8, []string{
			"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
			"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		}},
		{2, 5, []string{
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		}},
	}
)

func rfcLeaves(t *testing.T) []merkle.Hash {
	t.Helper()
	leaves := make([]merkle.Hash, len(rfcInputs))
	for i, text := range rfcInputs {
		input, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		leaves[i] = tlog.RecordHash(input)
	}
	return leaves
}

func hexes(proof merkle.Proof) []string {
	var out []string
	for _, h := range proof {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func TestTheTreeIsThatOfRFC6962(t *testing.T) {
	leaves := rfcLeaves(t)
	frontiers, nodes := grow(t, leaves)
	for size, want := range rfcRoots {
		root := frontiers[size].Root()
		if got := hex.EncodeToString(root[:]); got != want {
			t.Errorf("root of %d leaves: got %s, want %s", size, got, want)
		}
		if got, err := merkle.RootAt(t.Context(), nodes, int64(size)); err != nil || got != root {
			t.Errorf("root at %d: got %v, %v, want %v", size, got, err, root)
		}
	}
	for _, tc := range rfcInclusion {
		proof, err := merkle.ProveInclusion(t.Context(), nodes, tc.leaf, tc.size)
		if got := hexes(proof); err != nil || !slices.Equal(got, tc.proof) {
			t.Errorf("leaf %d of %d: got %v, %v, want %v", tc.leaf, tc.size, got, err, tc.proof)
		}
		if err := merkle.CheckInclusion(proof, leaves[tc.leaf], tc.leaf, tc.size, frontiers[tc.size].Root()); err != nil {
			t.Errorf("leaf %d of %d: %v", tc.leaf, tc.size, err)
		}
	}
	for _, tc := range rfcConsistency {
		proof, err := merkle.ProveConsistency(t.Context(), nodes, tc.old, tc.size)
		if got := hexes(proof); err != nil || !slices.Equal(got, tc.proof) {
			t.Errorf("%d to %d: got %v, %v, want %v", tc.old, tc.size, got, err, tc.proof)
		}
		if err := merkle.CheckConsistency(proof, tc.old, frontiers[tc.old].Root(), tc.size, frontiers[tc.size].Root()); err != nil {
			t.Errorf("%d to %d: %v", tc.old, tc.size, err)
		}
	}
}

func TestALeafIsOfItsSaltAndRecordOnly(t *testing.T) {
	salt := merkle.Salt{1}
	inner := sha256.Sum256(append(salt[:], "record"...))
	want := sha256.Sum256(append([]byte{0}, inner[:]...))
	if got := merkle.Leaf(salt, []byte("record")); got != want {
		t.Errorf("got %v, want %v", got, merkle.Hash(want))
	}
	if one, other := merkle.NewSalt(), merkle.NewSalt(); merkle.Leaf(one, []byte("record")) == merkle.Leaf(other, []byte("record")) {
		t.Error("two records that say the same have the same leaf")
	}
}

// mth is the definition of RFC 6962 §2.1, word for word.
func mth(leaves []merkle.Hash) merkle.Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		left, right := mth(leaves[:k]), mth(leaves[k:])
		return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
	}
}

func drawLeaves(t *rapid.T) []merkle.Hash {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) merkle.Hash {
		return sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "leaf"))
	}), 1, 70).Draw(t, "leaves")
}

func TestEveryRootAndProofHoldsForAnyTree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leaves := drawLeaves(rt)
		frontiers, nodes := grow(t, leaves)
		size := rapid.Int64Range(1, int64(len(leaves))).Draw(rt, "size")
		root := frontiers[size].Root()
		if want := mth(leaves[:size]); root != want {
			rt.Fatalf("root of %d leaves: got %v, want %v", size, root, want)
		}
		leaf := rapid.Int64Range(0, size-1).Draw(rt, "leaf")
		inclusion, err := merkle.ProveInclusion(context.Background(), nodes, leaf, size)
		if err == nil {
			err = merkle.CheckInclusion(inclusion, leaves[leaf], leaf, size, root)
		}
		if err != nil {
			rt.Fatalf("leaf %d of %d: %v", leaf, size, err)
		}
		old := rapid.Int64Range(0, size).Draw(rt, "old")
		consistency, err := merkle.ProveConsistency(context.Background(), nodes, old, size)
		if err == nil {
			err = merkle.CheckConsistency(consistency, old, frontiers[old].Root(), size, root)
		}
		if err != nil {
			rt.Fatalf("%d to %d: %v", old, size, err)
		}
	})
}

func TestNoOtherLeafRootOrProofPasses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leaves := drawLeaves(rt)
		frontiers, nodes := grow(t, leaves)
		size := int64(len(leaves))
		leaf := rapid.Int64Range(0, size-1).Draw(rt, "leaf")
		old := rapid.Int64Range(1, size).Draw(rt, "old")
		root, oldRoot, hash := frontiers[size].Root(), frontiers[old].Root(), leaves[leaf]
		inclusion, errI := merkle.ProveInclusion(context.Background(), nodes, leaf, size)
		consistency, errC := merkle.ProveConsistency(context.Background(), nodes, old, size)
		if err := errors.Join(errI, errC); err != nil {
			rt.Fatal(err)
		}
		flip := func(h *merkle.Hash) {
			h[rapid.IntRange(0, merkle.HashSize-1).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		which := rapid.SampledFrom([]string{"hash", "root", "oldRoot", "inclusion", "consistency"}).Draw(rt, "what is changed")
		switch {
		case which == "hash":
			flip(&hash)
		case which == "root":
			flip(&root)
		case which == "oldRoot":
			flip(&oldRoot)
		case which == "inclusion" && len(inclusion) > 0:
			flip(&inclusion[rapid.IntRange(0, len(inclusion)-1).Draw(rt, "node")])
		case which == "consistency" && len(consistency) > 0:
			flip(&consistency[rapid.IntRange(0, len(consistency)-1).Draw(rt, "node")])
		default:
			inclusion = append(inclusion, merkle.Hash{}) // a proof that is too long
		}
		errI = merkle.CheckInclusion(inclusion, hash, leaf, size, root)
		errC = merkle.CheckConsistency(consistency, old, oldRoot, size, root)
		if errI == nil && errC == nil {
			rt.Fatalf("a changed %s passes", which)
		}
		if errI != nil && !errors.Is(errI, merkle.ErrInclusion) || errC != nil && !errors.Is(errC, merkle.ErrConsistency) {
			rt.Fatalf("got %v and %v", errI, errC)
		}
	})
}

func TestAStoredFrontierGoesOnWhereItWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leaves := drawLeaves(rt)
		frontiers, _ := grow(t, leaves)
		at := rapid.IntRange(0, len(leaves)).Draw(rt, "stored at")
		stored, err := frontiers[at].MarshalBinary()
		if err != nil {
			rt.Fatal(err)
		}
		var f merkle.Frontier
		if err := f.UnmarshalBinary(stored); err != nil {
			rt.Fatal(err)
		}
		for _, leaf := range leaves[at:] {
			f, _ = f.Append(leaf)
		}
		if got, want := f.Root(), frontiers[len(leaves)].Root(); got != want || f.Size() != int64(len(leaves)) {
			rt.Fatalf("got %v of %d leaves, want %v", got, f.Size(), want)
		}
	})
}

func TestAppendingLeavesTheFrontierBeforeAsItWas(t *testing.T) {
	frontiers, _ := grow(t, rfcLeaves(t)[:5])
	before := frontiers[5]
	one, _ := before.Append(merkle.Hash{1})
	two, _ := before.Append(merkle.Hash{2})
	again, _ := before.Append(merkle.Hash{1})
	if one.Root() != again.Root() || one.Root() == two.Root() {
		t.Error("two continuations of one frontier share what they append to")
	}
}

func TestWhatIsNoFrontierIsRefused(t *testing.T) {
	good, err := func() ([]byte, error) { f, _ := merkle.Frontier{}.Append(merkle.Hash{}); return f.MarshalBinary() }()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing": {}, "a size without hashes": good[:8], "a hash cut short": good[:39], "a hash too many": append(slices.Clone(good), make([]byte, 32)...),
		"a size beyond numbers": append([]byte{0x80}, make([]byte, 39)...),
	} {
		var f merkle.Frontier
		if err := f.UnmarshalBinary(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestProofsOfWhatIsNotThereAreRefused(t *testing.T) {
	_, nodes := grow(t, rfcLeaves(t))
	for _, tc := range []struct{ leaf, size int64 }{{-1, 8}, {8, 8}, {0, 0}, {0, 9}, {3, -1}} {
		if _, err := merkle.ProveInclusion(t.Context(), nodes, tc.leaf, tc.size); err == nil {
			t.Errorf("leaf %d of %d: proved", tc.leaf, tc.size)
		}
		if err := merkle.CheckInclusion(nil, merkle.Hash{}, tc.leaf, tc.size, merkle.Hash{}); err == nil {
			t.Errorf("leaf %d of %d: passes", tc.leaf, tc.size)
		}
	}
	for _, tc := range []struct{ old, size int64 }{{-1, 8}, {9, 8}, {4, 9}, {0, -1}} {
		if _, err := merkle.ProveConsistency(t.Context(), nodes, tc.old, tc.size); err == nil {
			t.Errorf("%d to %d: proved", tc.old, tc.size)
		}
		if err := merkle.CheckConsistency(nil, tc.old, merkle.Hash{}, tc.size, merkle.Hash{}); err == nil {
			t.Errorf("%d to %d: passes", tc.old, tc.size)
		}
	}
}

func TestSizesBeyondReasonEndTheCheck(t *testing.T) {
	if err := merkle.CheckInclusion(nil, merkle.Hash{}, 0, math.MaxInt64, merkle.Hash{}); !errors.Is(err, merkle.ErrInclusion) {
		t.Errorf("got %v", err)
	}
	if err := merkle.CheckConsistency(nil, 1, merkle.Hash{}, math.MaxInt64, merkle.Hash{}); !errors.Is(err, merkle.ErrConsistency) {
		t.Errorf("got %v", err)
	}
}

func TestAReplayNamesWhatWasRemovedAndWhatWasChanged(t *testing.T) {
	record := func(i int) []byte { return fmt.Appendf(nil, "record %d", i) }
	salts, leaves := make([]merkle.Salt, 8), make([]merkle.Hash, 8)
	for i := range leaves {
		salts[i] = merkle.NewSalt()
		leaves[i] = merkle.Leaf(salts[i], record(i))
	}
	frontiers, want := grow(t, leaves)
	var replay merkle.Replay
	var got memory
	for i, leaf := range leaves {
		var nodes []merkle.Hash
		var err error
		switch i {
		case 0, 1, 2, 5:
			nodes = replay.Gone(leaf)
		case 6:
			if nodes, err = replay.Record(leaf, salts[i], record(7)); !errors.Is(err, merkle.ErrRecord) {
				t.Errorf("a changed record: got %v, want ErrRecord", err)
			}
		default:
			if nodes, err = replay.Record(leaf, salts[i], record(i)); err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
		got = append(got, nodes...)
	}
	if got, want := fmt.Sprint(replay.Removed()), "[1-3 6]"; got != want {
		t.Errorf("removed: got %s, want %s", got, want)
	}
	if replay.Tree().Root() != frontiers[8].Root() || !slices.Equal(got, want) {
		t.Error("the tree is another one")
	}
}

func BenchmarkAppend(b *testing.B) {
	var f merkle.Frontier
	for b.Loop() {
		f, _ = f.Append(merkle.Hash{})
	}
}
