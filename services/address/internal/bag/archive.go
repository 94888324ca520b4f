package bag

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Limits of an archive. Real files stay far below: the XML of an extract packs 30 to 90 times, that of one file is some
// 16 MB, and a national extract has some 20,000 files with 75 GB of XML.
const (
	maxEntries  = 200_000
	maxInflated = 256 << 20 // bytes of inner zips that are compressed themselves and so have to stand in memory
	maxFile     = 2 << 30   // bytes of one XML file
	maxTotal    = 1 << 40   // bytes of all XML of one extract
	maxRatio    = 250
	endSize     = 22      // bytes of the record that ends a zip
	ratioFrom   = 1 << 20 // bytes below which a ratio says nothing: empty files pack well
)

// archive is one zip, on disk or in another.
type archive struct {
	at      location
	r       io.ReaderAt
	entries []*zip.File
}

// openArchive checks what can be checked without unpacking: names, methods, sizes, ratios and overlaps.
func openArchive(r io.ReaderAt, size int64, at location) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, at.wrap(err, "not a zip file, or cut off")
	}
	// In a zip with stored zips in it, the end of an inner one can pass for its own when the file was cut off.
	end := make([]byte, 4)
	if _, err := r.ReadAt(end, size-endSize-int64(len(z.Comment))); err != nil || string(end) != "PK\x05\x06" {
		return nil, at.fault(-1, "not a zip file, or cut off: its directory is not at its end")
	}
	if len(z.File) > maxEntries {
		return nil, at.fault(-1, "%d entries, the limit is %d", len(z.File), maxEntries)
	}
	a := &archive{at: at, r: r}
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	names := map[string]bool{}
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			return nil, at.in(f.Name).wrap(err, "a broken zip entry")
		}
		if from > size || f.CompressedSize64 > uint64(size-from) {
			return nil, at.in(f.Name).fault(-1, "lies outside the zip")
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64), f.Name})
		if junk(f.Name) {
			continue
		}
		if err := checkEntry(f, at, names); err != nil {
			return nil, err
		}
		a.entries = append(a.entries, f)
	}
	sort.Slice(spans, func(i, j int) bool { return spans[i].from < spans[j].from })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return nil, at.in(spans[i].name).fault(spans[i].from, "overlaps with %s", briefly(spans[i-1].name))
		}
	}
	return a, nil
}

// junk is what desktop tools add to zips.
func junk(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") && !strings.Contains(name, "..") || name == ".DS_Store" || name == "Thumbs.db"
}

func checkEntry(f *zip.File, at location, names map[string]bool) error {
	l := at.in(f.Name)
	switch {
	case f.Name == "" || strings.ContainsAny(f.Name, `/\:`) || strings.HasPrefix(f.Name, "."):
		return l.fault(-1, "an entry with a path: extracts are flat")
	case names[f.Name]:
		return l.fault(-1, "two entries of one name")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return l.fault(-1, "packed by method %d; only stored and deflated are read", f.Method)
	case f.Flags&1 != 0:
		return l.fault(-1, "encrypted")
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return l.fault(-1, "a stored entry with two sizes")
	case f.UncompressedSize64 > maxFile && !strings.HasSuffix(f.Name, ".zip"):
		return l.fault(-1, "%d bytes unpacked, the limit is %d", f.UncompressedSize64, int64(maxFile))
	case f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return l.fault(-1, "unpacks to %d times its size: a zip bomb", f.UncompressedSize64/max(f.CompressedSize64, 1))
	}
	names[f.Name] = true
	return nil
}

// inner opens an entry that is itself a zip. A stored one is read in place; a compressed one has to stand in memory and
// counts against budget.
func (a *archive) inner(f *zip.File, budget *int64) (*archive, error) {
	at := a.at.in(f.Name)
	if f.Method == zip.Store {
		from, err := f.DataOffset()
		if err != nil {
			return nil, at.wrap(err, "a broken zip entry")
		}
		size := int64(f.CompressedSize64)
		return openArchive(io.NewSectionReader(a.r, from, size), size, at)
	}
	if *budget -= int64(f.UncompressedSize64); *budget < 0 || f.UncompressedSize64 > maxInflated {
		return nil, at.fault(-1, "inner zips of more than %d MB must be stored, not compressed", maxInflated>>20)
	}
	content, err := contents(f, int64(f.UncompressedSize64))
	if err != nil {
		return nil, at.wrap(err, "cannot be unpacked")
	}
	return openArchive(bytes.NewReader(content), int64(len(content)), at)
}

// contents unpacks an entry of at most limit bytes into memory. The zip package checks size and CRC.
func contents(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("more than the %d bytes that the zip announces", limit)
	}
	return b.Bytes(), err
}
