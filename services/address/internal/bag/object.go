package bag

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// required holds what the schema demands per type.
var required = [...]set{
	imbag.Locality:    bits(elID, elName, elGeometry, elStatus, elRecorded, elDocDate, elDocument, elOccurrences),
	imbag.PublicSpace: bits(elID, elName, elType, elStatus, elRecorded, elDocDate, elDocument, elLiesIn, elOccurrences),
	imbag.Designation: bits(elID, elNumber, elDesignates, elStatus, elRecorded, elDocDate, elDocument, elOccurrences, elLiesOn),
	imbag.AccommodationUnit: bits(elMain, elOccurrences, elID, elGeometry, elUse, elArea2, elStatus, elRecorded, elDocDate, elDocument,
		elPartOf),
	imbag.Berth:    bits(elMain, elOccurrences, elID, elGeometry, elStatus, elRecorded, elDocDate, elDocument),
	imbag.Pitch:    bits(elMain, elOccurrences, elID, elGeometry, elStatus, elRecorded, elDocDate, elDocument),
	imbag.Building: bits(elID, elGeometry, elYear, elStatus, elRecorded, elDocDate, elDocument, elOccurrences),
}

// allowed holds what the schema has per type beyond required.
var optional = [...]set{
	imbag.PublicSpace: bits(elShortNameOuter), imbag.Designation: bits(elLetter, elSuffix, elPostcode, elLiesIn),
	imbag.AccommodationUnit: bits(elSecondary), imbag.Berth: bits(elSecondary), imbag.Pitch: bits(elSecondary), imbag.Building: {},
}

// objectOf reads one occurrence of an object. The order of its elements differs per type, so none is assumed.
func (p *parser) objectOf(t imbag.Type) error {
	o := &p.object
	o.Reset()
	o.Type = t
	parent := objectNames[t]
	err := p.children(parent, required[t], elUse, func(e element) error {
		if !required[t].has(e) && !optional[t].has(e) {
			return p.misplaced(parent)
		}
		return p.field(o, e)
	})
	if err != nil {
		return err
	}
	return p.to.Object(o)
}

func (p *parser) field(o *imbag.Object, e element) (err error) {
	switch e {
	case elID:
		o.ID, err = p.id(o.Type)
	case elOccurrences:
		err = p.only("voorkomen", elOccurrence, p.occurrence)
	case elGeometry:
		err = p.geometry(o.Type, &o.Geometry)
	case elLiesIn:
		o.Locality, err = p.ref("ligtIn", imbag.Locality)
	case elLiesOn:
		o.Space, err = p.ref("ligtAan", imbag.PublicSpace)
	case elMain:
		o.Main, err = p.ref("heeftAlsHoofdadres", imbag.Designation)
	case elSecondary:
		o.Secondary, err = p.refs("heeftAlsNevenadres", imbag.Designation, o.Secondary)
	case elPartOf:
		o.Buildings, err = p.refs("maaktDeelUitVan", imbag.Building, o.Buildings)
	case elShortNameOuter:
		err = p.only("verkorteNaam", elShortNameMiddle, func() error {
			return p.only("VerkorteNaamOpenbareRuimte", elShortName, func() (err error) {
				o.ShortName, err = p.text("verkorteNaam", 24)
				return err
			})
		})
	default:
		err = p.value(o, e)
	}
	return err
}

