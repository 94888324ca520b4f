package bag

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"noorderhub.nl/hub/services/address/internal/bagtest"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// lines is a receiver that keeps what it gets as text.
type lines struct {
	objects   []string
	inquiries []imbag.Inquiry
}

func (l *lines) Object(o *imbag.Object) error {
	l.objects = append(l.objects, bagtest.Line(o))
	return nil
}
func (l *lines) Inquiry(q *imbag.Inquiry) error { l.inquiries = append(l.inquiries, *q); return nil }
func (l *lines) Relation(*imbag.Relation) error { return nil }

func parseStand(r io.Reader, t imbag.Type, inquiry bool) (*lines, error) {
	to := &lines{}
	err := newParser().parse(r, expectation{root: elStandRoot, typ: t, inquiry: inquiry, date: imbag.NoDate}, to)
	return to, err
}

func TestSetsOfElementsHoldThemAll(t *testing.T) {
	if elTypedInquiry >= 128 {
		t.Errorf("%d elements do not fit in a set of 128", elTypedInquiry)
	}
}

// TestAFileIsReadTheSameInPiecesOfOneByte proves that no token depends on where a buffer ends.
func TestAFileIsReadTheSameInPiecesOfOneByte(t *testing.T) {
	var file []byte
	repack(t, town(t), "", func(path string, content []byte) []byte {
		if path == designations {
			file = content
		}
		return content
	})
	whole, err := parseStand(bytes.NewReader(file), imbag.Designation, false)
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := parseStand(iotest.OneByteReader(bytes.NewReader(file)), imbag.Designation, false)
	if err != nil {
		t.Fatal(err)
	}
	want, err := bagtest.Lines(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(whole.objects, want) || !slices.Equal(pieces.objects, want) {
		t.Errorf("got %d and %d objects, want the %d of encoding/xml", len(whole.objects), len(pieces.objects), len(want))
	}
}

func TestCommentsAndSectionsAndReferencesAreText(t *testing.T) {
	var file []byte
	content := inDesignations(t, "NH-2012-0417", "A<!-- c > -->&lt;<![CDATA[&b]]>&#233;&#xEB;")
	repack(t, content, "", func(path string, content []byte) []byte {
		if path == designations {
			file = content
		}
		return content
	})
	got, err := parseStand(bytes.NewReader(file), imbag.Designation, false)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.objects[0], "|A<&béë|") {
		t.Errorf("got %s", got.objects[0])
	}
}

func TestSingleFilesOfOthersAreRead(t *testing.T) {
	open := func(name string) io.Reader {
		f, err := os.Open(bagtest.SharedData(t, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	// The outline crosses itself. That is what the register says, so it is kept as it is.
	got, err := parseStand(open("nlextract/pand-gml-bad.xml"), imbag.Building, false)
	if err != nil || len(got.objects) == 0 {
		t.Errorf("got %v, want the bad outline kept", err)
	}
	full, err := parseStand(open("gob-bagextract/full_inonderzoek.xml"), imbag.AccommodationUnit, true)
	if err != nil || len(full.inquiries) == 0 || full.inquiries[0].ID.String()[4:6] != "01" {
		t.Errorf("got %v and %v, want inquiries", full.inquiries, err)
	}
	_, err = parseStand(open("gob-bagextract/full_inonderzoek_broken_id.xml"), imbag.AccommodationUnit, true)
	var s *scanError
	if !errors.As(err, &s) || s.offset == 0 || !strings.Contains(s.reason, "misses an element") {
		t.Errorf("got %v, want a refusal of the record without its attribute", err)
	}
	_, err = parseStand(open("gob-bagextract/mutations.xml"), imbag.Designation, false)
	if err == nil || !strings.Contains(err.Error(), "mutations") {
		t.Errorf("got %v, want a refusal of mutations", err)
	}
}

func TestMillimetres(t *testing.T) {
	for text, want := range map[string]int32{"0.0": 0, "1": 1000, "133449.866": 133449866, "-0.5": -500, "12.3456": 12346, "1.0E-4": 0, "7.": 7000, "2147483.647": 2147483647} {
		if got, ok := millimetres([]byte(text)); !ok || got != want {
			t.Errorf("%s: got %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-", ".", ".5", "1,5", "0x10", "NaN", "Inf", "1e40", "2147483.648", "1.2.3", "--1", "1_0"} {
		if got, ok := millimetres([]byte(text)); ok {
			t.Errorf("%q: got %d, want a refusal", text, got)
		}
	}
}

// FuzzScanner compares with encoding/xml: what is accepted must be well formed there too and mean the same objects.
func FuzzScanner(f *testing.F) {
	var file []byte
	repack(f, town(f), "", func(path string, content []byte) []byte {
		if path == designations {
			file = content
		}
		return content
	})
	cut := bytes.Index(file, []byte("<sl:stand>"))
	end := bytes.Index(file[cut:], []byte("</sl:stand>")) + cut + len("</sl:stand>")
	small := append(bytes.Clone(file[:end]), "\n  </sl:standBestand>\n</sl-bag-extract:bagStand>\n"...)
	f.Add(small)
	for _, change := range []string{"&amp;", "&#65;", "<![CDATA[x]]>", "<!-- -->", "\r\n", "é", "]]>", "<a/>", "&b;", "<?x?>", "\x00", "<!DOCTYPE a>"} {
		f.Add(bytes.Replace(small, []byte("NH-2012"), []byte("NH"+change), 1))
		f.Add(bytes.Replace(small, []byte("<Objecten:huisnummer>"), []byte(change+"<Objecten:huisnummer>"), 1))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := parseStand(bytes.NewReader(content), imbag.Designation, false)
		if err != nil {
			return
		}
		want, err := bagtest.Lines(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("accepted what encoding/xml refuses: %v", err)
		}
		for i := range want { // typed values are read without the white space around them
			want[i] = collapse(want[i])
		}
		for i := range got.objects {
			got.objects[i] = collapse(got.objects[i])
		}
		if !slices.Equal(got.objects, want) {
			t.Fatalf("got\n%q\nwant\n%q", got.objects, want)
		}
	})
}

func collapse(line string) string {
	fields := strings.Split(line, "|")
	for i, f := range fields {
		fields[i] = strings.TrimSpace(f)
	}
	return strings.Join(fields, "|")
}
