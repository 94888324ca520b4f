package bag

import "noorderhub.nl/hub/services/address/internal/imbag"

// occurrence reads Historie:Voorkomen into p.object.
func (p *parser) occurrence() error {
	o := &p.object.Occurrence
	err := p.children("Voorkomen", bits(elOccID, elBegin, elRegistered, elLV), unknown, func(e element) error {
		if e == elLV {
			return p.available("BeschikbaarLV", &o.RegisteredLV, &o.EndRegisteredLV, &o.InactiveLV, &o.NotBAGLV)
		}
		if e == elOccID {
			text, err := p.s.leaf()
			if err != nil {
				return err
			}
			var ok bool
			if o.Number, ok = number(trim(text), 9); !ok {
				return p.s.fail("voorkomenidentificatie is not a number")
			}
			return nil
		}
		return p.period(e, o)
	})
	if err == nil && o.End != imbag.NoDate && o.End < o.Begin {
		return p.s.fail("eindGeldigheid before beginGeldigheid")
	}
	return err
}

func (p *parser) period(e element, o *imbag.Occurrence) error {
	switch e {
	case elBegin:
		return p.date(&o.Begin)
	case elEnd:
		return p.date(&o.End)
	case elRegistered:
		return p.moment(&o.Registered)
	case elEndRegistered:
		return p.moment(&o.EndRegistered)
	case elInactive:
		return p.moment(&o.Inactive)
	case elNotBAG:
		return p.moment(&o.NotBAG)
	default:
		return p.misplaced("Voorkomen")
	}
}

func (p *parser) available(parent string, registered, ended, inactive, notBAG *imbag.Moment) error {
	return p.children(parent, bits(elRegisteredLV), unknown, func(e element) error {
		switch {
		case e == elRegisteredLV:
			return p.moment(registered)
		case e == elEndRegisteredLV:
			return p.moment(ended)
		case e == elInactiveLV && inactive != nil:
			return p.moment(inactive)
		case e == elNotBAGLV && notBAG != nil:
			return p.moment(notBAG)
		default:
			return p.misplaced(parent)
		}
	})
}

func (p *parser) date(to *imbag.Date) error {
	text, err := p.s.leaf()
	if err != nil {
		return err
	}
	var ok bool
	if *to, ok = imbag.ParseDate(trim(text)); !ok {
		return p.s.fail("not a date")
	}
	return nil
}

func (p *parser) moment(to *imbag.Moment) error {
	text, err := p.s.leaf()
	if err != nil {
		return err
	}
	var ok bool
	if *to, ok = imbag.ParseMoment(trim(text)); !ok {
		return p.s.fail("not a moment of at most milliseconds without a zone")
	}
	return nil
}

// inquiry reads one KenmerkInOnderzoek.
func (p *parser) inquiry() error {
	q := &p.query
	*q = imbag.Inquiry{Type: p.want.typ, DocumentDate: imbag.NoDate, Begin: imbag.NoDate, End: imbag.NoDate, Registered: imbag.NoMoment,
		EndRegistered: imbag.NoMoment, RegisteredLV: imbag.NoMoment, EndRegisteredLV: imbag.NoMoment}
	parent := inquiryNames[q.Type]
	need := bits(elAttribute, elInquiryOf, elInquiryActive, elInquiryDocDate, elInquiryDocument, elInquiryHistoryOuter)
	err := p.children(parent, need, unknown, func(e element) (err error) {
		switch e {
		case elInquiryOf:
			q.ID, err = p.id(q.Type)
			return err
		case elInquiryDocument:
			q.Document, err = p.text("documentnummer", 40)
			return err
		case elInquiryDocDate:
			return p.date(&q.DocumentDate)
		case elInquiryHistoryOuter:
			return p.only("historieInOnderzoek", elInquiryHistory, p.inquiryHistory)
		case elAttribute, elInquiryActive:
		default:
			return p.misplaced(parent)
		}
		text, err := p.s.leaf()
		if err != nil {
			return err
		}
		var ok bool
		if e == elAttribute {
			q.Attribute, ok = imbag.Attributes.Parse(trim(text))
		} else {
			q.Active, ok = indicator(trim(text))
		}
		if !ok {
			return p.s.fail("a value that the schema does not allow in " + parent)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.to.Inquiry(q)
}

func (p *parser) inquiryHistory() error {
	q := &p.query
	return p.children("HistorieInOnderzoek", bits(elRegistered, elBegin, elLVInquiry), unknown, func(e element) error {
		switch e {
		case elRegistered:
			return p.moment(&q.Registered)
		case elEndRegistered:
			return p.moment(&q.EndRegistered)
		case elBegin:
			return p.date(&q.Begin)
		case elEnd:
			return p.date(&q.End)
		case elLVInquiry:
			return p.available("BeschikbaarLVInOnderzoek", &q.RegisteredLV, &q.EndRegisteredLV, nil, nil)
		default:
			return p.misplaced("HistorieInOnderzoek")
		}
	})
}

// relations reads a GEM-WPL-RELATIE file.
func (p *parser) relations() error {
	return p.children("BAG-GWR-Deelbestand-LVC", bits(elGWRSelection, elGWRProduct), unknown, func(e element) error {
		switch e {
		case elGWRSelection:
			return p.selection("SelectieGegevens", bits(elStandDate), unknown)
		case elGWRProduct:
			return p.only("Product", elGWRProducts, func() error {
				return p.children("GemeenteWoonplaatsRelatieProduct", bits(elRelation), elRelation, func(e element) error {
					if e != elRelation {
						return p.misplaced("GemeenteWoonplaatsRelatieProduct")
					}
					return p.relation()
				})
			})
		default:
			return p.misplaced("BAG-GWR-Deelbestand-LVC")
		}
	})
}

func (p *parser) relation() error {
	r := imbag.Relation{Begin: imbag.NoDate, End: imbag.NoDate}
	need := bits(elPeriod, elRelLocality, elRelMunicipality, elRelState)
	err := p.children("GemeenteWoonplaatsRelatie", need, unknown, func(e element) error {
		switch e {
		case elPeriod:
			return p.children("tijdvakgeldigheid", bits(elPeriodBegin), unknown, func(e element) error {
				if e == elPeriodBegin {
					return p.date(&r.Begin)
				} else if e == elPeriodEnd {
					return p.date(&r.End)
				}
				return p.misplaced("tijdvakgeldigheid")
			})
		case elRelLocality:
			return p.only("gerelateerdeWoonplaats", elRelID, func() (err error) {
				r.Locality, err = p.id(imbag.Locality)
				return err
			})
		case elRelMunicipality:
			return p.only("gerelateerdeGemeente", elRelID, func() error {
				text, err := p.s.leaf()
				if err != nil {
					return err
				}
				code, ok := number(trim(text), 4)
				if !ok || len(trim(text)) != 4 {
					return p.s.fail("a municipality is not four digits")
				}
				r.Municipality = uint16(code)
				return nil
			})
		case elRelState:
			text, err := p.s.leaf()
			if err != nil {
				return err
			}
			var ok bool
			if r.State, ok = imbag.RelationStates.Parse(trim(text)); !ok {
				return p.s.fail("a status that the relation does not have")
			}
			return nil
		default:
			return p.misplaced("GemeenteWoonplaatsRelatie")
		}
	})
	if err != nil {
		return err
	}
	return p.to.Relation(&r)
}
