package stand

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// run is a list of byte strings on its way to being sorted. It keeps them in one arena.
type run struct {
	arena []byte
	ends  []int
}

func (r *run) add(entry []byte) {
	r.arena = append(r.arena, entry...)
	r.ends = append(r.ends, len(r.arena))
}

func (r *run) entries() [][]byte {
	all := make([][]byte, len(r.ends))
	from := 0
	for i, to := range r.ends {
		all[i] = r.arena[from:to:to]
		from = to
	}
	slices.SortFunc(all, bytes.Compare)
	return all
}

// size estimates the memory of the run, the sorting included.
func (r *run) size() int { return len(r.arena) + 32*len(r.ends) }

// pile is what all workers gave for one table: sorted runs, in memory or spilled to disk.
type pile struct {
	runs []source
}

// source gives byte strings in ascending order, io.EOF after the last. A string is valid until the next call.
type source interface {
	next() ([]byte, error)
	close()
}

// keep takes over a run that fits in memory.
func (p *pile) keep(r *run) {
	if len(r.ends) > 0 {
		p.runs = append(p.runs, &memorySource{r.entries()})
	}
	*r = run{}
}

// spill writes a run to a nameless file in dir.
func (p *pile) spill(dir string, r *run) error {
	f, err := os.CreateTemp(dir, "run-*")
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil { // gone as soon as it is closed
		return errors.Join(err, f.Close())
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var head [binary.MaxVarintLen64]byte
	for _, entry := range r.entries() {
		_, _ = w.Write(binary.AppendUvarint(head[:0], uint64(len(entry)))) // a bufio.Writer keeps its first error
		_, _ = w.Write(entry)
	}
	err = w.Flush()
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.arena, r.ends = r.arena[:0], r.ends[:0]
	p.runs = append(p.runs, &fileSource{f: f, r: bufio.NewReaderSize(f, 256<<10)})
	return nil
}

// each merges the runs and gives every different string once, in order.
func (p *pile) each(yield func([]byte) error) error {
	defer p.close()
	var h merge
	for _, s := range p.runs {
		head, err := s.next()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			return err
		}
		h = append(h, cursor{head, s})
	}
	heap.Init(&h)
	var last []byte
	first := true
	for len(h) > 0 {
		if top := h[0].head; first || !bytes.Equal(top, last) {
			last, first = append(last[:0], top...), false
			if err := yield(last); err != nil {
				return err
			}
		}
		head, err := h[0].from.next()
		switch {
		case errors.Is(err, io.EOF):
			heap.Pop(&h)
		case err != nil:
			return err
		default:
			h[0].head = head
			heap.Fix(&h, 0)
		}
	}
	return nil
}

func (p *pile) close() {
	for _, s := range p.runs {
		s.close()
	}
	p.runs = nil
}

type memorySource struct{ entries [][]byte }

func (m *memorySource) next() ([]byte, error) {
	if len(m.entries) == 0 {
		return nil, io.EOF
	}
	e := m.entries[0]
	m.entries = m.entries[1:]
	return e, nil
}

func (m *memorySource) close() { m.entries = nil }

type fileSource struct {
	f   *os.File
	r   *bufio.Reader
	buf []byte
}

func (s *fileSource) next() ([]byte, error) {
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		return nil, err
	}
	s.buf = slices.Grow(s.buf[:0], int(n))[:n]
	_, err = io.ReadFull(s.r, s.buf)
	return s.buf, err
}

func (s *fileSource) close() { _ = s.f.Close() } // a nameless scratch file: nothing to lose

type cursor struct {
	head []byte
	from source
}

type merge []cursor

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return bytes.Compare(m[i].head, m[j].head) < 0 }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(cursor)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
