package bag

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"

	"golang.org/x/sync/errgroup"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

const deliveryDocument = "Leveringsdocument-BAG-Extract.xml"

var (
	relationZip   = regexp.MustCompile(`^GEM-WPL-RELATIE-(\d{8})\.zip$`)
	relationFile  = regexp.MustCompile(`^GEM-WPL-RELATIE-(\d{8})-(\d{6})\.xml$`)
	municipalZip  = regexp.MustCompile(`^\d{4}GEM(\d{8})\.zip$`)
	collectionZip = regexp.MustCompile(`^\d{4}(InOnderzoek|Inactief|NietBag)(\d{8})\.zip$`)
	typeZip       = regexp.MustCompile(`^\d{4}(IO|IA|NB)?(WPL|OPR|NUM|VBO|LIG|STA|PND)(\d{8})\.zip$`)
	typeFile      = regexp.MustCompile(`^\d{4}(IO|IA|NB)?(WPL|OPR|NUM|VBO|LIG|STA|PND)\d{8}-(\d{6})\.xml$`)
	mutationZip   = regexp.MustCompile(`^\d{4}(IO)?MUT`)
)

// Extract is an official delivery of a full stand, opened and with its layout checked.
type Extract struct {
	Header
	Name   string // base name
	SHA256 [sha256.Size]byte
	Size   int64

	file   *os.File
	files  []xmlFile
	budget int64 // bytes left for inner zips that must stand in memory
	total  int64 // bytes of XML
	types  map[imbag.Type]bool
}

type xmlFile struct {
	at    location
	entry *zip.File
	want  expectation
}

// Open checks the layout of the extract at path, down to the names of the innermost files. The caller closes it.
func Open(ctx context.Context, path string) (*Extract, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x := &Extract{Name: filepath.Base(path), file: f, budget: maxInflated, types: map[imbag.Type]bool{}}
	if err := x.open(ctx); err != nil {
		_ = f.Close()
		return nil, err
	}
	return x, nil
}

// Close lets go of the file.
func (x *Extract) Close() error { return x.file.Close() }

func (x *Extract) open(ctx context.Context) error {
	at := location{file: x.Name}
	sum := sha256.New()
	size, err := io.Copy(sum, untilDone(ctx, x.file))
	if err != nil {
		return at.wrap(err, "cannot be read")
	}
	x.Size = size
	sum.Sum(x.SHA256[:0])
	outer, err := openArchive(x.file, size, at)
	if err != nil {
		return err
	}
	if err := x.readHeader(outer); err != nil {
		return err
	}
	if err := x.walk(outer, outermost); err != nil {
		return err
	}
	for _, t := range imbag.Types() {
		if !x.types[t] {
			return at.fault(-1, "no part with %s objects (%s)", t, t.Code())
		}
	}
	if x.total > maxTotal {
		return at.fault(-1, "%d bytes of XML, the limit is %d", x.total, int64(maxTotal))
	}
	// The large ones first, so that no worker is left alone with one at the end.
	sort.SliceStable(x.files, func(i, j int) bool {
		return x.files[i].entry.UncompressedSize64 > x.files[j].entry.UncompressedSize64
	})
	return nil
}

func (x *Extract) readHeader(outer *archive) error {
	for _, f := range outer.entries {
		if mutationZip.MatchString(f.Name) {
			return outer.at.in(f.Name).fault(-1, "a delivery of mutations, not of a stand")
		}
	}
	for _, f := range outer.entries {
		if f.Name != deliveryDocument {
			continue
		}
		at := outer.at.in(f.Name)
		text, err := contents(f, 1<<20)
		if err != nil {
			return at.wrap(err, "cannot be unpacked")
		}
		p := newParser()
		if err := p.parse(bytes.NewReader(text), expectation{root: elDeliveryRoot, date: imbag.NoDate}, nil); err != nil {
			return place(at, err)
		}
		x.Header = p.header
		return nil
	}
	return outer.at.fault(-1, "no %s: not a BAG 2.0 extract", deliveryDocument)
}

// level is how deep an archive lies in the official layouts, which have no more than these.
type level int

const (
	outermost  level = iota // the file itself
	municipal               // nnnnGEM, in the layout of a municipality
	collection              // InOnderzoek, Inactief or NietBag, in either of the above
)

