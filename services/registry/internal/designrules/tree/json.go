package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// jsonReader reads tokens and knows their places. JSON has a reader of its own beside YAML, for YAML knows no surrogate
// pairs in escapes.
type jsonReader struct {
	*builder
	text    []byte
	decoder *json.Decoder
	lines   []int // offsets at which lines begin
}

func (b *builder) json(text []byte) (*Node, error) {
	r := &jsonReader{builder: b, text: text, decoder: json.NewDecoder(bytes.NewReader(text)), lines: []int{0}}
	r.decoder.UseNumber()
	for i, c := range text {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	root, err := r.value(0)
	if err != nil {
		return nil, r.explain(err)
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, r.explain(errors.New("there is more after the end of the JSON text"))
	}
	return root, nil
}

func (r *jsonReader) explain(err error) error {
	if errors.Is(err, ErrTooDeep) || errors.Is(err, ErrTooMany) {
		return err
	}
	line, _ := r.place(int(r.decoder.InputOffset()))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &SyntaxError{Line: line, Reason: "the JSON text ends too early"}
	}
	return &SyntaxError{Line: line, Reason: err.Error()}
}

func (r *jsonReader) place(offset int) (line, column int) {
	i, found := slices.BinarySearch(r.lines, offset)
	if !found {
		i--
	}
	return i + 1, offset - r.lines[i] + 1
}

// next reads a token and gives the place at which it begins.
func (r *jsonReader) next() (token json.Token, line, column int, err error) {
	start := int(r.decoder.InputOffset())
	for start < len(r.text) && bytes.IndexByte([]byte(" \t\r\n,:"), r.text[start]) >= 0 {
		start++
	}
	line, column = r.place(start)
	token, err = r.decoder.Token()
	return token, line, column, err
}

func (r *jsonReader) value(depth int) (*Node, error) {
	token, line, column, err := r.next()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return r.object(depth, line, column)
		}
		return r.array(depth, line, column)
	case bool:
		n, err := r.node(Bool, depth, line, column)
		if err == nil {
			n.Bool = token
		}
		return n, err
	case json.Number:
		n, err := r.node(Number, depth, line, column)
		if err == nil {
			n.Text = token.String()
			n.Number, _ = strconv.ParseFloat(n.Text, 64) // out of range is infinity, as in JavaScript
		}
		return n, err
	case string:
		n, err := r.node(String, depth, line, column)
		if err == nil {
			n.Text = token
		}
		return n, err
	}
	return r.node(Null, depth, line, column)
}

func (r *jsonReader) object(depth, line, column int) (*Node, error) {
	n, err := r.node(Object, depth, line, column)
	if err != nil {
		return nil, err
	}
	for r.decoder.More() {
		token, keyLine, keyColumn, err := r.next()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("a key is not text")
		}
		child, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if child.Container() {
			child.Line, child.Column = keyLine, keyColumn
		}
		if n.Get(key) != nil {
			r.doc.Oddities = append(r.doc.Oddities, Oddity{At: child, Duplicate: true, Line: keyLine, Column: keyColumn})
		}
		n.put(key, child)
	}
	_, err = r.decoder.Token()
	return n, err
}

func (r *jsonReader) array(depth, line, column int) (*Node, error) {
	n, err := r.node(Array, depth, line, column)
	if err != nil {
		return nil, err
	}
	for r.decoder.More() {
		child, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.append(child)
	}
	_, err = r.decoder.Token()
	return n, err
}

func (n *Node) append(child *Node) {
	child.parent, child.key = n, strconv.Itoa(len(n.Items))
	n.Items = append(n.Items, child)
}
