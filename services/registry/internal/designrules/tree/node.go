package tree

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is what JSON knows of kinds.
type Kind uint8

// The kinds of JSON.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String gives the name that JSON Schema has for the kind.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// Node is one value of a text. Nodes are not changed once their Document is made.
type Node struct {
	Kind   Kind
	Text   string  // the value of a String; a Number as it was written
	Number float64 // the value of a Number
	Bool   bool    // the value of a Bool
	Keys   []string
	Items  []*Node

	Line, Column int // from 1: of the value; for an object or array below a key, of the key

	members map[string]*Node
	parent  *Node
	key     string // below parent: name or index
	depth   int
	leads   *Node // where a reference leads
	target  *Node // the same, when it can be followed without going in a circle
	entered bool  // a reference leads here, so there is more than one way to it
}

// Get gives the member of an object, as it is written: a reference is not followed. It is nil where there is none.
func (n *Node) Get(name string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	return n.members[name]
}

// At goes down by names and indexes, through no references. It is nil where the path ends too early.
func (n *Node) At(path ...string) *Node {
	for _, segment := range path {
		n = n.child(segment)
	}
	return n
}

func (n *Node) child(segment string) *Node {
	if n == nil {
		return nil
	}
	if n.Kind == Array {
		i, err := strconv.Atoi(segment)
		if err != nil || i < 0 || i >= len(n.Items) {
			return nil
		}
		return n.Items[i]
	}
	return n.Get(segment)
}

// Str gives the text of a String and "" for all else, nil too.
func (n *Node) Str() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Container tells whether a node can have children.
func (n *Node) Container() bool { return n != nil && n.Kind >= Array }

// Truthy tells whether JavaScript takes the value as true. Nil is undefined.
func (n *Node) Truthy() bool {
	switch {
	case n == nil || n.Kind == Null:
		return false
	case n.Kind == Bool:
		return n.Bool
	case n.Kind == Number:
		return n.Number != 0 && !math.IsNaN(n.Number)
	case n.Kind == String:
		return n.Text != ""
	}
	return true
}

// Children calls f for each child with its name or index, in the order of the text.
func (n *Node) Children(f func(segment string, child *Node)) {
	switch {
	case n == nil:
	case n.Kind == Array:
		for i, item := range n.Items {
			f(strconv.Itoa(i), item)
		}
	case n.Kind == Object:
		for _, key := range n.Keys {
			f(key, n.members[key])
		}
	}
}

// Path gives the names and indexes from the root to the node.
func (n *Node) Path() []string {
	path := []string{}
	for ; n != nil && n.parent != nil; n = n.parent {
		path = append(path, n.key)
	}
	slices.Reverse(path)
	return path
}

// Key is the last segment of Path, "" for the root.
func (n *Node) Key() string { return n.key }

// Parent is the object or array that holds the node, nil for the root.
func (n *Node) Parent() *Node { return n.parent }

// Reference gives the text of `$ref` where an object has one.
func (n *Node) Reference() (string, bool) {
	ref := n.Get("$ref")
	if ref == nil || ref.Kind != String {
		return "", false
	}
	return ref.Text, true
}

// Target gives where a reference of a document leads, also one that Value leaves because it closes a circle. It is nil for
// all else.
func (n *Node) Target() *Node {
	if n == nil {
		return nil
	}
	return n.leads
}

// Value gives what a node stands for: the target of a reference that can be followed, else the node itself.
func (n *Node) Value() *Node {
	if n != nil && n.target != nil {
		return n.target
	}
	return n
}

// AppendJSON writes the node as it stands: aliases and merge keys filled in, references kept, members in their order. With
// extra, an object gets the member that it gives, in front; an empty text is none.
func (n *Node) AppendJSON(out []byte, extra func(*Node) (name, text string)) []byte {
	switch n.Kind {
	case Bool:
		return strconv.AppendBool(out, n.Bool)
	case Number:
		return appendNumber(out, n)
	case String:
		return appendText(out, n.Text)
	case Array:
		out = append(out, '[')
		for i, item := range n.Items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.AppendJSON(out, extra)
		}
		return append(out, ']')
	case Object:
		return n.appendObject(out, extra)
	}
	return append(out, "null"...)
}

func (n *Node) appendObject(out []byte, extra func(*Node) (name, text string)) []byte {
	out = append(out, '{')
	more := ""
	if extra != nil {
		if name, text := extra(n); text != "" {
			more = name
			out = append(appendText(out, name), ':')
			out = append(appendText(out, text), ',')
		}
	}
	for _, key := range n.Keys {
		if key == more {
			continue
		}
		out = append(appendText(out, key), ':')
		out = append(n.members[key].AppendJSON(out, extra), ',')
	}
	if out[len(out)-1] == ',' {
		out = out[:len(out)-1]
	}
	return append(out, '}')
}

func appendNumber(out []byte, n *Node) []byte {
	if json.Valid([]byte(n.Text)) {
		return append(out, n.Text...)
	}
	if math.IsNaN(n.Number) || math.IsInf(n.Number, 0) {
		return append(out, "null"...)
	}
	return strconv.AppendFloat(out, n.Number, 'g', -1, 64)
}

func appendText(out []byte, text string) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(strings.ToValidUTF8(text, "\uFFFD")) // a string always encodes
	return append(out, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...)
}

// put adds a member; one of the same name is replaced and moves to the end, as in Spectral.
func (n *Node) put(key string, value *Node) {
	if _, twice := n.members[key]; twice {
		n.Keys = slices.DeleteFunc(n.Keys, func(k string) bool { return k == key })
	}
	n.Keys = append(n.Keys, key)
	n.members[key] = value
	value.parent, value.key = n, key
}
