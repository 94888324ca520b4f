package tree

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The scalars of the YAML 1.2 core schema.
var (
	intShape   = regexp.MustCompile(`^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatShape = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	infShape   = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$`)
	yamlError  = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)
)

func (b *builder) yaml(text []byte) (*Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var file yaml.Node
	if err := decoder.Decode(&file); err != nil {
		return nil, syntaxOf(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, &SyntaxError{Reason: "the text holds more than one YAML document"}
	}
	if len(file.Content) != 1 {
		return nil, ErrEmpty
	}
	root, err := b.fromYAML(file.Content[0], 0)
	if err == nil && root.Container() {
		root.Line, root.Column = 1, 1
	}
	return root, err
}

func syntaxOf(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	parts := yamlError.FindStringSubmatch(first)
	line, _ := strconv.Atoi(parts[1])
	return &SyntaxError{Line: line, Reason: parts[2]}
}

func (b *builder) fromYAML(y *yaml.Node, depth int) (*Node, error) {
	switch y.Kind {
	case yaml.AliasNode:
		// An alias unfolds, and counts; an anchor that holds itself runs into the limit of the depth.
		n, err := b.fromYAML(y.Alias, depth)
		if err == nil {
			n.Line, n.Column = y.Line, y.Column
		}
		return n, err
	case yaml.MappingNode:
		return b.mapping(y, depth)
	case yaml.SequenceNode:
		n, err := b.node(Array, depth, y.Line, y.Column)
		if err != nil {
			return nil, err
		}
		for _, item := range y.Content {
			child, err := b.fromYAML(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.append(child)
		}
		return n, nil
	}
	n, err := b.node(String, depth, y.Line, y.Column)
	if err == nil {
		n.scalar(y)
	}
	return n, err
}

func (b *builder) mapping(y *yaml.Node, depth int) (*Node, error) {
	n, err := b.node(Object, depth, y.Line, y.Column)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			continue // Spectral drops a key that is not a scalar
		}
		child, err := b.fromYAML(value, depth+1)
		if err != nil {
			return nil, err
		}
		if key.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			if err := b.merge(n, value, depth); err != nil {
				return nil, err
			}
			continue
		}
		implicitNull := value.Kind == yaml.ScalarNode && value.Value == "" && value.Style == 0
		if child.Container() || implicitNull {
			child.Line, child.Column = key.Line, key.Column
		}
		name, text := keyOf(key)
		if own[name] || !text {
			b.doc.Oddities = append(b.doc.Oddities, Oddity{At: child, Duplicate: own[name], Line: key.Line, Column: key.Column})
		}
		own[name] = true
		n.put(name, child)
	}
	return n, nil
}

// merge fills in what `<<` names: one mapping, or several of which the first counts most.
func (b *builder) merge(into *Node, value *yaml.Node, depth int) error {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch value.Kind {
	case yaml.MappingNode:
		merged, err := b.fromYAML(value, depth)
		if err != nil {
			return err
		}
		for _, key := range merged.Keys {
			into.put(key, merged.members[key])
		}
	case yaml.SequenceNode:
		for i := len(value.Content) - 1; i >= 0; i-- {
			if value.Content[i].Kind == yaml.SequenceNode {
				continue
			}
			if err := b.merge(into, value.Content[i], depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyOf gives the name of a key, and whether it was written as text.
func keyOf(key *yaml.Node) (string, bool) {
	var n Node
	n.scalar(key)
	switch n.Kind {
	case Number:
		if n.Number == math.Trunc(n.Number) && math.Abs(n.Number) < 1e15 {
			return strconv.FormatFloat(n.Number, 'f', -1, 64), false
		}
		return strconv.FormatFloat(n.Number, 'g', -1, 64), false
	case Bool:
		return strconv.FormatBool(n.Bool), false
	case Null:
		return "null", false
	}
	return n.Text, true
}

// scalar reads a scalar by the core schema: what yaml.v3 resolves beyond it (dates, underscores in numbers) is text here.
func (n *Node) scalar(y *yaml.Node) {
	n.Kind, n.Text = String, y.Value
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 ||
		y.Style&yaml.TaggedStyle != 0 && y.ShortTag() == "!!str" {
		return
	}
	switch text := y.Value; {
	case text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL":
		n.Kind = Null
	case text == "true" || text == "True" || text == "TRUE":
		n.Kind, n.Bool = Bool, true
	case text == "false" || text == "False" || text == "FALSE":
		n.Kind = Bool
	case intShape.MatchString(text):
		n.Kind, n.Number = Number, integer(text)
	case floatShape.MatchString(text):
		n.Kind = Number
		n.Number, _ = strconv.ParseFloat(text, 64) // out of range is infinity, as in JavaScript
	case infShape.MatchString(text):
		n.Kind, n.Number = Number, math.Inf(1)
		if text[0] == '-' {
			n.Number = math.Inf(-1)
		}
	case text == ".nan" || text == ".NaN" || text == ".NAN":
		n.Kind, n.Number = Number, math.NaN()
	}
}

func integer(text string) float64 {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0o") {
		if value, err := strconv.ParseUint(text, 0, 64); err == nil {
			return float64(value)
		}
		return math.Inf(1)
	}
	value, _ := strconv.ParseFloat(text, 64) // leading zeros and all: decimal
	return value
}
