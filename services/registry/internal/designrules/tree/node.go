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
	target  *Node // where a reference leads, when it can be followed
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

// Value gives what a node stands for: the target of a reference that can be followed, else the node itself.
func (n *Node) Value() *Node {
	if n != nil && n.target != nil {
		return n.target
	}
	return n
}

// Equal tells whether two values are the same JSON: the order of members does not count, 1 and 1.0 are one number.
func (n *Node) Equal(other *Node) bool {
	n, other = n.Value(), other.Value()
	if n == other {
		return true
	}
	if n == nil || other == nil || n.Kind != other.Kind || len(n.Items) != len(other.Items) || len(n.Keys) != len(other.Keys) {
		return false
	}
	switch n.Kind {
	case Bool:
		return n.Bool == other.Bool
	case Number:
		return n.Number == other.Number
	case String:
		return n.Text == other.Text
	case Array:
		for i := range n.Items {
			if !n.Items[i].Equal(other.Items[i]) {
				return false
			}
		}
	case Object:
		for _, key := range n.Keys {
			if !n.members[key].Equal(other.Get(key)) {
				return false
			}
		}
	}
	return true
}

// AppendJSON writes the node as it stands: aliases and merge keys filled in, references kept, members in their order.
func (n *Node) AppendJSON(out []byte) []byte {
	switch n.Kind {
	case Bool:
		return strconv.AppendBool(out, n.Bool)
	case Number:
		if json.Valid([]byte(n.Text)) {
			return append(out, n.Text...)
		}
		if math.IsNaN(n.Number) || math.IsInf(n.Number, 0) {
			return append(out, "null"...)
		}
		return strconv.AppendFloat(out, n.Number, 'g', -1, 64)
	case String:
		return appendText(out, n.Text)
	case Array:
		out = append(out, '[')
		for i, item := range n.Items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.AppendJSON(out)
		}
		return append(out, ']')
	case Object:
		out = append(out, '{')
		for i, key := range n.Keys {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, key), ':')
			out = n.members[key].AppendJSON(out)
		}
		return append(out, '}')
	}
	return append(out, "null"...)
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
