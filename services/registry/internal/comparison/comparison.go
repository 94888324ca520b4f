// Package comparison says in words of people what one contract changes about another: what a signer reads before signing a
// successor, or what a request asks beyond a template.
package comparison

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
)

// Effect tells whether the newer one gives more.
type Effect string

// The effects. Changed is neither more nor less: another purpose is another agreement.
const (
	Wider    Effect = "ruimer"
	Narrower Effect = "beperkter"
	Changed  Effect = "anders"
)

// Change is one difference, in Dutch and English.
type Change struct {
	Service string // FSC name; "" for the contract as a whole
	Term    string // name of the term on the wire
	Effect  Effect
	NL, EN  string
}

// Contents compares two contracts: the window, the grants, and the terms of the grants that both have. A grant is the same when
// the same organisations connect to the same service.
func Contents(old, fresh *contract.Content) []Change {
	var out []Change
	if !old.NotAfter.Equal(fresh.NotAfter) {
		effect := Wider
		if fresh.NotAfter.Before(old.NotAfter) {
			effect = Narrower
		}
		a, b := old.NotAfter.UTC().Format(time.DateOnly), fresh.NotAfter.UTC().Format(time.DateOnly)
		out = append(out, Change{Term: "geldigTot", Effect: effect, NL: "geldig tot " + b + ", was " + a, EN: "valid until " + b + ", was " + a})
	}
	before := map[string]contract.Grant{}
	for _, g := range old.Grants {
		before[partiesOf(g)] = g
	}
	for _, g := range fresh.Grants {
		was, known := before[partiesOf(g)]
		delete(before, partiesOf(g))
		if !known {
			out = append(out, Change{Service: g.Service.Name, Term: "toestemmingen", Effect: Wider,
				NL: "nieuwe toestemming voor dienst " + g.Service.Name, EN: "new grant for service " + g.Service.Name})
			continue
		}
		for _, c := range Terms(was.Terms, g.Terms) {
			c.Service = g.Service.Name
			out = append(out, c)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		name := before[key].Service.Name
		out = append(out, Change{Service: name, Term: "toestemmingen", Effect: Narrower,
			NL: "toestemming voor dienst " + name + " vervalt", EN: "grant for service " + name + " is gone"})
	}
	return out
}

func partiesOf(g contract.Grant) string {
	return fmt.Sprintf("%q", []string{g.Type.String(), g.Outway.PeerID, g.Service.PeerID, g.Service.Name, g.Delegator, g.Service.Delegator, g.Directory})
}

// Terms compares the terms of two grants.
func Terms(old, fresh contract.Terms) []Change {
	var out []Change
	text := func(term, nl, en, was, is string) {
		if was != is {
			out = append(out, Change{Term: term, Effect: Changed, NL: nl + " " + named(is, "niet genoemd") + ", was " + named(was, "niet genoemd"),
				EN: en + " " + named(is, "not stated") + ", was " + named(was, "not stated")})
		}
	}
	text("doel", "doel", "purpose", old.Purpose, fresh.Purpose)
	text("grondslag", "grondslag", "legal basis", old.LegalBasis, fresh.LegalBasis)
	text("verwerkingsactiviteit", "verwerkingsactiviteit", "processing activity", old.ProcessingActivity, fresh.ProcessingActivity)
	text("tarief", "tarief", "tariff", old.Tariff, fresh.Tariff)
	out = append(out, sets("scopes", "scope", "scope", old.Scopes, fresh.Scopes)...)
	out = append(out, fields(old.Fields, fresh.Fields)...)
	out = append(out, limit("perSeconde", "aanroepen per seconde", "calls a second", old.Rate, fresh.Rate)...)
	out = append(out, limit("perDag", "aanroepen per dag", "calls a day", old.Quota, fresh.Quota)...)
	if old.CacheSeconds != fresh.CacheSeconds {
		out = append(out, Change{Term: "bewaarSeconden", Effect: more(fresh.CacheSeconds > old.CacheSeconds),
			NL: fmt.Sprintf("antwoorden %d seconden te bewaren, was %d", fresh.CacheSeconds, old.CacheSeconds),
			EN: fmt.Sprintf("answers may be kept %d seconds, was %d", fresh.CacheSeconds, old.CacheSeconds)})
	}
	out = append(out, ranked("binding", "binding", []string{contract.BindingNone, contract.BindingAny, contract.BindingMTLS}, old.Binding, fresh.Binding)...)
	return append(out, ranked("logging", "logging", []string{contract.LoggingOpen, contract.LoggingRequired}, old.Logging, fresh.Logging)...)
}

func named(s, none string) string {
	if s == "" {
		return none
	}
	return "“" + s + "”"
}

func more(yes bool) Effect {
	if yes {
		return Wider
	}
	return Narrower
}

// limit compares numbers of which 0 is no limit.
func limit(term, nl, en string, old, fresh int) []Change {
	if old == fresh {
		return nil
	}
	say := func(n int, none string) string {
		if n == 0 {
			return none
		}
		return fmt.Sprint(n)
	}
	return []Change{{Term: term, Effect: more(fresh == 0 || old != 0 && fresh > old),
		NL: nl + " " + say(fresh, "onbegrensd") + ", was " + say(old, "onbegrensd"), EN: en + " " + say(fresh, "unlimited") + ", was " + say(old, "unlimited")}}
}

// ranked compares values of which a later one in the list gives less; one that is not stated is the hub's default.
func ranked(term, name string, order []string, old, fresh string) []Change {
	if old == fresh {
		return nil
	}
	a, b := slices.Index(order, old), slices.Index(order, fresh)
	effect := Changed
	if a >= 0 && b >= 0 {
		effect = more(b < a)
	}
	return []Change{{Term: term, Effect: effect, NL: name + " " + named(fresh, "standaard") + ", was " + named(old, "standaard"),
		EN: name + " " + named(fresh, "default") + ", was " + named(old, "default")}}
}

func sets(term, nl, en string, old, fresh []string) []Change {
	var out []Change
	for _, s := range slices.Sorted(slices.Values(fresh)) {
		if !slices.Contains(old, s) {
			out = append(out, Change{Term: term, Effect: Wider, NL: nl + " " + s + " erbij", EN: en + " " + s + " added"})
		}
	}
	for _, s := range slices.Sorted(slices.Values(old)) {
		if !slices.Contains(fresh, s) {
			out = append(out, Change{Term: term, Effect: Narrower, NL: nl + " " + s + " eraf", EN: en + " " + s + " removed"})
		}
	}
	return out
}

// fields compares what may be answered. An operation without a list answers everything.
func fields(old, fresh map[string][]string) []Change {
	var out []Change
	all := map[string]bool{}
	for op := range old {
		all[op] = true
	}
	for op := range fresh {
		all[op] = true
	}
	for _, op := range slices.Sorted(maps.Keys(all)) {
		was, had := old[op]
		is, has := fresh[op]
		switch {
		case had && has:
			for _, c := range sets("velden", "veld", "field", was, is) {
				c.NL, c.EN = c.NL+" bij "+op, c.EN+" of "+op
				out = append(out, c)
			}
		case has:
			out = append(out, Change{Term: "velden", Effect: Narrower, NL: "bij " + op + " alleen nog " + strings.Join(is, ", "), EN: "of " + op + " only " + strings.Join(is, ", ")})
		default:
			out = append(out, Change{Term: "velden", Effect: Wider, NL: "bij " + op + " alle velden", EN: "of " + op + " all fields"})
		}
	}
	return out
}
