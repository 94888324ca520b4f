package lookup

import (
	"cmp"
	"strings"
)

// matches applies the Kadaster's rule for missing parts: without exacteMatch a part that was not given may be anything,
// with it that part must be absent. Letters are compared without regard to case.
func (q Query) matches(a *Address) bool {
	switch {
	case q.Postcode != 0:
		return a.Postcode == q.Postcode && int(a.Number) == q.Number && q.part(a.Letter, q.Letter) && q.part(a.Suffix, q.Suffix)
	case q.SpaceName != "":
		return strings.EqualFold(a.LocalityName, q.LocalityName) &&
			(strings.EqualFold(a.SpaceName, q.SpaceName) || strings.EqualFold(a.ShortName, q.SpaceName)) &&
			int(a.Number) == q.Number && q.part(a.Letter, q.Letter) && q.part(a.Suffix, q.Suffix)
	case q.Space != 0:
		return a.Space == q.Space
	default: // the candidates were found by what the objects are today
		return true
	}
}

func (q Query) part(have, asked string) bool {
	if asked == "" {
		return !q.Exact || have == ""
	}
	return strings.EqualFold(have, asked)
}

// preferCase narrows an exact match: officially "a" and "A" differ, so where one of the addresses found is written as it
// was asked, the others are not meant.
func (q Query) preferCase(all []Address) []Address {
	if !q.Exact || len(all) < 2 {
		return all
	}
	var same []Address
	for _, a := range all {
		if a.Letter == q.Letter && a.Suffix == q.Suffix {
			same = append(same, a)
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}

// compare is the natural order of addresses: 1, 1A, 1A-2, 1-2, 1-10, 2, 10. Streets and places keep together.
func compare(a, b Address) int {
	return cmp.Or(
		cmp.Compare(a.LocalityName, b.LocalityName), cmp.Compare(a.SpaceName, b.SpaceName), cmp.Compare(a.Number, b.Number),
		cmp.Compare(lowered(a.Letter), lowered(b.Letter)), cmp.Compare(a.Letter, b.Letter),
		cmp.Compare(numeric(a.Suffix), numeric(b.Suffix)), cmp.Compare(lowered(a.Suffix), lowered(b.Suffix)),
		cmp.Compare(a.Suffix, b.Suffix), cmp.Compare(a.ID, b.ID))
}

// lowered puts an absent part before every letter.
func lowered(s string) string { return strings.ToLower(s) }

// numeric gives the number a suffix begins with: -1 for an absent suffix, so that it comes first, and a large one for
// a suffix that begins with a letter, so that it comes last.
func numeric(s string) int {
	if s == "" {
		return -1
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			if i == 0 {
				return 1 << 30
			}
			break
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