// walk collects the XML files of an archive and the archives in it.
func (x *Extract) walk(a *archive, where level) error {
	for _, f := range a.entries {
		name := f.Name
		var err error
		if m := typeZip.FindStringSubmatch(name); m != nil {
			err = x.typeArchive(a, f, m)
		} else if m := collectionZip.FindStringSubmatch(name); m != nil && where < collection {
			err = x.descend(a, f, m[2], collection)
		} else if m := municipalZip.FindStringSubmatch(name); m != nil && where == outermost {
			err = x.descend(a, f, m[1], municipal)
		} else if m := relationZip.FindStringSubmatch(name); m != nil && where == outermost {
			err = x.relationArchive(a, f, m[1])
		} else if name != deliveryDocument || where != outermost {
			err = a.at.in(name).fault(-1, "not a file that an extract has at this place")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *Extract) descend(a *archive, f *zip.File, day string, to level) error {
	if err := x.sameDay(a.at.in(f.Name), day); err != nil {
		return err
	}
	in, err := a.inner(f, &x.budget)
	if err != nil {
		return err
	}
	return x.walk(in, to)
}

// sameDay compares the DDMMYYYY of a name with the date of the stand.
func (x *Extract) sameDay(at location, day string) error {
	d, ok := imbag.ParseDate(day[4:] + "-" + day[2:4] + "-" + day[:2])
	if !ok || d != x.Date {
		return at.fault(-1, "a part of another day than the stand of %s", x.Date)
	}
	return nil
}

func (x *Extract) typeArchive(a *archive, f *zip.File, m []string) error {
	t, _ := imbag.TypeByCode(m[2])
	stream := m[1]
	if err := x.sameDay(a.at.in(f.Name), m[3]); err != nil {
		return err
	}
	in, err := a.inner(f, &x.budget)
	if err != nil {
		return err
	}
	if stream == "" {
		if x.types[t] {
			return in.at.fault(-1, "a second part with %s objects", t)
		}
		x.types[t] = true
	}
	want := expectation{root: elStandRoot, typ: t, inquiry: stream == "IO", date: x.Date}
	return x.xmlFiles(in, want, func(name string) string {
		if m := typeFile.FindStringSubmatch(name); m != nil && m[1] == stream && m[2] == t.Code() {
			return m[3]
		}
		return ""
	})
}

func (x *Extract) relationArchive(a *archive, f *zip.File, day string) error {
	if err := x.sameDay(a.at.in(f.Name), day); err != nil {
		return err
	}
	in, err := a.inner(f, &x.budget)
	if err != nil {
		return err
	}
	return x.xmlFiles(in, expectation{root: elGWRRoot, date: x.Date}, func(name string) string {
		if m := relationFile.FindStringSubmatch(name); m != nil {
			return m[2]
		}
		return ""
	})
}

// xmlFiles adds the numbered files of one part, which must be complete.
func (x *Extract) xmlFiles(a *archive, want expectation, serial func(name string) string) error {
	seen, last := 0, 0
	for _, f := range a.entries {
		n, err := strconv.Atoi(serial(f.Name))
		if err != nil {
			return a.at.in(f.Name).fault(-1, "not a file that an extract has at this place")
		}
		seen, last = seen+1, max(last, n)
		x.total += int64(f.UncompressedSize64)
		x.files = append(x.files, xmlFile{a.at.in(f.Name), f, want})
	}
	if seen == 0 || seen != last {
		return a.at.fault(-1, "%d files, numbered up to %d: the delivery is not complete", seen, last)
	}
	return nil
}

// Sink makes a receiver for each worker and takes it back when the worker is done.
type Sink interface {
	Begin() Receiver
	End(Receiver) error
}

// Read reads the whole extract into sink, in no particular order, by as many workers as there are processors.
func (x *Extract) Read(ctx context.Context, sink Sink) error {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan xmlFile)
	group.Go(func() error {
		defer close(work)
		for _, f := range x.files {
			select {
			case work <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			to, p := sink.Begin(), newParser()
			for f := range work {
				if err := f.read(ctx, p, to); err != nil {
					return err
				}
			}
			return sink.End(to)
		})
	}
	return group.Wait()
}

func (f xmlFile) read(ctx context.Context, p *parser, to Receiver) error {
	r, err := f.entry.Open()
	if err != nil {
		return f.at.wrap(err, "cannot be unpacked")
	}
	defer r.Close()
	err = p.parse(untilDone(ctx, r), f.want, to)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if broken := p.s.err; err != nil && broken != nil && !errors.Is(broken, io.EOF) {
		return &Fault{File: f.at.file, Inner: f.at.inner, Offset: p.s.base + int64(p.s.end), Reason: "cannot be unpacked", cause: broken}
	}
	return place(f.at, err)
}

// untilDone reads from r until ctx ends.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