// value reads an element that holds text only.
func (p *parser) value(o *imbag.Object, e element) (err error) {
	switch e {
	case elName:
		o.Name, err = p.text("naam", 80)
		return err
	case elDocument:
		o.Document, err = p.text("documentnummer", 40)
		return err
	}
	text, err := p.s.leaf()
	if err != nil {
		return err
	}
	text = trim(text)
	ok := true
	switch e {
	case elStatus:
		o.Status, ok = imbag.ParseStatus(o.Type, text)
	case elRecorded:
		o.Recorded, ok = indicator(text)
	case elDocDate:
		o.DocumentDate, ok = imbag.ParseDate(text)
	case elType:
		o.SpaceType, ok = imbag.SpaceTypes.Parse(text)
	case elDesignates:
		o.Designates, ok = imbag.Addressables.Parse(text)
	case elNumber:
		o.HouseNumber, ok = number(text, 5)
		ok = ok && o.HouseNumber > 0 && text[0] != '0'
	case elLetter:
		if ok = len(text) == 1 && alpha(text[0]); ok {
			o.Letter = text[0]
		}
	case elSuffix:
		ok = len(text) > 0 && len(text) <= 4
		for _, b := range text {
			ok = ok && (alpha(b) || b >= '0' && b <= '9')
		}
		o.Suffix = string(text)
	case elPostcode:
		o.Postcode, ok = imbag.ParsePostcode(text)
		ok = ok && len(text) == 6 && string(text[4:]) == string(bytes.ToUpper(text[4:]))
	case elUse:
		var use imbag.Enum
		use, ok = imbag.Uses.Parse(text)
		if ok && o.Uses&(1<<(use-1)) != 0 {
			return p.s.fail("the same gebruiksdoel twice")
		}
		o.Uses |= 1 << (use - 1)
	case elArea2:
		o.Area, ok = number(text, 6)
	case elYear:
		o.Year, ok = number(text, 4)
		ok = ok && len(text) == 4
	}
	if !ok {
		return p.s.fail("a value that the schema does not allow in " + objectNames[o.Type] + " " + o.ID.String())
	}
	return nil
}

// text reads a text of 1 to most characters that does not start with white space (schema: \S.*, MES-1).
func (p *parser) text(name string, most int) (string, error) {
	raw, err := p.s.leaf()
	if err != nil {
		return "", err
	}
	if n := utf8.RuneCount(raw); n == 0 || n > most || space(raw[0]) {
		return "", p.s.fail(fmt.Sprintf("%s is not a text of 1 to %d characters", name, most))
	}
	return string(raw), nil
}

// id reads an identification of a type. Its domein attribute must agree.
func (p *parser) id(t imbag.Type) (imbag.ID, error) {
	for _, a := range p.s.attrs {
		if string(a.name) == "domein" && string(a.value) != t.Domain() {
			return 0, p.s.fail("the domein of an identification of another type")
		}
	}
	text, err := p.s.leaf()
	if err != nil {
		return 0, err
	}
	id, ok := imbag.ParseID(trim(text))
	if !ok || id.Type() != t {
		return 0, p.s.fail("a broken identification of a " + t.String() + ": " + strconv.Quote(clip(text)))
	}
	return id, nil
}

func (p *parser) ref(parent string, t imbag.Type) (id imbag.ID, err error) {
	err = p.only(parent, elRef, func() error {
		id, err = p.id(t)
		return err
	})
	return id, err
}

const maxRefs = 10_000 // of one object; the largest known has some hundred

func (p *parser) refs(parent string, t imbag.Type, to []imbag.ID) ([]imbag.ID, error) {
	err := p.children(parent, bits(elRef), elRef, func(e element) error {
		if e != elRef {
			return p.misplaced(parent)
		}
		if len(to) == maxRefs {
			return p.s.fail("more references than any object has")
		}
		id, err := p.id(t)
		to = append(to, id)
		return err
	})
	return to, err
}

func trim(text []byte) []byte {
	for len(text) > 0 && space(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && space(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func clip(text []byte) string {
	if len(text) > 24 {
		return string(text[:24]) + "…"
	}
	return string(text)
}

func alpha(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// number reads 1 to most digits.
func number[S string | []byte](text S, most int) (int32, bool) {
	if len(text) == 0 || len(text) > most {
		return 0, false
	}
	n := int32(0)
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int32(text[i]-'0')
	}
	return n, true
}

func indicator(text []byte) (value, ok bool) {
	if len(text) != 1 {
		return false, false
	}
	return text[0] == 'J', text[0] == 'J' || text[0] == 'N'
}
