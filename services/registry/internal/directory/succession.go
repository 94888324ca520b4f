package directory

import (
	"slices"
	"time"
)

// successor gives the grant that takes the place of another one at a moment: that of a contract which was made as the
// successor of its contract, between the same organisations about the same service, and is in force. A grant without one
// is its own.
func (s *State) successor(g *grant, at time.Time) *grant {
	for range 20 { // longer chains are no assignment of today
		next := s.next(g, at)
		if next == nil {
			return g
		}
		g = next
	}
	return g
}

func (s *State) next(g *grant, at time.Time) *grant {
	for _, c := range s.index.successors[g.contract.Hash] {
		if !c.gives(at) || at.Before(c.parsed.Content.NotBefore) {
			continue
		}
		place := slices.IndexFunc(c.grants, func(n *grant) bool {
			return n.Outway.PeerID == g.Outway.PeerID && n.Service.PeerID == g.Service.PeerID && n.Service.Name == g.Service.Name && n.Delegator == g.Delegator
		})
		if place >= 0 {
			return c.grants[place]
		}
	}
	return nil
}

// PredecessorOf finds what a contract is compared with: the one it says to succeed, otherwise one in force between the same
// organisations about the same service.
func (s *State) PredecessorOf(c *Contract, at time.Time) *Contract {
	if was := s.Contract(c.Predecessor); was != nil {
		return was
	}
	for _, other := range All[*Contract](s) {
		if other == c || !other.gives(at) {
			continue
		}
		for _, g := range c.grants {
			if slices.ContainsFunc(other.grants, func(o *grant) bool {
				return o.Outway.PeerID == g.Outway.PeerID && o.Service.PeerID == g.Service.PeerID && o.Service.Name == g.Service.Name && o.Delegator == g.Delegator
			}) {
				return other
			}
		}
	}
	return nil
}
