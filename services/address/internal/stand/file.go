package stand

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Stand is an open file. It stays mapped until the last user has released it.
type Stand struct {
	Manifest
	path string
	data []byte
	raw  map[string][]byte
	crc  map[string]uint32

	objects, inquiries [8]idTable
	relations          idTable
	indexes            map[string]index
	refs               atomic.Int64 // users, the store among them; 0: unmapped
}

// idTable is a table with ids, see the package comment.
type idTable struct{ ids, dir, at, rec, geo []byte }

// index maps keys to places.
type index struct{ keys, values, dir []byte }

// errRotten is what reading a damaged file gives.
var errRotten = errors.New("the stand file is damaged")

// Open maps a file and checks its header, its table of sections and that all sections lie inside it. It costs the same
// for any size of file; Verify reads everything.
func Open(path string) (*Stand, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < headerSize {
		return nil, fmt.Errorf("%s: %w: too short", path, errRotten)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	s := &Stand{path: path, data: data, raw: map[string][]byte{}, crc: map[string]uint32{}, indexes: map[string]index{}}
	s.refs.Store(1)
	if err := s.load(); err != nil {
		s.Release()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Stand) load() error {
	head := s.data[:headerSize]
	if string(head[:8]) != magic {
		return errors.New("not a stand file")
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != Version {
		return fmt.Errorf("format version %d, this program reads %d", v, Version)
	}
	n := binary.LittleEndian.Uint32(head[12:])
	if length := binary.LittleEndian.Uint64(head[16:]); length != uint64(len(s.data)) || n > maxSections || headerSize+uint64(n)*entrySize > length {
		return fmt.Errorf("%w: it has %d bytes, its header says %d", errRotten, len(s.data), length)
	}
	table := s.data[headerSize : headerSize+n*entrySize]
	if crc32.Checksum(table, castagnoli) != binary.LittleEndian.Uint32(head[24:]) {
		return fmt.Errorf("%w: the table of sections", errRotten)
	}
	for i := range n {
		e := table[i*entrySize:]
		name := strings.TrimRight(string(e[:16]), "\x00")
		at, length := binary.LittleEndian.Uint64(e[16:]), binary.LittleEndian.Uint64(e[24:])
		if at > uint64(len(s.data)) || length > uint64(len(s.data))-at {
			return fmt.Errorf("%w: section %s", errRotten, name)
		}
		s.raw[name] = s.data[at : at+length : at+length]
		s.crc[name] = binary.LittleEndian.Uint32(e[32:])
	}
	var err error
	if s.Manifest, err = parseManifest(s.raw["manifest"]); err != nil {
		return err
	}
	for _, t := range imbag.Types() {
		s.objects[t] = s.table("obj." + t.Code())
		s.inquiries[t] = s.table("io." + t.Code())
		if !s.objects[t].sound() || !s.inquiries[t].sound() {
			return fmt.Errorf("%w: table %s", errRotten, t.Code())
		}
	}
	if s.relations = s.table("gwr"); !s.relations.sound() {
		return fmt.Errorf("%w: table gwr", errRotten)
	}
	for _, name := range indexNames() {
		x := index{s.raw["ix."+name+".key"], s.raw["ix."+name+".val"], s.raw["ix."+name+".dir"]}
		if len(x.keys)/8 != len(x.values)/4 || len(x.keys)%8 != 0 || len(x.dir)/8 != (len(x.keys)/8+dirStep-1)/dirStep {
			return fmt.Errorf("%w: index %s", errRotten, name)
		}
		s.indexes[name] = x
	}
	return nil
}

func (s *Stand) table(name string) idTable {
	return idTable{s.raw[name+".ids"], s.raw[name+".dir"], s.raw[name+".at"], s.raw[name+".rec"], s.raw[name+".geo"]}
}

func (t idTable) len() int { return len(t.ids) / 8 }

func (t idTable) sound() bool {
	return len(t.ids)%8 == 0 && len(t.at) == len(t.ids)+8 && len(t.dir)/8 == (t.len()+dirStep-1)/dirStep
}

// Acquire adds a user. It gives false when the file is unmapped already.
func (s *Stand) Acquire() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release takes a user away. The last one unmaps the file: no value read from it may be in use by then.
func (s *Stand) Release() {
	if s.refs.Add(-1) == 0 {
		_ = unix.Munmap(s.data) // fails only for a range that is not mapped
		s.data = nil
	}
}

// Path gives the place of the file.
func (s *Stand) Path() string { return s.path }

func u64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i*8:]) }

// first finds the first of n ascending numbers in b that is at least v. The directory narrows the search to one block.
func first(b, dir []byte, v uint64) int {
	lo, hi := 0, len(dir)/8
	for lo < hi { // the number of blocks that begin below v
		if mid := int(uint(lo+hi) >> 1); u64(dir, mid) < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0
	}
	from, to := (lo-1)*dirStep, min(lo*dirStep, len(b)/8)
	for from < to {
		if mid := int(uint(from+to) >> 1); u64(b, mid) < v {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from
}

// find gives the place of an id.
func (t idTable) find(id imbag.ID) (int, bool) {
	i := first(t.ids, t.dir, uint64(id))
	return i, i < t.len() && u64(t.ids, i) == uint64(id)
}

// records gives the records at a place, one after the other.
func (t idTable) records(i int) (reader, error) {
	from, to := u64(t.at, i), u64(t.at, i+1)
	if from > to || to > uint64(len(t.rec)) {
		return reader{}, errRotten
	}
	return reader{b: t.rec[from:to]}, nil
}

// each calls yield with the value of every entry of a key, in ascending order.
func (x index) each(key uint64, yield func(uint32) error) error {
	for i := first(x.keys, x.dir, key); i < len(x.keys)/8 && u64(x.keys, i) == key; i++ {
		if err := yield(binary.LittleEndian.Uint32(x.values[i*4:])); err != nil {
			return err
		}
	}
	return nil
}
