package address_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/bagtest"
)

// expected is an address as the lines of the independent reading make it.
type expected struct{ id, postcode, number, letter, suffix, street, place, object string }

// Columns of a line of bagtest that are needed here.
const (
	colID, colBegin, colEnd, colInactive, colInactiveLV, colNotBAG, colStatus, colName   = 1, 3, 4, 7, 10, 11, 12, 16
	colLocality, colNumber, colLetter, colSuffix, colPostcode, colSpace, colMain, colNev = 19, 20, 21, 22, 23, 25, 26, 27
)

// currentOn gives what each object of a type was on a day, without end status.
func currentOn(lines []string, day string) map[string][]string {
	now := map[string][]string{}
	for _, line := range lines {
		f := strings.Split(line, "|")
		if f[colInactive]+f[colInactiveLV]+f[colNotBAG] != "" || f[colBegin] > day || f[colEnd] != "" && f[colEnd] <= day {
			continue
		}
		now[f[colID]] = f
	}
	for id, f := range now {
		for _, end := range []string{"ingetrokken", "Niet gerealiseerd", "ten onrechte"} {
			if strings.Contains(f[colStatus], end) {
				delete(now, id)
			}
		}
	}
	return now
}

// addressesOn composes every current address on a day, from scratch.
func addressesOn(all map[string][]string, day string) []expected {
	numbers, spaces, places := currentOn(all["NUM"], day), currentOn(all["OPR"], day), currentOn(all["WPL"], day)
	of, ever := map[string]string{}, map[string]bool{}
	for _, code := range []string{"VBO", "LIG", "STA"} {
		for id, f := range currentOn(all[code], day) {
			of[f[colMain]] = id
		}
	}
	for _, code := range []string{"VBO", "LIG", "STA"} {
		for id, f := range currentOn(all[code], day) {
			for _, n := range strings.Split(f[colNev], ",") {
				if n != "" && of[n] == "" {
					of[n] = id
				}
			}
		}
	}
	for _, code := range []string{"VBO", "LIG", "STA"} { // with an end status: the address is gone with it
		for _, line := range all[code] {
			f := strings.Split(line, "|")
			if f[colInactive]+f[colInactiveLV]+f[colNotBAG] == "" && f[colBegin] <= day && (f[colEnd] == "" || f[colEnd] > day) {
				ever[f[colMain]] = true
				for _, n := range strings.Split(f[colNev], ",") {
					ever[n] = true
				}
			}
		}
	}
	var list []expected
	for id, f := range numbers {
		space, ok := spaces[f[colSpace]]
		if !ok || ever[id] && of[id] == "" {
			continue
		}
		in := space[colLocality]
		if f[colLocality] != "" {
			in = f[colLocality]
		}
		if place, ok := places[in]; ok {
			list = append(list, expected{id, f[colPostcode], f[colNumber], f[colLetter], f[colSuffix], space[colName], place[colName], of[id]})
		}
	}
	slices.SortFunc(list, func(a, b expected) int { return strings.Compare(a.id, b.id) })
	return list
}

func TestEveryCurrentAddressOfTheRealExtractIsFound(t *testing.T) {
	bagtest.Heavy(t)
	path := bagtest.SharedData(t, bagtest.Weesp)
	want := addressesOn(bagtest.Extract(t, path), "2021-09-15")
	if len(want) < 11_000 {
		t.Fatalf("the independent reading has %d current addresses, too few to prove anything", len(want))
	}
	r := newRig(t)
	r.now = time.Date(2021, 9, 15, 12, 0, 0, 0, time.UTC)
	r.cfg.Extracts = []string{path}
	began := time.Now()
	r.start()
	t.Logf("imported and listening after %v", time.Since(began))
	client := r.as("gateway")
	withoutPostcode := 0
	began = time.Now()
	for _, e := range want {
		if e.postcode == "" {
			withoutPostcode++
			var a api.Adres
			r.decode(client, api.Base+"/adressen/"+e.id, &a)
			compareAddress(t, a, e)
			continue
		}
		query := fmt.Sprintf("?postcode=%s&huisnummer=%s&exacteMatch=true&pageSize=100", e.postcode, e.number)
		if e.letter != "" {
			query += "&huisletter=" + e.letter
		}
		if e.suffix != "" {
			query += "&huisnummertoevoeging=" + e.suffix
		}
		var page api.Adressen
		r.decode(client, api.Base+"/adressen"+query, &page)
		if page.Embedded == nil {
			t.Fatalf("%s: not found by %s", e.id, query)
		}
		found := slices.IndexFunc(page.Embedded.Adressen, func(a api.Adres) bool { return a.NummeraanduidingIdentificatie == e.id })
		if found < 0 {
			t.Fatalf("%s: not among the answers to %s", e.id, query)
		}
		compareAddress(t, page.Embedded.Adressen[found], e)
	}
	t.Logf("%d current addresses, %d of them without a postcode, in %v", len(want), withoutPostcode, time.Since(began))
}

func (r *rig) decode(client *http.Client, path string, dst any) {
	r.t.Helper()
	resp, body := r.get(client, path, nil)
	if resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: got %d %s", path, resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, dst); err != nil {
		r.t.Fatal(err)
	}
}

func compareAddress(t *testing.T, a api.Adres, want expected) {
	t.Helper()
	got := expected{a.NummeraanduidingIdentificatie, a.Postcode, fmt.Sprint(a.Huisnummer), a.Huisletter, a.Huisnummertoevoeging, a.OpenbareRuimteNaam,
		a.WoonplaatsNaam, a.AdresseerbaarObjectIdentificatie}
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
