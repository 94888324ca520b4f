// Package bagtest is an independent reading of BAG extracts, for tests: encoding/xml over struct tags and unpacked zips,
// sharing no code with the reader it checks. It gives one line of text per occurrence; Line gives the same for what the
// service holds.
package bagtest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// SharedData finds a file of the public data sets beside the repository; the test is skipped, with the reason, where it
// is not there.
func SharedData(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "data", "address", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the public data set is not beside the repository: %v", err)
	}
	return path
}

// Heavy skips a test that reads a real extract whole with encoding/xml when the race detector is in: it would take
// minutes, and proves nothing that the fictional town does not prove there.
func Heavy(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("a real extract is read whole without the race detector only")
	}
}

// Weesp is the name, in the public data sets, of the real extract of that municipality.
const Weesp = "weesp-0457/BAGGEM0457L-15092021.zip"

type ref struct {
	ID string `xml:",chardata"`
}

type occurrence struct {
	Number        string `xml:"voorkomenidentificatie"`
	Begin         string `xml:"beginGeldigheid"`
	End           string `xml:"eindGeldigheid"`
	Registered    string `xml:"tijdstipRegistratie"`
	EndRegistered string `xml:"eindRegistratie"`
	Inactive      string `xml:"tijdstipInactief"`
	LV            struct {
		Registered    string `xml:"tijdstipRegistratieLV"`
		EndRegistered string `xml:"tijdstipEindRegistratieLV"`
		Inactive      string `xml:"tijdstipInactiefLV"`
		NotBAG        string `xml:"tijdstipNietBagLV"`
	} `xml:"BeschikbaarLV"`
}

type ring struct {
	Positions string `xml:"LinearRing>posList"`
}

type polygon struct {
	Dimension string `xml:"srsDimension,attr"`
	Exterior  ring   `xml:"exterior"`
	Interior  []ring `xml:"interior"`
}

// object holds the fields of all types; which of them an XML object has follows from its type.
type object struct {
	ID         string       `xml:"identificatie"`
	Occurrence occurrence   `xml:"voorkomen>Voorkomen"`
	Status     string       `xml:"status"`
	Recorded   string       `xml:"geconstateerd"`
	DocDate    string       `xml:"documentdatum"`
	Document   string       `xml:"documentnummer"`
	Name       string       `xml:"naam"`
	ShortName  string       `xml:"verkorteNaam>VerkorteNaamOpenbareRuimte>verkorteNaam"`
	Type       string       `xml:"type"`
	Locality   string       `xml:"ligtIn>WoonplaatsRef"`
	Number     string       `xml:"huisnummer"`
	Letter     string       `xml:"huisletter"`
	Suffix     string       `xml:"huisnummertoevoeging"`
	Postcode   string       `xml:"postcode"`
	Designates string       `xml:"typeAdresseerbaarObject"`
	Space      string       `xml:"ligtAan>OpenbareRuimteRef"`
	Main       string       `xml:"heeftAlsHoofdadres>NummeraanduidingRef"`
	Secondary  []ref        `xml:"heeftAlsNevenadres>NummeraanduidingRef"`
	Buildings  []ref        `xml:"maaktDeelUitVan>PandRef"`
	Uses       []string     `xml:"gebruiksdoel"`
	Area       string       `xml:"oppervlakte"`
	Year       string       `xml:"oorspronkelijkBouwjaar"`
	Point      *pointHolder `xml:"geometrie>punt>Point"`
	Surface    []polygon    `xml:"geometrie>vlak>Polygon"`
	Multi      []polygon    `xml:"geometrie>multivlak>MultiSurface>surfaceMember>Polygon"`
	Plain      []polygon    `xml:"geometrie>Polygon"`
}

type pointHolder struct {
	Dimension string `xml:"srsDimension,attr"`
	Position  string `xml:"pos"`
}

// names of the elements of objects and their three letters.
var names = map[string]string{"Woonplaats": "WPL", "OpenbareRuimte": "OPR", "Nummeraanduiding": "NUM", "Verblijfsobject": "VBO",
	"Ligplaats": "LIG", "Standplaats": "STA", "Pand": "PND"}

// Lines reads an XML file of objects and gives a line for each.
func Lines(r io.Reader) ([]string, error) {
	d := xml.NewDecoder(r)
	var lines []string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		start, ok := t.(xml.StartElement)
		if !ok || names[start.Name.Local] == "" || !strings.HasSuffix(start.Name.Space, "/imbag/objecten/v20200601") {
			continue
		}
		var o object
		if err := d.DecodeElement(&o, &start); err != nil {
			return lines, err
		}
		lines = append(lines, o.line(names[start.Name.Local]))
	}
}

// Extract reads every object of the extract at path, and gives its lines by the three letters of the type, sorted.
func Extract(t testing.TB, path string) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	unpack(t, content, all)
	for _, lines := range all {
		slices.Sort(lines)
	}
	return all
}

func unpack(t testing.TB, content []byte, all map[string][]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".zip") && !strings.HasSuffix(f.Name, ".xml") || strings.HasPrefix(f.Name, "__MACOSX") {
			continue // what a desktop added to a sample
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		inner, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, ".zip") {
			unpack(t, inner, all)
			continue
		}
		lines, err := Lines(bytes.NewReader(inner))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, line := range lines {
			all[line[:3]] = append(all[line[:3]], line)
		}
	}
}

func ids(refs []ref) string {
	var all []string
	for _, r := range refs {
		all = append(all, r.ID)
	}
	return strings.Join(all, ",")
}

func (o *object) line(code string) string {
	slices.Sort(o.Uses)
	c := &o.Occurrence
	fields := []string{code, o.ID, c.Number, c.Begin, c.End, moment(c.Registered), moment(c.EndRegistered), moment(c.Inactive), moment(c.LV.Registered),
		moment(c.LV.EndRegistered), moment(c.LV.Inactive), moment(c.LV.NotBAG), o.Status, o.Recorded, o.DocDate, o.Document, o.Name, o.ShortName, o.Type,
		o.Locality, o.Number, o.Letter, o.Suffix, o.Postcode, o.Designates, o.Space, o.Main, ids(o.Secondary), ids(o.Buildings),
		strings.Join(o.Uses, ","), o.Area, o.Year}
	geometry := ""
	switch {
	case o.Point != nil:
		geometry = "point " + numbers(o.Point.Position)
	case len(o.Multi) > 0:
		geometry = "multi " + polygons(o.Multi)
	default:
		geometry = "polygon " + polygons(append(o.Surface, o.Plain...))
	}
	return strings.Join(append(fields, geometry), "|")
}

// moment pads to milliseconds.
func moment(s string) string {
	if s == "" {
		return ""
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return s + strings.Repeat("0", 4-(len(s)-i))
	}
	return s + ".000"
}

func polygons(all []polygon) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString("(")
		for _, r := range append([]ring{p.Exterior}, p.Interior...) {
			b.WriteString("[" + numbers(r.Positions) + "]")
		}
		b.WriteString(")")
	}
	return b.String()
}

// numbers turns metres into whole millimetres.
func numbers(s string) string {
	fields := strings.Fields(s)
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			fields[i] = fmt.Sprintf("%q", f)
			continue
		}
		fields[i] = strconv.FormatInt(int64(math.Round(v*1000)), 10)
	}
	return strings.Join(fields, " ")
}
