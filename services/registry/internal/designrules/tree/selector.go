package tree

// Place is a value reached on some way through the document with its references followed.
type Place struct {
	Value *Node // what stands there
	At    *Node // the node of the text that Spectral names as its place

	direct bool      // no reference was followed on the way, so the place is the way itself
	depth  int       // steps from the root
	top    [4]string // the first steps
	last   string    // the last step
}

// RootPlace is where every way begins.
func (d *Document) RootPlace() Place { return Place{Value: d.Root, At: d.Root, direct: true} }

// Below tells whether the way begins with these steps; "*" is any step. At most four.
func (p Place) Below(steps ...string) bool {
	if p.depth < len(steps) {
		return false
	}
	for i, step := range steps {
		if step != "*" && p.top[i] != step {
			return false
		}
	}
	return true
}

// step goes down to a child of the value. A place on the direct way is named by that way, also where it ends at a reference
// with further keys beside it; behind a reference a place is named by the target.
func (p Place) step(segment string, child *Node) Place {
	to := Place{Value: child.Value(), At: child, direct: p.direct, depth: p.depth + 1, top: p.top, last: segment}
	if p.depth < len(p.top) {
		to.top[p.depth] = segment
	}
	if p.direct && p.At != p.Value {
		if beside := p.At.Get(segment); beside != nil {
			to.At = beside
			return to
		}
		to.direct = false
	}
	if child.target != nil && (!to.direct || len(child.Keys) == 1) {
		to.At, to.direct = child.target, false
	}
	return to
}

// Get goes to a member or item. Where there is none it tells so, and the place stays.
func (p Place) Get(segment string) (Place, bool) {
	child := p.Value.child(segment)
	if child == nil {
		return p, false
	}
	return p.step(segment, child), true
}

// Closest goes down a path as far as there is something, and gives the value only when that is the whole way.
func (p Place) Closest(path ...string) (Place, *Node) {
	for _, segment := range path {
		next, ok := p.Get(segment)
		if !ok {
			return p, nil
		}
		p = next
	}
	return p, p.Value
}

// Children calls f for each child, in the order of the text.
func (p Place) Children(f func(segment string, child Place)) {
	p.Value.Children(func(segment string, child *Node) { f(segment, p.step(segment, child)) })
}

// Selector says which places a rule looks at, as a JSONPath does.
type Selector []Step

// Step is one step of a Selector: to children, or to everything below.
type Step struct {
	deep    bool
	without string // deep: a name that is not passed
	matches func(segment string, value *Node) bool
}

// Any steps to every child.
func Any() Step { return Step{matches: func(string, *Node) bool { return true }} }

// Key steps to the children of these names.
func Key(names ...string) Step {
	return Step{matches: func(segment string, _ *Node) bool {
		for _, name := range names {
			if segment == name {
				return true
			}
		}
		return false
	}}
}

// Where steps to the children that a condition takes.
func Where(condition func(segment string, value *Node) bool) Step { return Step{matches: condition} }

// Deep stays and goes everywhere below.
func Deep() Step { return Step{deep: true} }

// DeepWithout is Deep that does not go through children of this name.
func DeepWithout(name string) Step { return Step{deep: true, without: name} }

// Budget bounds the work on one document. It is used up by one goroutine.
type Budget struct {
	Steps   int
	Stopped func() error // asked now and then, e.g. context.Context.Err
	err     error
}

// Err tells why the work ended early; nil while it goes on.
func (b *Budget) Err() error { return b.err }

// Spend takes a step and tells whether work may go on.
func (b *Budget) Spend() bool {
	if b.err != nil {
		return false
	}
	if b.Steps--; b.Steps <= 0 {
		b.err = ErrTooMuchWork
	} else if b.Steps%4096 == 0 && b.Stopped != nil {
		b.err = b.Stopped()
	}
	return b.err == nil
}

// Select calls f for each place that a selector finds in a document. What several ways lead to is visited once per way that
// can make a difference.
func (d *Document) Select(s Selector, budget *Budget, f func(Place)) {
	v := visit{selector: s, budget: budget, found: f, seen: map[visited]bool{}}
	v.run(0, d.RootPlace())
}

type visit struct {
	selector Selector
	budget   *Budget
	found    func(Place)
	seen     map[visited]bool
}

// visited tells ways apart. Only behind a reference, or in front of one, can there be a second way.
type visited struct {
	step      int
	value, at *Node
	direct    bool
	request   bool
	response  bool
}

func (v *visit) run(i int, p Place) {
	if i == len(v.selector) {
		v.found(p)
		return
	}
	if !p.Value.Container() || !v.budget.Spend() {
		return
	}
	step := v.selector[i]
	if !step.deep {
		p.Children(func(segment string, child Place) {
			if step.matches(segment, child.Value) {
				v.run(i+1, child)
			}
		})
		return
	}
	if p.Value.entered {
		key := visited{i, p.Value, p.At, p.direct, p.Request(), p.Response()}
		if v.seen[key] {
			return
		}
		v.seen[key] = true
	}
	v.run(i+1, p)
	p.Children(func(segment string, child Place) {
		if step.without == "" || segment != step.without {
			v.run(i, child)
		}
	})
}

// Request tells whether the way leads through the body of a request.
func (p Place) Request() bool {
	return p.Below("components", "requestBodies") || p.Below("paths", "*", "*", "requestBody")
}

// Response tells whether the way leads through an answer.
func (p Place) Response() bool {
	return p.Below("components", "responses") || p.Below("paths", "*", "*", "responses")
}

// Key is the last step of the way, "" at the root.
func (p Place) Key() string { return p.last }
