package stand

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

const (
	magic       = "NHSTAND\n"
	headerSize  = 32
	entrySize   = 40
	maxSections = 256
	dirStep     = 256 // ids or keys per entry of a directory
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sections collects the sections of a file, each in a scratch file until all are complete.
type sections struct {
	dir   string
	names []string
	files map[string]*section
}

// section is one section being written. Errors stay until close.
type section struct {
	f *os.File
	w *bufio.Writer
	n uint64
}

func newSections(dir string) *sections { return &sections{dir: dir, files: map[string]*section{}} }

func (s *sections) create(name string) (*section, error) {
	if len(name) > 16 || s.files[name] != nil {
		return nil, fmt.Errorf("section %q: name too long or taken", name)
	}
	f, err := os.Create(filepath.Join(s.dir, name))
	if err != nil {
		return nil, err
	}
	sec := &section{f: f, w: bufio.NewWriterSize(f, 64<<10)}
	s.names = append(s.names, name)
	s.files[name] = sec
	return sec, nil
}

func (s *section) write(b []byte) {
	n, _ := s.w.Write(b) // a bufio.Writer keeps its first error
	s.n += uint64(n)
}

func (s *section) u64(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	s.write(b[:])
}

func (s *section) u32(v uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	s.write(b[:])
}

func (s *sections) close() {
	for _, sec := range s.files {
		_ = sec.f.Close() // scratch; a failed write shows at assemble
	}
}

// assemble writes all sections into one file, synced to disk.
func (s *sections) assemble(path string) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	at := align(uint64(headerSize + entrySize*len(s.names)))
	table := make([]byte, 0, entrySize*len(s.names))
	if _, err := out.Seek(int64(at), io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	for _, name := range s.names {
		sec := s.files[name]
		if err := sec.w.Flush(); err != nil {
			return err
		}
		if _, err := sec.f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		sum := crc32.New(castagnoli)
		n, err := io.Copy(io.MultiWriter(w, sum), sec.f)
		if err != nil {
			return err
		}
		var entry [entrySize]byte
		copy(entry[:16], name)
		binary.LittleEndian.PutUint64(entry[16:], at)
		binary.LittleEndian.PutUint64(entry[24:], uint64(n))
		binary.LittleEndian.PutUint32(entry[32:], sum.Sum32())
		table = append(table, entry[:]...)
		end := at + uint64(n)
		at = align(end)
		if _, err := w.Write(make([]byte, at-end)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var head [headerSize]byte
	copy(head[:], magic)
	binary.LittleEndian.PutUint32(head[8:], Version)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(s.names)))
	binary.LittleEndian.PutUint64(head[16:], at)
	binary.LittleEndian.PutUint32(head[24:], crc32.Checksum(table, castagnoli))
	if _, err := out.WriteAt(append(head[:], table...), 0); err != nil {
		return err
	}
	return out.Sync()
}

func align(n uint64) uint64 { return (n + 63) &^ 63 }
