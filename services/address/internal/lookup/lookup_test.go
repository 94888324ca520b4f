package lookup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
	"noorderhub.nl/hub/services/address/internal/stand"
)

type registers struct{ *stand.Stand }

func (r registers) Acquire(context.Context) (lookup.Register, func(), error) {
	return r.Stand, func() {}, nil
}

// town gives a lookup in the fictional town on a day.
func town(t *testing.T) func(day string) *lookup.Lookup {
	t.Helper()
	path := filepath.Join(t.TempDir(), bagextract.TownFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bagextract.WriteTown(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	store, err := stand.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	st, err := store.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Release(); _ = store.Close() })
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return func(day string) *lookup.Lookup {
		now, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		return lookup.New(registers{st}, func() time.Time { return now }, amsterdam)
	}
}

const today = "2026-11-23T12:00:00Z"

func postcode(s string) imbag.Postcode {
	p, _ := imbag.ParsePostcode(s)
	return p
}

// found gives the lines of the addresses that a query finds, in order.
func found(t *testing.T, l *lookup.Lookup, q lookup.Query) []string {
	t.Helper()
	page, err := l.Find(t.Context(), q, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range page.Addresses {
		lines = append(lines, a.Line5())
	}
	return lines
}

func TestMissingPartsMeanAnyUnlessTheMatchIsExact(t *testing.T) {
	l := town(t)(today)
	flats := lookup.Query{Postcode: postcode(bagextract.TownFlatsPostcode), Number: bagextract.TownFlatsHouseNumber}
	with := func(letter, suffix string, exact bool) lookup.Query {
		q := flats
		q.Letter, q.Suffix, q.Exact = letter, suffix, exact
		return q
	}
	all := []string{"Marktplein 12", "Marktplein 12-1", "Marktplein 12-2", "Marktplein 12-10", "Marktplein 12 BIS", "Marktplein 12 A", "Marktplein 12 b"}
	for name, c := range map[string]struct {
		q    lookup.Query
		want []string
	}{
		"number only gives all, in natural order":       {flats, all},
		"number only, exact, gives the bare number":     {with("", "", true), []string{"Marktplein 12"}},
		"a letter gives that letter":                    {with("A", "", false), []string{"Marktplein 12 A"}},
		"a letter in the other case is the same letter": {with("B", "", true), []string{"Marktplein 12 b"}},
		"a suffix gives that suffix":                    {with("", "10", false), []string{"Marktplein 12-10"}},
		"a suffix in small letters is the same suffix":  {with("", "bis", true), []string{"Marktplein 12 BIS"}},
		"a letter that no address has gives nothing":    {with("Z", "", false), nil},
		"a letter with a suffix that it lacks":          {with("A", "1", false), nil},
	} {
		if got := found(t, l, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatHoldsIsDecidedByTheDay(t *testing.T) {
	on := town(t)
	old := lookup.Query{Postcode: postcode(bagextract.TownMovingPostcode), Number: bagextract.TownMovingHouseNumber}
	moved := lookup.Query{Postcode: postcode(bagextract.TownMovedPostcode), Number: bagextract.TownMovingHouseNumber}
	for name, c := range map[string]struct {
		now      string
		old, new int
	}{
		"before":                      {today, 1, 0},
		"a minute before midnight":    {"2026-12-31T22:59:00Z", 1, 0},
		"at midnight in the province": {"2026-12-31T23:00:00Z", 0, 1},
		"before the register began":   {"2001-01-01T00:00:00Z", 0, 0},
	} {
		l := on(c.now)
		if got := len(found(t, l, old)); got != c.old {
			t.Errorf("%s: got %d at the old postcode, want %d", name, got, c.old)
		}
		if got := len(found(t, l, moved)); got != c.new {
			t.Errorf("%s: got %d at the new postcode, want %d", name, got, c.new)
		}
	}
}

func TestWhatIsNoAddressTodayIsNotGiven(t *testing.T) {
	l := town(t)(today)
	for name, q := range map[string]lookup.Query{
		"a designation that was withdrawn":              {Postcode: postcode("9990AC"), Number: 96},
		"a designation whose unit was withdrawn":        {Postcode: postcode("9990AC"), Number: 94},
		"an occurrence that was taken back":             {Postcode: postcode("9990ZZ"), Number: 2},
		"an occurrence that should not have been there": {Postcode: postcode("9990ZZ"), Number: 4},
		"a street by the name it had":                   {LocalityName: "Noorderhaven", SpaceName: "Achterom", Number: 1},
		"a street in another place":                     {LocalityName: "Oosterdiek", SpaceName: "Havenkade", Number: 1},
	} {
		if got := found(t, l, q); got != nil {
			t.Errorf("%s: got %q, want nothing", name, got)
		}
	}
	q := lookup.Query{Postcode: postcode("9990AC"), Number: 96, WithEnded: true}
	if got := found(t, l, q); len(got) != 1 {
		t.Errorf("got %q, want the withdrawn address when it is asked for", got)
	}
}

func TestTheWaysOfAskingAgree(t *testing.T) {
	l := town(t)(today)
	page, err := l.Find(t.Context(), lookup.Query{Postcode: postcode("9970AC"), Number: 4}, 1, 20)
	if err != nil || page.Total != 2 {
		t.Fatalf("got %d %v, want the address and its back door", page.Total, err)
	}
	a, back := page.Addresses[0], page.Addresses[1]
	if a.Secondary || !back.Secondary || a.Object == 0 || a.Object != back.Object {
		t.Errorf("got %+v and %+v, want a main and a secondary address of one unit", a, back)
	}
	both := []string{"Marktplein 4", "Marktplein 4 C"}
	for name, q := range map[string]lookup.Query{
		"by names":      {LocalityName: "oosterdiek", SpaceName: "MARKTPLEIN", Number: 4},
		"by the object": {Object: a.Object}, "by the building": {Building: a.Buildings[0]},
	} {
		if got := found(t, l, q); !slices.Equal(got, both) {
			t.Errorf("%s: got %q, want %q", name, got, both)
		}
	}
	if got := found(t, l, lookup.Query{Space: a.Space}); len(got) < 8 || got[0] != "Marktplein 1" {
		t.Errorf("by the public space: got %q", got)
	}
	if got := found(t, l, lookup.Query{LocalityName: "Noorderhaven", SpaceName: "Burg Tjaarda vd Wijkln", Number: 8}); !slices.Equal(got, []string{"Burg Tjaarda vd Wijkln 8"}) {
		t.Errorf("by the short name: got %q", got)
	}
}

func TestABuildingWithAnEndStatusHidesNoAddressButHasNone(t *testing.T) {
	l := town(t)(today)
	page, err := l.Find(t.Context(), lookup.Query{Postcode: postcode("9970AC"), Number: 8}, 1, 20)
	if err != nil || page.Total != 1 {
		t.Fatalf("got %d %v, want the address in the demolished building", page.Total, err)
	}
	if got := found(t, l, lookup.Query{Building: page.Addresses[0].Buildings[0]}); got != nil {
		t.Errorf("got %q by the demolished building, want nothing", got)
	}
}

func TestAnAddressIsComposedOfItsObjects(t *testing.T) {
	l := town(t)(today)
	first := func(q lookup.Query) lookup.Address {
		t.Helper()
		page, err := l.Find(t.Context(), q, 1, 20)
		if err != nil || len(page.Addresses) == 0 {
			t.Fatalf("got %v %v, want an address", page, err)
		}
		return page.Addresses[0]
	}
	if a := first(lookup.Query{Postcode: postcode("9990AE"), Number: 30}); a.LocalityName != "Oosterdiek" || a.Line6() != "9990 AE  OOSTERDIEK" {
		t.Errorf("got %+v, want the designation's own place", a)
	}
	if a := first(lookup.Query{LocalityName: "Oosterdiek", SpaceName: "Dorpsweg", Number: 69}); a.Postcode != 0 || a.Line6() != "OOSTERDIEK" {
		t.Errorf("got %+v, want an address without a postcode", a)
	}
	if a := first(lookup.Query{Postcode: postcode("9990AH"), Number: 1}); a.Object.Type() != imbag.Berth || len(a.Buildings) != 0 {
		t.Errorf("got %+v, want a berth", a)
	}
	if a := first(lookup.Query{Postcode: postcode("9990AJ"), Number: 1}); a.Object.Type() != imbag.Pitch {
		t.Errorf("got %+v, want a pitch", a)
	}
	if a := first(lookup.Query{Postcode: postcode("9990AC"), Number: 20}); a.Recorded != (lookup.Recorded{Designation: true}) {
		t.Errorf("got %+v, want the designation recorded on the spot", a)
	}
	if a := first(lookup.Query{Postcode: postcode("9990AC"), Number: 22}); !slices.Equal(a.Inquiries, []lookup.Inquiry{lookup.InquiryLetter}) {
		t.Errorf("got inquiries %v, want the letter", a.Inquiries)
	}
	if a := first(lookup.Query{Postcode: postcode("9970AB"), Number: 4}); !slices.Equal(a.Inquiries, []lookup.Inquiry{lookup.InquirySpaceName, lookup.InquiryShortName}) {
		t.Errorf("got inquiries %v, want the name and the short name", a.Inquiries)
	}
	if a := first(lookup.Query{Postcode: postcode("9990AG"), Number: 1}); a.Line5() != "Âldeborgsingel 1" {
		t.Errorf("got %q", a.Line5())
	}
}

func TestAnIDGivesOneAddressOrNone(t *testing.T) {
	l := town(t)(today)
	id, _ := imbag.ParseID(bagextract.TownDesignationID)
	a, date, err := l.ByID(t.Context(), id, false, 0)
	if err != nil || a.Line5() != "Marktplein 1" || date.String() != bagextract.TownDate {
		t.Errorf("got %+v %s %v", a, date, err)
	}
	for name, text := range map[string]string{"an unknown designation": "9901209999999999", "a building": "9901100000000001", "no identification": ""} {
		id, _ := imbag.ParseID(text)
		if _, _, err := l.ByID(t.Context(), id, false, 0); errs.KindOf(err) != errs.NotFound || !strings.Contains(err.Error(), bagextract.TownDate) {
			t.Errorf("%s: got %v, want not found in the stand of a day", name, err)
		}
	}
}

func TestPagesFollowOneAnother(t *testing.T) {
	l := town(t)(today)
	q := lookup.Query{Space: 9901300000000001}
	whole, err := l.Find(t.Context(), q, 1, 100)
	if err != nil || whole.Total < 25 {
		t.Fatalf("got %d %v", whole.Total, err)
	}
	var got []imbag.ID
	for n := 1; n <= (whole.Total+9)/10; n++ {
		page, err := l.Find(t.Context(), q, n, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Addresses {
			got = append(got, a.ID)
		}
	}
	for i, a := range whole.Addresses {
		if i >= len(got) || got[i] != a.ID {
			t.Fatalf("page by page: got %v", got)
		}
	}
	_, err = l.Find(t.Context(), q, 99, 10)
	if e := errs.As(err); e == nil || errs.KindOf(err) != errs.Invalid || e.Fields[0].Code != "page" {
		t.Errorf("got %v, want a fault of page", err)
	}
	if page, err := l.Find(t.Context(), lookup.Query{Postcode: postcode("1234AB"), Number: 1}, 1, 20); err != nil || page.Total != 0 {
		t.Errorf("got %v %v, want an empty first page", page, err)
	}
}

// TestAddressLines has the seven cases of the Kadaster's adresregels.feature.
func TestAddressLines(t *testing.T) {
	for want, a := range map[string]lookup.Address{
		"A K vd Coppellostr 8/6049 HD  HERTEN":        {ShortName: "A K vd Coppellostr", Number: 8, Postcode: postcode("6049HD"), LocalityName: "Herten"},
		"Blauwkapelseweg 1 A/3572 KA  UTRECHT":        {ShortName: "Blauwkapelseweg", Number: 1, Letter: "A", Postcode: postcode("3572KA"), LocalityName: "Utrecht"},
		"Burg v N v Sevenaerstr 1 BEN/1251 KD  LAREN": {ShortName: "Burg v N v Sevenaerstr", Number: 1, Suffix: "BEN", Postcode: postcode("1251KD"), LocalityName: "Laren"},
		"Bornsesteeg 1-5A3/6708 GA  WAGENINGEN":       {ShortName: "Bornsesteeg", Number: 1, Suffix: "5A3", Postcode: postcode("6708GA"), LocalityName: "Wageningen"},
		"Defensieweg 16 DK/7933 TL  PESSE":            {ShortName: "Defensieweg", Number: 16, Letter: "D", Suffix: "K", Postcode: postcode("7933TL"), LocalityName: "Pesse"},
		"Belgiëlaan 1 A3/2391 PH  HAZERSWOUDE-DORP":   {ShortName: "Belgiëlaan", Number: 1, Letter: "A", Suffix: "3", Postcode: postcode("2391PH"), LocalityName: "Hazerswoude-Dorp"},
		"Zorgvlietstraat 4 T/'S-GRAVENHAGE":           {ShortName: "Zorgvlietstraat", Number: 4, Letter: "T", LocalityName: "'s-Gravenhage"},
	} {
		if got := a.Line5() + "/" + a.Line6(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
