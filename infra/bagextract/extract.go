package bagextract

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
)

// Extract is what goes into one delivery. The sequences are read once per stream they feed (regular, Inactief, NietBag),
// so they must give the same rows each time; nil ones are empty.
type Extract struct {
	Date         time.Time // of the stand
	Municipality string    // four digits; empty: the national layout
	Name         string    // of the municipality

	Localities   iter.Seq[Locality]
	Spaces       iter.Seq[PublicSpace]
	Designations iter.Seq[Designation]
	Units        iter.Seq[Unit]
	Berths       iter.Seq[Place]
	Pitches      iter.Seq[Place]
	Buildings    iter.Seq[Building]
	Inquiries    []Inquiry
	Relations    []Relation
}

// perFile is how many occurrences official files hold.
const perFile = 10_000

// Write writes x as one zip with the three levels of an official delivery. Rows are streamed: memory does not grow with
// their number. The same rows give the same bytes.
func Write(w io.Writer, x Extract) error {
	out := &writer{x: x, day: x.Date.Format("02012006"), date: x.Date.Format(time.DateOnly), code: x.Municipality}
	if x.Municipality == "" {
		out.code = "9999"
	}
	outer := zip.NewWriter(w)
	if err := out.text(outer, "Leveringsdocument-BAG-Extract.xml", out.delivery()); err != nil {
		return err
	}
	err := out.nested(outer, "GEM-WPL-RELATIE-"+out.day+".zip", func(z *zip.Writer) error {
		return out.text(z, "GEM-WPL-RELATIE-"+out.day+"-000001.xml", out.relations())
	})
	if err != nil {
		return err
	}
	if x.Municipality == "" {
		err = out.parts(outer)
	} else {
		err = out.nested(outer, out.code+"GEM"+out.day+".zip", out.parts)
	}
	if err != nil {
		return err
	}
	return outer.Close()
}

type writer struct {
	x               Extract
	day, date, code string
}

// object is one occurrence, ready to be written.
type object struct {
	base  *Base
	write func(*encoder)
}

// objects adapts a sequence of rows.
func objects[T any](rows iter.Seq[T], base func(*T) *Base, write func(*encoder, *T)) iter.Seq[object] {
	return func(yield func(object) bool) {
		if rows == nil {
			return
		}
		for row := range rows {
			if !yield(object{base(&row), func(e *encoder) { write(e, &row) }}) {
				return
			}
		}
	}
}

type part struct {
	code string
	rows iter.Seq[object]
}

func (o *writer) types() []part {
	x := &o.x
	return []part{
		{"WPL", objects(x.Localities, func(r *Locality) *Base { return &r.Base }, (*encoder).locality)},
		{"OPR", objects(x.Spaces, func(r *PublicSpace) *Base { return &r.Base }, (*encoder).space)},
		{"NUM", objects(x.Designations, func(r *Designation) *Base { return &r.Base }, (*encoder).designation)},
		{"VBO", objects(x.Units, func(r *Unit) *Base { return &r.Base }, (*encoder).unit)},
		{"LIG", objects(x.Berths, func(r *Place) *Base { return &r.Base }, (*encoder).berth)},
		{"STA", objects(x.Pitches, func(r *Place) *Base { return &r.Base }, (*encoder).pitch)},
		{"PND", objects(x.Buildings, func(r *Building) *Base { return &r.Base }, (*encoder).building)},
	}
}

