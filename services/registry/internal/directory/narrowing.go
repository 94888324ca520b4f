package directory

import (
	"cmp"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/api"
)

// Narrowing is what one party of a grant, or the hub operator, took from it. It holds at once, is taken back by who made
// it, and never widens: what is left is what everybody who signed left.
type Narrowing struct {
	Grant         string   `json:"grant"`
	By            string   `json:"by"` // OIN
	Suspended     bool     `json:"suspended,omitempty"`
	Rate          int      `json:"rate,omitempty"`          // calls per second; 0: as agreed
	BlockedScopes []string `json:"blockedScopes,omitempty"` // of those agreed
	Reason        string   `json:"reason"`                  // the other side reads it
}

// Key has the grant and who narrows it.
func (n *Narrowing) Key() Key { return NarrowingKey(n.Grant, n.By) }

// NarrowingKey names what an organisation took from a grant.
func NarrowingKey(grant, by string) Key { return Key{KindNarrowing, grant + " " + by} }

func (n *Narrowing) prepare(f faults) {
	if !n.Suspended && n.Rate == 0 && len(n.BlockedScopes) == 0 {
		f.add("takes nothing away; take it back instead")
	}
	if n.Rate < 0 {
		f.at("rate").add("is negative")
	}
	if strings.TrimSpace(n.Reason) == "" {
		f.at("reason").add("is missing; the other side reads why")
	}
}

func (n *Narrowing) check(s *State, f faults) {
	g := s.index.grants[n.Grant]
	if g == nil {
		f.add("there is no grant %s", n.Grant)
		return
	}
	if n.By != s.Hub().Organisation && !g.contract.Names(n.By) {
		f.add("organisation %s is no party of the contract", n.By)
	}
	if g.Terms.Rate > 0 && n.Rate > g.Terms.Rate {
		f.at("rate").add("is above the agreed %d calls per second; a narrowing never widens", g.Terms.Rate)
	}
	for _, scope := range n.BlockedScopes {
		if !slices.Contains(g.Terms.Scopes, scope) {
			f.at("blockedScopes").add("%s is not among the agreed scopes", scope)
		}
	}
}

// NarrowingsOf gives what each side took from a grant.
func (s *State) NarrowingsOf(grant string) []*Narrowing { return s.index.narrowings[grant] }

// narrowed joins what all sides took from a grant; nil when nobody did. By is who took most: a suspension counts before
// all else.
func (s *State) narrowed(grant string) *api.Narrowing {
	list := s.index.narrowings[grant]
	if len(list) == 0 {
		return nil
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b *Narrowing) int {
		if a.Suspended != b.Suspended {
			if a.Suspended {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.By, b.By)
	})
	out := &api.Narrowing{By: list[0].By, Reason: list[0].Reason}
	for _, n := range list {
		out.Suspended = out.Suspended || n.Suspended
		if n.Rate > 0 && (out.Rate == 0 || n.Rate < out.Rate) {
			out.Rate = n.Rate
		}
		out.BlockedScopes = append(out.BlockedScopes, n.BlockedScopes...)
	}
	slices.Sort(out.BlockedScopes)
	out.BlockedScopes = slices.Compact(out.BlockedScopes)
	return out
}
