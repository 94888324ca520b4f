package tree

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The limits of a text. A description of 600 kB has about 40,000 nodes and is 30 deep.
const (
	MaxSize  = 8 << 20   // bytes
	MaxDepth = 200       // objects and arrays within each other
	MaxNodes = 1_000_000 // values, with what aliases and merge keys unfold to
)

// Errors of Parse, besides those that name a line.
var (
	ErrTooLarge = errors.New("the text is larger than 8 MiB")
	ErrTooDeep  = errors.New("the text is nested deeper than 200 levels")
	ErrTooMany  = errors.New("the text holds more than 1,000,000 values; aliases count as often as they are used")
	ErrEmpty    = errors.New("the text is empty")
	ErrEncoding = errors.New("the text is not UTF-8")

	// ErrTooMuchWork ends a check whose budget is used up.
	ErrTooMuchWork = errors.New("the text refers to itself in so many ways that checking it takes too long")
)

// SyntaxError says where a text is neither JSON nor YAML.
type SyntaxError struct {
	Line   int // from 1; 0 if the parser does not tell
	Reason string
}

// Error gives line and reason.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// Oddity is something a parser lets pass and people should know.
type Oddity struct {
	At        *Node // the value of the key
	Duplicate bool  // the key stands there twice, the last one counts; else it is not written as text (200 for "200")
	Line      int
	Column    int
}

// Document is a text as a tree, with its references followed.
type Document struct {
	Root     *Node
	Oddities []Oddity
	Broken   []*Node // `$ref` values that lead nowhere
	Outside  []*Node // `$ref` values that lead out of the text

	References int // how many there are within the text
	Longest    int // references one after the other until there is a value
}

// Parse reads JSON or YAML. Its errors are ErrTooLarge, ErrTooDeep, ErrTooMany, ErrEmpty, ErrEncoding and *SyntaxError.
func Parse(text []byte) (*Document, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch {
	case len(text) > MaxSize:
		return nil, ErrTooLarge
	case len(bytes.TrimSpace(text)) == 0:
		return nil, ErrEmpty
	case !utf8.Valid(text):
		return nil, ErrEncoding
	}
	doc := &Document{}
	b := &builder{doc: doc}
	var err error
	if bytes.TrimSpace(text)[0] == '{' {
		doc.Root, err = b.json(text)
	}
	if doc.Root == nil || err != nil { // a flow mapping of YAML begins with a brace too
		doc.Oddities, b.nodes = nil, 0
		var yamlErr error
		doc.Root, yamlErr = b.yaml(text)
		if yamlErr != nil {
			if err == nil {
				err = yamlErr
			}
			return nil, err
		}
	}
	doc.follow()
	return doc, nil
}

// builder counts while it builds.
type builder struct {
	doc   *Document
	nodes int
}

func (b *builder) node(kind Kind, depth, line, column int) (*Node, error) {
	b.nodes++
	switch {
	case depth > MaxDepth:
		return nil, ErrTooDeep
	case b.nodes > MaxNodes:
		return nil, ErrTooMany
	}
	n := &Node{Kind: kind, depth: depth, Line: line, Column: column}
	if kind == Object {
		n.members = map[string]*Node{}
	}
	return n, nil
}