// parts writes the zip of every type and the three collections beside them.
func (o *writer) parts(z *zip.Writer) error {
	types := o.types()
	stream := func(p part, prefix string, in func(*Base) bool) func(*zip.Writer) error {
		return func(z *zip.Writer) error {
			return o.files(z, prefix+p.code, p.code, func(yield func(object) bool) {
				for row := range p.rows {
					if in(row.base) && !yield(row) {
						return
					}
				}
			})
		}
	}
	for _, p := range types {
		regular := func(b *Base) bool { return b.Inactive == "" && b.NotBAG == "" }
		if err := o.nested(z, o.code+p.code+o.day+".zip", stream(p, "", regular)); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		name, prefix string
		in           func(*Base) bool
	}{
		{"Inactief", "IA", func(b *Base) bool { return b.Inactive != "" && b.NotBAG == "" }},
		{"NietBag", "NB", func(b *Base) bool { return b.NotBAG != "" }},
	} {
		err := o.nested(z, o.code+c.name+o.day+".zip", func(z *zip.Writer) error {
			for _, p := range types {
				if err := o.nested(z, o.code+c.prefix+p.code+o.day+".zip", stream(p, c.prefix, c.in)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return o.nested(z, o.code+"InOnderzoek"+o.day+".zip", func(z *zip.Writer) error {
		for _, p := range types {
			rows := func(yield func(object) bool) {
				for i := range o.x.Inquiries {
					q := &o.x.Inquiries[i]
					if q.Type == p.code && !yield(object{nil, func(e *encoder) { e.inquiry(q) }}) {
						return
					}
				}
			}
			err := o.nested(z, o.code+"IO"+p.code+o.day+".zip", func(z *zip.Writer) error { return o.files(z, "IO"+p.code, p.code, rows) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// files writes the numbered XML files of one part; without any row there is one empty file.
func (o *writer) files(z *zip.Writer, stream, code string, rows iter.Seq[object]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	row, more := next()
	for serial := 1; serial == 1 || more; serial++ {
		w, err := o.create(z, fmt.Sprintf("%s%s%s-%06d.xml", o.code, stream, o.day, serial), zip.Deflate)
		if err != nil {
			return err
		}
		e := &encoder{w: bufio.NewWriterSize(w, 64<<10)}
		o.open(e, code)
		for range perFile {
			if !more {
				break
			}
			row.write(e)
			row, more = next()
		}
		e.raw("\n  </sl:standBestand>\n</sl-bag-extract:bagStand>\n")
		if err := e.w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// nested writes a zip inside a zip. It is stored, not compressed, as in the national delivery: so it can be read in place.
func (o *writer) nested(z *zip.Writer, name string, fill func(*zip.Writer) error) error {
	w, err := o.create(z, name, zip.Store)
	if err != nil {
		return err
	}
	inner := zip.NewWriter(w)
	if err := fill(inner); err != nil {
		return err
	}
	return inner.Close()
}

func (o *writer) text(z *zip.Writer, name, text string) error {
	w, err := o.create(z, name, zip.Deflate)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (o *writer) create(z *zip.Writer, name string, method uint16) (io.Writer, error) {
	return z.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: o.x.Date})
}

func (o *writer) delivery() string {
	return xmlHead + `<xb:BAG-Extract-Levering xmlns:xb="http://www.kadaster.nl/schemas/lvbag/extract-levering/v20200601" ` +
		`xmlns:selecties-extract="http://www.kadaster.nl/schemas/lvbag/extract-selecties/v20200601">` + "\n<xb:SelectieGegevens>" +
		standDate(o.date) + o.area(true) + "</xb:SelectieGegevens>\n" +
		"<xb:SchemaInfo><xb:naam>BagvsExtractDeelbestandExtractLvc-2.1.0.xsd</xb:naam><xb:versie>20200601</xb:versie></xb:SchemaInfo>\n" +
		"</xb:BAG-Extract-Levering>\n"
}

func standDate(date string) string {
	return element("selecties-extract:LVC-Extract", element("selecties-extract:StandTechnischeDatum", date))
}

func (o *writer) area(named bool) string {
	if o.x.Municipality == "" {
		return element("selecties-extract:Gebied-Registratief", "<selecties-extract:Gebied-NLD/>")
	}
	inner := element("selecties-extract:GemeenteIdentificatie", o.code)
	if named {
		inner += element("selecties-extract:GemeenteNaam", escape(o.x.Name))
	}
	for _, name := range []string{"Gemeente", "GemeenteCollectie", "Gebied-GEM", "Gebied-Registratief"} {
		inner = element("selecties-extract:"+name, inner)
	}
	return inner
}

func (o *writer) relations() string {
	var b strings.Builder
	b.WriteString(xmlHead + `<gwr-bestand:BAG-GWR-Deelbestand-LVC ` +
		`xmlns:gwr-bestand="www.kadaster.nl/schemas/lvbag/gem-wpl-rel/gwr-deelbestand-lvc/v20200601" ` +
		`xmlns:selecties-extract="http://www.kadaster.nl/schemas/lvbag/extract-selecties/v20200601" ` +
		`xmlns:bagtypes="www.kadaster.nl/schemas/lvbag/gem-wpl-rel/bag-types/v20200601" ` +
		`xmlns:gwr-product="www.kadaster.nl/schemas/lvbag/gem-wpl-rel/gwr-producten-lvc/v20200601">`)
	b.WriteString(element("gwr-bestand:SelectieGegevens", element("selecties-extract:StandTechnischeDatum", o.date)))
	b.WriteString("\n<gwr-bestand:Product><gwr-product:GemeenteWoonplaatsRelatieProduct>")
	for _, r := range slices.SortedFunc(slices.Values(o.x.Relations), func(a, b Relation) int { return strings.Compare(a.Locality+a.Begin, b.Locality+b.Begin) }) {
		period := element("bagtypes:begindatumTijdvakGeldigheid", r.Begin)
		if r.End != "" {
			period += element("bagtypes:einddatumTijdvakGeldigheid", r.End)
		}
		b.WriteString(element("gwr-product:GemeenteWoonplaatsRelatie", element("gwr-product:tijdvakgeldigheid", period)+
			element("gwr-product:gerelateerdeWoonplaats", element("gwr-product:identificatie", r.Locality))+
			element("gwr-product:gerelateerdeGemeente", element("gwr-product:identificatie", r.Municipality))+
			element("gwr-product:status", r.State)))
	}
	b.WriteString("</gwr-product:GemeenteWoonplaatsRelatieProduct></gwr-bestand:Product>\n</gwr-bestand:BAG-GWR-Deelbestand-LVC>\n")
	return b.String()
}
