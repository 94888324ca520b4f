package lookup

import "noorderhub.nl/hub/services/address/internal/imbag"

// Inquiry is a part of an address that is being looked into (in onderzoek), see the Kadaster's feature
// inonderzoek-bij-adressen-en-adressen-uitgebreid.
type Inquiry uint8

// The parts, in the order in which they are given.
const (
	InquirySpaceName Inquiry = iota
	InquiryShortName
	InquiryNumber
	InquiryLetter
	InquirySuffix
	InquiryPostcode
	InquiryLocalityName
	InquirySpaceLiesIn
	InquirySpaceStatus
	InquiryDesignationLiesIn
	InquiryDesignationLiesOn
	InquiryDesignationStatus
	inquiryCount
)

// relevant maps an attribute of an object type to the parts of an address it touches.
var relevant = map[imbag.Type]map[string][]Inquiry{
	imbag.Locality: {"naam": {InquiryLocalityName}},
	imbag.PublicSpace: {
		"naam": {InquirySpaceName, InquiryShortName}, "status": {InquirySpaceStatus}, "ligt in": {InquirySpaceLiesIn},
	},
	imbag.Designation: {
		"huisnummer": {InquiryNumber}, "huisletter": {InquiryLetter}, "huisnummertoevoeging": {InquirySuffix},
		"postcode": {InquiryPostcode}, "status": {InquiryDesignationStatus}, "ligt in": {InquiryDesignationLiesIn},
		"ligt aan": {InquiryDesignationLiesOn},
	},
}

// inquiries adds what is being looked into today.
func (f *finder) inquiries(a *Address) error {
	var under [inquiryCount]bool
	for _, id := range []imbag.ID{a.ID, a.Space, a.Locality} {
		err := f.r.Inquiries(id, func(q *imbag.Inquiry) {
			if q.ActiveOn(f.today) {
				for _, part := range relevant[q.Type][imbag.Attributes.Text(q.Attribute)] {
					under[part] = true
				}
			}
		})
		if err != nil {
			return err
		}
	}
	if f.number.Locality != 0 { // then the place of the public space says nothing about this address
		under[InquirySpaceLiesIn] = false
	}
	for part, is := range under {
		if is {
			a.Inquiries = append(a.Inquiries, Inquiry(part))
		}
	}
	return nil
}
