package txlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	journal "noorderhub.nl/hub/services/journal/api"
)

// cursor is the note of what the journal has. Its file keeps its size and is written in place, in two slots by turns: on
// a full disk, where no new file can be made, the place must still move on, for only then are shipped segments removed.
// A write that a crash tears leaves the other slot.
type cursor struct {
	file *os.File
	slot slot // the newest
}

// slot is one note. Count orders the two: the sequence may go back, when the journal was restored from a backup.
type slot struct {
	Count    uint64   `json:"count"`
	Position position `json:"position"`
	Sum      string   `json:"sum"` // of the note without it
}

const (
	cursorName = "cursor"
	slotSize   = 4096 // a block of its own: writing one slot cannot tear the other
	slotCount  = 2
)

func (s slot) sum() string {
	return journal.Hash(fmt.Appendf(nil, "%d %d %s", s.Count, s.Position.Sequence, s.Position.Hash))
}

// openCursor opens the file, or makes it in its full size. Position is zero when nothing was noted yet, or both slots
// are lost.
func openCursor(dir string) (*cursor, error) {
	path := filepath.Join(dir, cursorName)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		content, err = nil, writeFile(path, make([]byte, slotCount*slotSize))
	}
	if err != nil {
		return nil, err
	}
	c := &cursor{}
	for block := content; len(block) >= slotSize; block = block[slotSize:] {
		var s slot
		text, _, _ := bytes.Cut(block[:slotSize], []byte{'\n'})
		if json.Unmarshal(text, &s) == nil && s.Sum == s.sum() && s.Count > c.slot.Count {
			c.slot = s
		}
	}
	c.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	return c, err
}

// save notes a position and returns when it is durable.
func (c *cursor) save(at position) error {
	next := slot{Count: c.slot.Count + 1, Position: at}
	next.Sum = next.sum()
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	block := make([]byte, slotSize)
	copy(block, append(text, '\n'))
	if _, err := c.file.WriteAt(block, int64(next.Count%slotCount)*slotSize); err != nil {
		return err
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	c.slot = next
	return nil
}

func (c *cursor) close() error { return c.file.Close() }
