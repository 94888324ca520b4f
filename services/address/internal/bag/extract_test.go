package bag

import (
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/services/address/internal/bagtest"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

type counter struct {
	mu        sync.Mutex
	objects   map[imbag.Type]int
	inquiries map[imbag.Type]int
	relations int
}

type counting struct {
	objects, inquiries map[imbag.Type]int
	relations          int
}

func (c *counting) Object(o *imbag.Object) error     { c.objects[o.Type]++; return nil }
func (c *counting) Inquiry(q *imbag.Inquiry) error   { c.inquiries[q.Type]++; return nil }
func (c *counting) Relation(_ *imbag.Relation) error { c.relations++; return nil }

func (c *counter) Begin() Receiver {
	return &counting{objects: map[imbag.Type]int{}, inquiries: map[imbag.Type]int{}}
}

func (c *counter) End(r Receiver) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.objects == nil {
		c.objects, c.inquiries = map[imbag.Type]int{}, map[imbag.Type]int{}
	}
	in := r.(*counting)
	for t, n := range in.objects {
		c.objects[t] += n
	}
	for t, n := range in.inquiries {
		c.inquiries[t] += n
	}
	c.relations += in.relations
	return nil
}

func TestTheRealExtractsOfBothLayoutsAreRead(t *testing.T) {
	for _, test := range []struct {
		file, date string
	}{
		{"weesp-0457/BAGGEM0457L-15092021.zip", "2021-09-15"},
		{"nlextract/BAGNLDL-15092020-small.zip", "2020-09-15"},
	} {
		x, err := Open(t.Context(), bagtest.SharedData(t, test.file))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if got := x.Date.String(); got != test.date {
			t.Errorf("got stand date %s, want %s", got, test.date)
		}
		var c counter
		began := time.Now()
		if err := x.Read(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		t.Logf("%s: %v MB of XML in %v (%.0f MB/s), objects %v, inquiries %v, relations %d", x.Name, x.total/1e6, took,
			float64(x.total)/1e6/took.Seconds(), c.objects, c.inquiries, c.relations)
	}
}
