package stand

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"noorderhub.nl/hub/services/address/internal/bag"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// workerMemory is how much one worker sorts before it spills, in bytes.
const workerMemory = 64 << 20

// Names of the indexes.
const (
	ixPostcode  = "pc"   // postcode<<17 | house number → designation
	ixSpace     = "opr"  // public space → designation
	ixAddressed = "ado"  // designation → addressable object, its type in the top two bits
	ixBuilding  = "pnd"  // building → accommodation unit
	ixName      = "naam" // hash of a name → public space
	ixLocality  = "wpl"  // locality → public space
	ixPlace     = "wnm"  // hash of a name → locality
	ixCell      = "cel." // and the letters of a type: cell of the grid → object, see cells.go
)

func indexNames() []string {
	names := []string{ixPostcode, ixSpace, ixAddressed, ixBuilding, ixName, ixLocality, ixPlace}
	for _, t := range imbag.Types() {
		if t.Located() {
			names = append(names, ixCell+t.Code())
		}
	}
	return names
}

func postcodeKey(p imbag.Postcode, number int) uint64 { return uint64(p)<<17 | uint64(number) }

// nameKey hashes a name without regard to case. Whoever looks it up compares the names themselves.
func nameKey(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToLower(name))) // never fails
	return h.Sum64()
}

const (
	typeShift = 30
	placeMask = 1<<typeShift - 1
)

// addressables in the order of their code in ixAddressed.
var addressables = [...]imbag.Type{imbag.AccommodationUnit, imbag.Berth, imbag.Pitch}

// builder takes what extracts hold and writes a file. It implements bag.Sink.
type builder struct {
	dir   string // for scratch files
	limit int    // of what one worker sorts before it spills, in bytes
	mu    sync.Mutex

	objects, inquiries [8]pile // by type
	relations          pile
	indexes            map[string]*indexPile
	out                *sections
	manifest           Manifest
}

type indexPile struct {
	run  run
	pile pile
}

func newBuilder(dir string) *builder {
	b := &builder{dir: dir, limit: workerMemory, out: newSections(dir), indexes: map[string]*indexPile{}}
	for _, name := range indexNames() {
		b.indexes[name] = &indexPile{}
	}
	b.manifest.Counts = map[string]Counts{}
	return b
}

// worker is the receiver of one worker: it sorts what it gets and hands it over in runs.
type worker struct {
	b                  *builder
	objects, inquiries [8]run
	relations          run
	entry              []byte
	used               int
}

// Begin makes the receiver of one worker.
func (b *builder) Begin() bag.Receiver { return &worker{b: b} }

// End takes over what the worker still holds.
func (b *builder) End(r bag.Receiver) error {
	w := r.(*worker)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range w.objects {
		b.objects[i].keep(&w.objects[i])
		b.inquiries[i].keep(&w.inquiries[i])
	}
	b.relations.keep(&w.relations)
	return nil
}

// Object keeps one occurrence.
func (w *worker) Object(o *imbag.Object) error {
	e := appendKey(w.entry[:0], o)
	e = append(e, 0, 0, 0, 0) // room for the length of the body
	e = appendBody(e, o)
	binary.LittleEndian.PutUint32(e[keySize:], uint32(len(e)-keySize-4))
	if o.Geometry.Kind != imbag.NoGeometry {
		e = appendGeometry(e, &o.Geometry)
	}
	return w.add(&w.objects[o.Type], e)
}

// Inquiry keeps one inquiry.
func (w *worker) Inquiry(q *imbag.Inquiry) error {
	return w.add(&w.inquiries[q.Type], appendInquiry(binary.BigEndian.AppendUint64(w.entry[:0], uint64(q.ID)), q))
}

// Relation keeps the municipality of a locality.
func (w *worker) Relation(r *imbag.Relation) error {
	return w.add(&w.relations, appendRelation(binary.BigEndian.AppendUint64(w.entry[:0], uint64(r.Locality)), r))
}

func (w *worker) add(to *run, e []byte) error {
	to.add(e)
	w.entry = e
	if w.used += len(e) + 32; w.used < w.b.limit {
		return nil
	}
	largest, at := &w.relations, &w.b.relations
	for i := range w.objects {
		if w.objects[i].size() > largest.size() {
			largest, at = &w.objects[i], &w.b.objects[i]
		}
		if w.inquiries[i].size() > largest.size() {
			largest, at = &w.inquiries[i], &w.b.inquiries[i]
		}
	}
	w.used -= largest.size()
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	return at.spill(w.b.dir, largest)
}

