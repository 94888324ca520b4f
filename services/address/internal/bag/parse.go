package bag

import (
	"errors"
	"fmt"
	"io"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Receiver takes what one file holds, in its order. The values are scratch: whoever keeps one copies it. An error stops
// the import.
type Receiver interface {
	Object(*imbag.Object) error
	Inquiry(*imbag.Inquiry) error
	Relation(*imbag.Relation) error
}

// expectation is what a file must be, by its name and its place in the delivery.
type expectation struct {
	root    element
	typ     imbag.Type
	inquiry bool
	date    imbag.Date // of the stand; NoDate: any
}

// parser reads one XML file. It is reused for the next.
type parser struct {
	s      *scanner
	names  resolver
	want   expectation
	to     Receiver
	object imbag.Object
	query  imbag.Inquiry
	header Header
}

// Header is what a delivery says of itself.
type Header struct {
	Date  imbag.Date
	Areas []string // municipality codes; empty: the whole country
}

func newParser() *parser { return &parser{s: newScanner(nil)} }

// parse reads one file. Faults are *scanError with a position, or the error of r or of the receiver.
func (p *parser) parse(r io.Reader, want expectation, to Receiver) error {
	p.s.reset(r)
	p.want, p.to, p.header = want, to, Header{Date: imbag.NoDate}
	if t, err := p.s.next(); err != nil {
		return err
	} else if t != tokenStart {
		return p.s.fail("no XML element")
	}
	p.names.declare(p.s.attrs)
	root := p.names.element(p.s.name)
	if root != want.root {
		return p.s.fail(wrongRoot(root))
	}
	var err error
	switch root {
	case elStandRoot:
		err = p.children("bagStand", bits(elInfo, elFile), 0, func(e element) error {
			if e == elInfo {
				return p.selection("bagInfo", bits(elArea, elLVC), 0)
			}
			return p.file()
		})
	case elDeliveryRoot:
		err = p.children("BAG-Extract-Levering", bits(elSelection, elSchema), 0, func(e element) error {
			if e == elSelection {
				return p.selection("SelectieGegevens", bits(elArea, elLVC), 0)
			}
			return p.skip()
		})
	case elGWRRoot:
		err = p.relations()
	}
	if err != nil {
		return err
	}
	if p.header.Date == imbag.NoDate {
		return p.s.fail("no StandTechnischeDatum")
	}
	if t, err := p.s.next(); err != nil {
		return err
	} else if t != tokenEOF {
		return p.s.fail("something after the root element")
	}
	return nil
}

func wrongRoot(root element) string {
	switch root {
	case elMutationRoot:
		return "a file of mutations, not of a stand"
	case unknown:
		return "not a BAG 2.0 extract (schema v20200601)"
	default:
		return "not the kind of file that its name says"
	}
}

// set is a set of elements.
type set [2]uint64

func bits(elements ...element) (s set) {
	for _, e := range elements {
		s.add(e)
	}
	return s
}

func (s *set) add(e element)     { s[e>>6] |= 1 << (e & 63) }
func (s set) has(e element) bool { return s[e>>6]&(1<<(e&63)) != 0 }
func (s set) lacks(need set) bool {
	return s[0]&need[0] != need[0] || s[1]&need[1] != need[1]
}

// children calls each for every child element; it must read it to its end. Every element of need must come, and only
// those of many may come more than once.
func (p *parser) children(parent string, need set, many element, each func(element) error) error {
	var seen set
	for {
		t, err := p.s.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenText:
			if !blank(p.s.text) {
				return p.s.fail("text where elements belong")
			}
		case tokenEnd:
			if seen.lacks(need) {
				return p.s.fail(parent + " misses an element that the schema demands")
			}
			return nil
		case tokenStart:
			if err := p.noNamespaces(); err != nil {
				return err
			}
			e := p.names.element(p.s.name)
			if e == unknown {
				return p.s.fail("an element that the schema does not have in " + parent)
			}
			if seen.has(e) && e != many {
				return p.s.fail("an element that the schema allows once in " + parent)
			}
			seen.add(e)
			if err := each(e); err != nil {
				return err
			}
		default:
			return p.s.broken()
		}
	}
}

func (p *parser) noNamespaces() error {
	for _, a := range p.s.attrs {
		if len(a.name) >= 5 && string(a.name[:5]) == "xmlns" {
			return p.s.fail("a namespace declaration below the root")
		}
	}
	return nil
}

// only reads a child that is the one allowed element.
func (p *parser) only(parent string, want element, each func() error) error {
	return p.children(parent, bits(want), unknown, func(e element) error {
		if e != want {
			return p.misplaced(parent)
		}
		return each()
	})
}

func (p *parser) misplaced(parent string) error {
	return p.s.fail("an element that does not belong in " + parent)
}

// skip reads past an element that says nothing about addresses.
func (p *parser) skip() error {
	for depth := 1; depth > 0; {
		t, err := p.s.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenStart:
			depth++
		case tokenEnd:
			depth--
		}
	}
	return nil
}

