package bag

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/services/address/internal/bagtest"
)

// town gives the bytes of an extract with the first objects of the fictional town.
func town(t testing.TB) []byte {
	t.Helper()
	x := bagextract.Town()
	x.Designations = first(x.Designations, 60)
	x.Units, x.Buildings, x.Inquiries = first(x.Units, 10), first(x.Buildings, 10), nil
	var b bytes.Buffer
	if err := bagextract.Write(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func first[T any](rows iter.Seq[T], n int) iter.Seq[T] {
	return slices.Values(slices.Collect(rows)[:n])
}

// repack writes a zip anew, at every level, with what edit makes of its files; nil leaves a file out.
func repack(t testing.TB, content []byte, at string, edit func(path string, content []byte) []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		inner, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(at+" > "+f.Name, " > ")
		if strings.HasSuffix(f.Name, ".zip") {
			inner = repack(t, inner, path, edit)
		}
		if inner = edit(path, inner); inner == nil {
			continue
		}
		add(t, w, f.Name, f.Method, inner)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func add(t testing.TB, w *zip.Writer, name string, method uint16, content []byte) {
	t.Helper()
	entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	if err == nil {
		_, err = entry.Write(content)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// read opens and reads an extract of these bytes.
func read(t testing.TB, content []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "extract.zip")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return readFile(t, path)
}

func readFile(t testing.TB, path string) error {
	t.Helper()
	x, err := Open(t.Context(), path)
	if err != nil {
		return err
	}
	defer x.Close()
	return x.Read(t.Context(), &counter{})
}

const designations = "9901GEM01112026.zip > 9901NUM01112026.zip > 9901NUM01112026-000001.xml"

// inDesignations replaces the first old in the file of designations.
func inDesignations(t testing.TB, old, replacement string) []byte {
	t.Helper()
	done := false
	content := repack(t, town(t), "", func(path string, content []byte) []byte {
		if path == designations {
			done = bytes.Contains(content, []byte(old))
			return bytes.Replace(content, []byte(old), []byte(replacement), 1)
		}
		return content
	})
	if !done {
		t.Fatalf("the town has no %q to replace", old)
	}
	return content
}

func TestTheTownIsRead(t *testing.T) {
	if err := read(t, town(t)); err != nil {
		t.Error(err)
	}
}

func TestFaultyXMLIsRefusedWithFileInnerFilesAndPosition(t *testing.T) {
	const id = "9901200000000001"
	for name, c := range map[string]struct{ old, new, reason string }{
		"a broken identification":                     {id, "990120000000000X", "broken identification"},
		"an identification of another type":           {id, "9901300000000001", "broken identification"},
		"a domein of another type":                    {`domein="NL.IMBAG.Nummeraanduiding"`, `domein="NL.IMBAG.Pand"`, "domein"},
		"a document type":                             {"?>", "?><!DOCTYPE x [<!ENTITY a \"b\">]>", "document type"},
		"an entity of its own":                        {"NH-2012-0417", "&a;", "entity"},
		"a processing instruction":                    {"<sl:dataset>", "<?php x?><sl:dataset>", "processing instruction"},
		"an element that the schema does not have":    {"<Objecten:huisnummer>", "<Objecten:vreemd/><Objecten:huisnummer>", "schema does not have"},
		"an element twice":                            {"<Objecten:huisnummer>1</Objecten:huisnummer>", "<Objecten:huisnummer>1</Objecten:huisnummer><Objecten:huisnummer>1</Objecten:huisnummer>", "allows once"},
		"an element that is missing":                  {"<Objecten:huisnummer>1</Objecten:huisnummer>", "", "misses an element"},
		"a house number of zero":                      {"<Objecten:huisnummer>1<", "<Objecten:huisnummer>0<", "does not allow"},
		"a postcode in small letters":                 {"9990AA", "9990aa", "does not allow"},
		"a day that no year has":                      {"<Historie:beginGeldigheid>2012-05-01", "<Historie:beginGeldigheid>2012-02-30", "not a date"},
		"a moment with a zone":                        {"T10:15:00.000<", "T10:15:00.000Z<", "not a moment"},
		"an end before the beginning":                 {"<Historie:eindGeldigheid>2027-01-01", "<Historie:eindGeldigheid>2001-01-01", "before beginGeldigheid"},
		"an unknown status":                           {"Naamgeving uitgegeven", "Naamgeving bedacht", "does not allow"},
		"another namespace":                           {"imbag/objecten/v20200601", "imbag/objecten/v20990601", "schema does not have"},
		"a namespace declared below the root":         {"<Objecten:Nummeraanduiding>", `<Objecten:Nummeraanduiding xmlns:a="b">`, "below the root"},
		"another encoding":                            {`encoding="UTF-8"`, `encoding="UTF-16"`, "not encoded in UTF-8"},
		"a character that XML does not have":          {"NH-2012-0417", "NH\x01", "character"},
		"bytes that are not UTF-8":                    {"NH-2012-0417", "NH\xff", "character"},
		"the stand of another day":                    {"2026-11-01", "2026-10-01", "stand of 2026-10-01 in a delivery of 2026-11-01"},
		"objects of another type than the name says":  {"<sl:objectType>NUM", "<sl:objectType>VBO", "objectType"},
		"a tag that is never closed":                  {"</sl:standBestand>", "", "end tag"},
		"text between the elements":                   {"<Objecten:huisnummer>", "x<Objecten:huisnummer>", "text where elements belong"},
		"more attributes than any element":            {"<Objecten:huisnummer>", "<Objecten:huisnummer" + strings.Repeat(` a=""`, 65) + ">", "attributes"},
		"a tag of 100 kB":                             {"<Objecten:huisnummer>", `<Objecten:huisnummer a="` + strings.Repeat("x", 100<<10) + `">`, "longer than any extract"},
		"elements nested deeper than any extract":     {"<Objecten:huisnummer>1", "<Objecten:huisnummer>" + strings.Repeat("<a>", 40), "an element where a value belongs"},
		"a root that goes on":                         {"</sl-bag-extract:bagStand>", "</sl-bag-extract:bagStand><a/>", "second root"},
		"a document number of 41 characters":          {"NH-2012-0417", strings.Repeat("x", 41), "1 to 40"},
		"a file of mutations under a name of a stand": {"<sl-bag-extract:bagStand ", "<a ", "not a BAG 2.0 extract"},
	} {
		t.Run(name, func(t *testing.T) {
			err := read(t, inDesignations(t, c.old, c.new))
			var f *Fault
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a Fault", err)
			}
			if f.File != "extract.zip" || strings.Join(f.Inner, " > ") != designations || f.Offset < 0 {
				t.Errorf("got file %q, inner %q, position %d; want all three", f.File, f.Inner, f.Offset)
			}
			if !strings.Contains(f.Reason, c.reason) {
				t.Errorf("got %q, want it to say %q", f.Error(), c.reason)
			}
		})
	}
}

func TestThePositionIsThatOfTheFault(t *testing.T) {
	content := inDesignations(t, "9901200000000007", "99012000000000xx")
	var f *Fault
	if err := read(t, content); !errors.As(err, &f) {
		t.Fatalf("got %v, want a Fault", err)
	}
	var file []byte
	repack(t, content, "", func(path string, content []byte) []byte {
		if path == designations {
			file = content
		}
		return content
	})
	if got, want := f.Offset, int64(bytes.Index(file, []byte("99012000000000xx"))); got != want {
		t.Errorf("got position %d, want %d", got, want)
	}
}

func TestFaultyArchivesAreRefused(t *testing.T) {
	whole := town(t)
	without := func(part string) []byte {
		return repack(t, whole, "", func(path string, content []byte) []byte {
			if strings.HasSuffix(path, part) {
				return nil
			}
			return content
		})
	}
	with := func(name string, method uint16, content []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		z, _ := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
		for _, f := range z.File {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
		add(t, w, name, method, content)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		content []byte
		reason  string
	}{
		"an empty file":                {nil, "not a zip"},
		"a file that is no zip":        {[]byte("<bagStand/>"), "not a zip"},
		"a zip cut off":                {whole[:len(whole)-100], "not a zip file, or cut off"},
		"no delivery document":         {without("Leveringsdocument-BAG-Extract.xml"), "not a BAG 2.0 extract"},
		"a type that is missing":       {without("> 9901VBO01112026.zip"), "no part with verblijfsobject"},
		"an inner zip without files":   {without(designations), "not complete"},
		"an entry that leaves the zip": {with("../../etc/passwd", zip.Deflate, []byte("x")), "with a path"},
		"an entry with a root":         {with("/etc/passwd", zip.Deflate, []byte("x")), "with a path"},
		"two entries of one name":      {with("Leveringsdocument-BAG-Extract.xml", zip.Deflate, []byte("x")), "two entries"},
		"a file that does not belong":  {with("lees-mij.txt", zip.Deflate, []byte("x")), "not a file that an extract has"},
		"a bomb":                       {with("GEM-WPL-RELATIE-01112026-bom.zip", zip.Deflate, make([]byte, 64<<20)), "zip bomb"},
		"another stream of mutations":  {with("9999MUT01112026-02112026.zip", zip.Store, []byte("x")), "mutations"},
		"an inner zip that is none":    {with("9999OPR01112026.zip", zip.Store, []byte("not a zip")), "not a zip"},
		"a part of another day":        {with("9999OPR02112026.zip", zip.Store, []byte("not a zip")), "another day"},
	} {
		t.Run(name, func(t *testing.T) {
			err := read(t, c.content)
			var f *Fault
			if !errors.As(err, &f) || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), "extract.zip") {
				t.Errorf("got %v, want a Fault that names extract.zip and says %q", err, c.reason)
			}
		})
	}
}

func TestOverlappingEntriesAreRefused(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add(t, w, "a.xml", zip.Store, []byte("aaaaaaaa"))
	add(t, w, "b.xml", zip.Store, []byte("aaaaaaaa"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content := b.Bytes()
	// Point the directory entry of b at the local header of a: both share their bytes.
	at := bytes.LastIndex(content, []byte("b.xml"))
	copy(content[at-4:at], []byte{0, 0, 0, 0})
	_, err := openArchive(bytes.NewReader(content), int64(len(content)), location{file: "x.zip"})
	if err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("got %v, want a refusal of the overlap", err)
	}
}

func TestAnEntryThatBeginsBehindTheEndIsRefused(t *testing.T) {
	content := zipped(t, "a.xml", []byte("aaaaaaaa"))
	// The local header says that the name is longer than all of the file.
	copy(content[26:28], []byte{0xff, 0xff})
	_, err := openArchive(bytes.NewReader(content), int64(len(content)), location{file: "x.zip"})
	if err == nil || !strings.Contains(err.Error(), "outside the zip") {
		t.Errorf("got %v, want a refusal of what lies outside the zip", err)
	}
}

// zipped gives a zip with one stored entry.
func zipped(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add(t, w, name, zip.Store, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZipsNestedDeeperThanTheLayoutsAreRefusedAtTheFirstLevelTooMany(t *testing.T) {
	const (
		inquiries    = "9901InOnderzoek01112026.zip"
		municipality = "9901GEM01112026.zip"
	)
	nested := zipped(t, "9901Inactief01112026.zip", zipped(t, "x", nil))
	for range 200 {
		nested = zipped(t, inquiries, nested)
	}
	content := repack(t, town(t), "", func(path string, content []byte) []byte {
		if path == municipality+" > "+inquiries {
			return nested
		}
		return content
	})
	var f *Fault
	if err := read(t, content); !errors.As(err, &f) || !strings.Contains(f.Reason, "at this place") {
		t.Fatalf("got %v, want a refusal", err)
	}
	if want := []string{municipality, inquiries, inquiries}; !slices.Equal(f.Inner, want) || f.File != "extract.zip" {
		t.Errorf("got %s in %q, want extract.zip and %q", f.File, f.Inner, want)
	}
}

func TestAFaultRepeatsOnlyTheBeginningOfAnEndlessName(t *testing.T) {
	at := location{file: "x.zip"}.in(strings.Repeat("é", 30_000))
	if got := at.fault(-1, "wrong").Error(); len(got) > 200 || !utf8.ValidString(got) {
		t.Errorf("got %d bytes, want a short text", len(got))
	}
}

func TestACorruptedByteInTheDataIsFound(t *testing.T) {
	content := town(t)
	found := 0
	for i := 1; i < 12; i++ {
		broken := bytes.Clone(content)
		broken[len(broken)*i/12] ^= 0x55
		if err := read(t, broken); err != nil {
			found++
		}
	}
	// A byte of a time stamp or of an empty header says nothing; nearly all others are data under a CRC.
	if found < 9 {
		t.Errorf("%d of 11 corruptions were found", found)
	}
}

func TestThePublicHostileFilesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, reason string }{
		"a delivery of mutations":    {"mutations/BAGNLDM-13112021-14112021.zip", "mutations"},
		"one part instead of all":    {"nlextract/0221PND15092020.zip", "not a BAG 2.0 extract"},
		"XML instead of a zip":       {"gob-bagextract/full.xml", "not a zip"},
		"an empty list of inquiries": {"gob-bagextract/mutations_inonderzoek_empty.xml", "not a zip"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := readFile(t, bagtest.SharedData(t, c.file)); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want it to say %q", err, c.reason)
			}
		})
	}
}