// write merges everything into a file at path.
func (b *builder) write(path string) error {
	defer b.out.close()
	defer b.closePiles()
	for _, t := range imbag.Types() {
		if err := b.writeObjects(t); err != nil {
			return err
		}
		n, err := b.writeTable("io."+t.Code(), &b.inquiries[t])
		if err != nil {
			return err
		}
		c := b.manifest.Counts[t.Code()]
		c.Inquiries = n
		b.manifest.Counts[t.Code()] = c
	}
	n, err := b.writeTable("gwr", &b.relations)
	if err != nil {
		return err
	}
	b.manifest.Relations = n
	for _, name := range indexNames() {
		if err := b.writeIndex(name); err != nil {
			return err
		}
	}
	m, err := b.out.create("manifest")
	if err != nil {
		return err
	}
	text, err := json.Marshal(b.manifest)
	if err != nil {
		return err
	}
	m.write(text)
	return b.out.assemble(path)
}

func (b *builder) closePiles() {
	for i := range b.objects {
		b.objects[i].close()
		b.inquiries[i].close()
	}
	b.relations.close()
	for _, p := range b.indexes {
		p.pile.close()
	}
}

// index adds an entry to an index.
func (b *builder) index(name string, key uint64, value uint32) error {
	var e [12]byte
	binary.BigEndian.PutUint64(e[:], key)
	binary.BigEndian.PutUint32(e[8:], value)
	p := b.indexes[name]
	p.run.add(e[:])
	if p.run.size() < b.limit {
		return nil
	}
	return p.pile.spill(b.dir, &p.run)
}

func (b *builder) writeIndex(name string) error {
	p := b.indexes[name]
	p.pile.keep(&p.run)
	keys, err := b.out.create("ix." + name + ".key")
	if err != nil {
		return err
	}
	values, err := b.out.create("ix." + name + ".val")
	if err != nil {
		return err
	}
	dir, err := b.out.create("ix." + name + ".dir")
	if err != nil {
		return err
	}
	n := 0
	return p.pile.each(func(e []byte) error {
		key := binary.BigEndian.Uint64(e)
		if n%dirStep == 0 {
			dir.u64(key)
		}
		n++
		keys.u64(key)
		values.u32(binary.BigEndian.Uint32(e[8:]))
		return nil
	})
}

// table is a table with ids being written.
type table struct {
	ids, dir, at, rec *section
	n                 int
	last              uint64
}

func (b *builder) table(name string) (*table, error) {
	t := &table{}
	for _, s := range []struct {
		to   **section
		part string
	}{{&t.ids, ".ids"}, {&t.dir, ".dir"}, {&t.at, ".at"}, {&t.rec, ".rec"}} {
		var err error
		if *s.to, err = b.out.create(name + s.part); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// row starts the records of an id, unless they have begun. It tells whether the id is new.
func (t *table) row(id uint64) (isNew bool, err error) {
	if t.n > 0 && id == t.last {
		return false, nil
	}
	if t.n == placeMask {
		return false, fmt.Errorf("more than %d ids in one table", placeMask)
	}
	if t.n%dirStep == 0 {
		t.dir.u64(id)
	}
	t.ids.u64(id)
	t.at.u64(t.rec.n)
	t.n++
	t.last = id
	return true, nil
}

func (t *table) record(parts ...[]byte) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	t.rec.write(binary.AppendUvarint(nil, uint64(size)))
	for _, p := range parts {
		t.rec.write(p)
	}
}

func (t *table) end() { t.at.u64(t.rec.n) }

// writeTable writes a table whose entries are an id and a record.
func (b *builder) writeTable(name string, p *pile) (records int, err error) {
	t, err := b.table(name)
	if err != nil {
		return 0, err
	}
	err = p.each(func(e []byte) error {
		if _, err := t.row(binary.BigEndian.Uint64(e)); err != nil {
			return err
		}
		t.record(e[8:])
		records++
		return nil
	})
	t.end()
	return records, err
}