// selection reads what a file says of date and area.
func (p *parser) selection(parent string, need set, many element) error {
	return p.children(parent, need, many, func(e element) error {
		switch e {
		case elArea:
			return p.area()
		case elLVC:
			return p.only("LVC-Extract", elStandDate, p.standDate)
		case elMUT:
			return p.s.fail("a delivery of mutations, not of a stand")
		case elStandDate:
			return p.standDate()
		case elReferenceDate:
			return p.skip()
		default:
			return p.misplaced(parent)
		}
	})
}

func (p *parser) standDate() error {
	text, err := p.s.leaf()
	if err != nil {
		return err
	}
	date, ok := imbag.ParseDate(trim(text))
	if !ok {
		return p.s.fail("StandTechnischeDatum is not a date")
	}
	if p.want.date != imbag.NoDate && date != p.want.date {
		return p.s.fail(fmt.Sprintf("the stand of %s in a delivery of %s", date, p.want.date))
	}
	p.header.Date = date
	return nil
}

func (p *parser) area() error {
	return p.children("Gebied-Registratief", set{}, unknown, func(e element) error {
		switch e {
		case elAreaNL:
			return p.skip()
		case elAreaGem:
			return p.only("Gebied-GEM", elMunicipalities, func() error {
				return p.children("GemeenteCollectie", bits(elMunicipality), elMunicipality, func(e element) error {
					if e != elMunicipality {
						return p.misplaced("GemeenteCollectie")
					}
					return p.municipality()
				})
			})
		default:
			return p.misplaced("Gebied-Registratief")
		}
	})
}

func (p *parser) municipality() error {
	return p.children("Gemeente", bits(elMunicipalityID), unknown, func(e element) error {
		text, err := p.s.leaf()
		if err != nil || e != elMunicipalityID {
			return err
		}
		code := string(trim(text))
		if _, ok := number(code, 4); !ok || len(code) != 4 {
			return p.s.fail("GemeenteIdentificatie is not four digits")
		}
		p.header.Areas = append(p.header.Areas, code)
		return nil
	})
}

// file reads standBestand: the list of objects or inquiries.
func (p *parser) file() error {
	return p.children("standBestand", bits(elDataset, elContent), elStand, func(e element) error {
		switch e {
		case elDataset:
			text, err := p.s.leaf()
			if err == nil && string(trim(text)) != "LVBAG" {
				err = p.s.fail("dataset is not LVBAG")
			}
			return err
		case elContent:
			return p.content()
		case elStand:
			return p.stand()
		default:
			return p.misplaced("standBestand")
		}
	})
}

func (p *parser) content() error {
	return p.children("inhoud", bits(elObjectTypes), unknown, func(e element) error {
		if e != elObjectTypes {
			return p.skip()
		}
		return p.only("objectTypen", elObjectType, func() error {
			text, err := p.s.leaf()
			if err != nil {
				return err
			}
			if t, ok := imbag.TypeByCode(string(trim(text))); !ok || t != p.want.typ {
				return p.s.fail("objectType is not what the file's name says")
			}
			return nil
		})
	})
}

func (p *parser) stand() error {
	want, typed := elObject, elTypedObject
	if p.want.inquiry {
		want, typed = elInquiry, elTypedInquiry
	}
	return p.only("stand", want, func() error {
		return p.children("bagObject", bits(typed), unknown, func(e element) error {
			if e != typed || !p.isWanted() {
				return p.s.fail("an object of another type than the file's name says")
			}
			if p.want.inquiry {
				return p.inquiry()
			}
			return p.objectOf(p.want.typ)
		})
	})
}

// isWanted compares the local name with the type; elTypedObject alone does not tell which.
func (p *parser) isWanted() bool {
	name := p.s.name
	for i, b := range name {
		if b == ':' {
			name = name[i+1:]
			break
		}
	}
	t := p.want.typ
	if p.want.inquiry {
		return string(name) == inquiryNames[t]
	}
	return string(name) == objectNames[t]
}

var (
	objectNames = [...]string{"", "Woonplaats", "OpenbareRuimte", "Nummeraanduiding", "Verblijfsobject", "Ligplaats", "Standplaats", "Pand"}

	inquiryNames = [...]string{"", "KenmerkWoonplaatsInOnderzoek", "KenmerkOpenbareruimteInOnderzoek", "KenmerkNummeraanduidingInOnderzoek",
		"KenmerkVerblijfsobjectInOnderzoek", "KenmerkLigplaatsInOnderzoek", "KenmerkStandplaatsInOnderzoek", "KenmerkPandInOnderzoek"}
)

// place gives a parse error its position as a Fault; other errors pass.
func place(l location, err error) error {
	var s *scanError
	if errors.As(err, &s) {
		return l.fault(s.offset, "%s", s.reason)
	}
	return err
}
