package chain

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

const genesis = "genesis"

// log makes a good chain of n records.
func log(n int) []Link {
	links := make([]Link, n)
	previous := genesis
	for i := range links {
		links[i] = Link{Sequence: uint64(i + 1), Previous: previous, Hash: fmt.Sprintf("hash-%d", i+1)}
		previous = links[i].Hash
	}
	return links
}

func holding(links []Link) (Link, func(uint64) (string, error)) {
	head := Link{Hash: genesis}
	if len(links) > 0 {
		head = links[len(links)-1]
	}
	return head, func(sequence uint64) (string, error) {
		if sequence == 0 || sequence > uint64(len(links)) {
			return "", errors.New("not held")
		}
		return links[sequence-1].Hash, nil
	}
}

func TestFresh(t *testing.T) {
	good := log(6)
	changed := append([]Link(nil), good...)
	changed[1].Hash = "other"
	foreign := append([]Link(nil), good...)
	foreign[3].Previous = "other"
	tests := []struct {
		name     string
		held     int
		batch    []Link
		fresh    int
		code     string
		expected uint64
	}{
		{"the first records of a log", 0, good[:3], 3, "", 0},
		{"records that follow", 3, good[3:], 3, "", 0},
		{"the same records again", 3, good[:3], 0, "", 0},
		{"records of which some are held", 3, good[1:5], 2, "", 0},
		{"no records", 3, nil, 0, "", 0},
		{"a gap after the head", 2, good[3:], 0, "log-gap", 3},
		{"a log that does not begin at one", 0, good[1:], 0, "log-gap", 1},
		{"a gap inside the batch", 0, []Link{good[0], good[2]}, 0, "log-gap", 2},
		{"a gap among held records", 4, []Link{good[0], good[2]}, 0, "log-gap", 2},
		{"a batch that goes back", 4, []Link{good[2], good[1]}, 0, "log-gap", 4},
		{"a held record that was changed", 3, changed[:3], 0, "log-mismatch", 4},
		{"a record that follows another than the head", 3, foreign[3:], 0, "log-mismatch", 4},
		{"a first record that does not follow the genesis", 0, []Link{{Sequence: 1, Previous: "other"}}, 0, "log-mismatch", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head, held := holding(good[:tt.held])
			got, err := Fresh(head, tt.batch, held)
			if tt.code == "" {
				if err != nil || len(got) != tt.fresh {
					t.Fatalf("got %d fresh, %v, want %d", len(got), err, tt.fresh)
				}
				return
			}
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok || got != nil {
				t.Fatalf("got %d records and %v, want a refusal and none", len(got), err)
			}
			if refusal.Err.Code.ID != tt.code || refusal.Expected != tt.expected {
				t.Errorf("got %s expecting %d, want %s expecting %d", refusal.Err.Code.ID, refusal.Expected, tt.code, tt.expected)
			}
		})
	}
}

func TestAStoreThatFailsIsNotTakenForAMismatch(t *testing.T) {
	broken := errors.New("disk")
	_, err := Fresh(log(2)[1], log(2), func(uint64) (string, error) { return "", broken })
	if _, refused := errors.AsType[*Refusal](err); refused || !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the store", err)
	}
}

// However a log is cut into batches, and however often parts are sent again, each record is taken exactly once.
func TestAnyWayOfShippingTakesEachRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := log(rapid.IntRange(1, 30).Draw(t, "length"))
		var kept []Link
		for len(kept) < len(all) {
			from := rapid.IntRange(0, len(kept)).Draw(t, "from")
			to := rapid.IntRange(from, len(all)).Draw(t, "to")
			head, held := holding(kept)
			fresh, err := Fresh(head, all[from:to], held)
			if err != nil {
				t.Fatalf("batch %d to %d with %d held: %v", from, to, len(kept), err)
			}
			kept = append(kept, fresh...)
		}
		for i, l := range kept {
			if l != all[i] {
				t.Fatalf("record %d: got %v, want %v", i, l, all[i])
			}
		}
	})
}
