package bagextract

// find gives the designation of a street's house number without letter and suffix.
func (t *town) find(postcode string, number int) *Designation {
	for i := range t.designations {
		if d := &t.designations[i]; d.Postcode == postcode && d.Number == number && d.Letter == "" && d.Suffix == "" {
			return d
		}
	}
	panic("bagextract: the town has no " + postcode) // its own layout is at fault
}

func (t *town) unitOf(designation string) *Unit {
	for i := range t.units {
		if t.units[i].Main == designation {
			return &t.units[i]
		}
	}
	panic("bagextract: the town has no unit at " + designation)
}

// oddities changes single addresses into the cases that readers of the register trip over.
func (t *town) oddities() {
	t.moving()
	t.withdrawn()
	t.takenBack()

	// No postcode was given out.
	t.find("9970AA", 69).Postcode = ""
	// The house stands in the village, its street begins in the town.
	t.find("9990AE", 30).Locality = villageLocality
	// Entered on the spot.
	t.find("9990AC", 20).Recorded = true
	// A building that was demolished while a unit in it is still in use: the address stays.
	for i := range t.buildings {
		if t.buildings[i].ID == t.unitOf(t.find("9970AC", 8).ID).Buildings[0] {
			t.buildings[i].Status = "Pand gesloopt"
		}
	}
	t.inquire("NUM", t.find("9990AC", 22).ID, "huisletter")
	t.inquire("OPR", t.find("9970AB", 2).Space, "naam")
	t.inquire("WPL", townLocality, "geometrie") // says nothing about addresses
}

// moving gives an address another postcode on a day to come.
func (t *town) moving() {
	now := t.find(TownMovingPostcode, TownMovingHouseNumber)
	next := *now
	next.Postcode, next.Document, next.DocumentDate = TownMovedPostcode, "NH-2026-1102", "2026-10-20"
	now.End = TownMovingDate // known beforehand: closed, and its successor is there already
	next.Occurrence = from(2, TownMovingDate)
	next.Registered = "2026-10-21T09:00:00.000"
	t.designations = append(t.designations, next)
}

// withdrawn ends an address and its unit, with their history.
func (t *town) withdrawn() {
	d := t.find("9990AC", 96)
	gone := *d
	gone.Status, gone.Occurrence = unnamed, from(2, changed)
	u := t.unitOf(d.ID)
	closed := *u
	closed.Status, closed.Occurrence = "Verblijfsobject ingetrokken", from(2, changed)
	d.Occurrence, u.Occurrence = ended(d.Occurrence, changed), ended(u.Occurrence, changed)
	t.designations = append(t.designations, gone)
	t.units = append(t.units, closed)

	// The designation stands, its unit is gone: no address.
	lone := t.unitOf(t.find("9990AC", 94).ID)
	after := *lone
	after.Status, after.Occurrence = "Verblijfsobject ingetrokken", from(2, changed)
	lone.Occurrence = ended(lone.Occurrence, changed)
	t.units = append(t.units, after)
}

// takenBack adds an occurrence that was withdrawn before its day, and one that should never have been there.
func (t *town) takenBack() {
	inactive := *t.find("9990AC", 2)
	inactive.Postcode, inactive.Occurrence = "9990ZZ", from(2, "2020-01-01")
	inactive.Registered, inactive.Inactive = "2019-10-01T10:15:00.000", "2019-12-02T08:30:00.000"
	not := *t.find("9990AC", 4)
	not.Postcode, not.Occurrence = "9990ZZ", from(2, "2020-01-01")
	not.NotBAG = "2020-02-03T11:45:30.500"
	t.designations = append(t.designations, inactive, not)
}

// inquire adds an inquiry that is going on and one into the same attribute that was over long ago.
func (t *town) inquire(kind, id, attribute string) {
	over := Inquiry{Type: kind, ID: id, Attribute: attribute, Active: true, DocumentDate: "2015-03-02", Document: "NH-2015-0031",
		Occurrence: ended(from(0, "2015-03-02"), "2015-04-01")}
	closed := over
	closed.Active, closed.Occurrence = false, ended(from(0, "2015-04-01"), "2026-09-01")
	open := over
	open.DocumentDate, open.Document, open.Occurrence = "2026-09-01", "NH-2026-0900", from(0, "2026-09-01")
	t.inquiries = append(t.inquiries, over, closed, open)
}
