package tree

import (
	"net/url"
	"strings"
)

// follow finds where each reference leads. A reference stays one when its target holds it, or when it closes a circle of
// targets; so do those that lead nowhere or out of the text.
func (d *Document) follow() {
	var refs []*Node
	d.Root.each(func(n *Node) {
		if ref, ok := n.Reference(); ok {
			if strings.HasPrefix(ref, "#") {
				refs = append(refs, n)
			} else {
				d.Outside = append(d.Outside, n.Get("$ref"))
			}
		}
	})
	d.References = len(refs)
	targets := make(map[*Node]*Node, len(refs))
	for _, n := range refs {
		if target := d.lookup(n); target != nil {
			targets[n] = target
		} else {
			d.Broken = append(d.Broken, n.Get("$ref"))
		}
	}
	targets, d.Longest = ends(refs, targets)
	for n, end := range targets {
		n.leads, end.entered = end, true
	}
	circle := circles(refs, targets)
	for _, n := range refs {
		target := targets[n]
		if target == nil || within(n, target) {
			continue
		}
		closes := false
		for up := n.parent; up != nil && !closes; up = up.parent {
			closes = up.entered && circle[up] == circle[target]
		}
		if !closes {
			n.target = target
		}
	}
}

// each visits a node and all below it.
func (n *Node) each(f func(*Node)) {
	f(n)
	n.Children(func(_ string, child *Node) { child.each(f) })
}

// lookup goes where a pointer leads in the text; it may pass through one reference on its way, not through more.
func (d *Document) lookup(ref *Node) *Node {
	pointer, _ := ref.Reference()
	fragment := strings.TrimPrefix(pointer, "#")
	if fragment == "" {
		return d.Root
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	if !strings.HasPrefix(fragment, "/") {
		return nil
	}
	n := d.Root
	for _, segment := range strings.Split(fragment[1:], "/") {
		n = n.child(strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~"))
	}
	return n
}

// ends follows references to references, each only once, and tells how many follow each other at most. Those that run in a
// ring have no end.
func ends(refs []*Node, targets map[*Node]*Node) (found map[*Node]*Node, longest int) {
	found = make(map[*Node]*Node, len(refs))
	length, ring := map[*Node]int{}, map[*Node]bool{}
	for _, n := range refs {
		var chain []*Node
		onChain := map[*Node]bool{}
		end, beyond := n, 0
		for {
			if known := found[end]; known != nil {
				end, beyond = known, length[end]
				break
			}
			next := targets[end]
			if next == nil {
				break
			}
			if onChain[end] || ring[end] {
				end = nil
				break
			}
			onChain[end] = true
			chain = append(chain, end)
			end = next
		}
		for i, passed := range chain {
			if end == nil {
				ring[passed] = true
				continue
			}
			found[passed], length[passed] = end, beyond+len(chain)-i
			longest = max(longest, length[passed])
		}
	}
	return found, longest
}

// within tells whether n is target or lies below it.
func within(n, target *Node) bool {
	for ; n != nil && n.depth >= target.depth; n = n.parent {
		if n == target {
			return true
		}
	}
	return false
}

// circles numbers the targets so that those which reach each other have one number: the strongly connected components of
// "holds a reference to", by Tarjan, with a stack of its own since the text decides how long a chain is.
func circles(refs []*Node, targets map[*Node]*Node) map[*Node]int {
	edges := map[*Node][]*Node{}
	for _, n := range refs {
		target := targets[n]
		if target == nil {
			continue
		}
		for up := n.parent; up != nil; up = up.parent {
			if up.entered && up != target {
				edges[up] = append(edges[up], target)
			}
		}
	}
	t := tarjan{edges: edges, index: map[*Node]int{}, low: map[*Node]int{}, number: map[*Node]int{}}
	for _, n := range refs {
		if target := targets[n]; target != nil && t.index[target] == 0 {
			t.visit(target)
		}
	}
	return t.number
}

type tarjan struct {
	edges      map[*Node][]*Node
	index, low map[*Node]int // index from 1; 0: not seen
	number     map[*Node]int // of the component, from 1; 0: still open
	open       []*Node
	components int
}

type tarjanFrame struct {
	node *Node
	next int
}

func (t *tarjan) visit(start *Node) {
	stack := []tarjanFrame{{node: start}}
	for len(stack) > 0 {
		frame := &stack[len(stack)-1]
		n := frame.node
		if frame.next == 0 {
			t.index[n] = len(t.index) + 1
			t.low[n] = t.index[n]
			t.open = append(t.open, n)
		}
		descended := false
		for frame.next < len(t.edges[n]) {
			to := t.edges[n][frame.next]
			frame.next++
			if t.index[to] == 0 {
				stack = append(stack, tarjanFrame{node: to})
				descended = true
				break
			}
			if t.number[to] == 0 {
				t.low[n] = min(t.low[n], t.low[to])
			}
		}
		if descended {
			continue
		}
		if t.low[n] == t.index[n] {
			t.components++
			for {
				last := t.open[len(t.open)-1]
				t.open = t.open[:len(t.open)-1]
				t.number[last] = t.components
				if last == n {
					break
				}
			}
		}
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			up := stack[len(stack)-1].node
			t.low[up] = min(t.low[up], t.low[n])
		}
	}
}
