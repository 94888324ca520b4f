package bag

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

func space(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func blank(text []byte) bool {
	for _, b := range text {
		if !space(b) {
			return false
		}
	}
	return true
}

// nameLen gives the length of the element or attribute name that b starts with. Extracts use ASCII names only; others
// are refused.
func nameLen(b []byte) int {
	for i, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		inner := i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':')
		if !letter && !inner {
			return i
		}
	}
	return len(b)
}

// cutAttribute reads name="value" and gives a nil name where b does not start with one.
func cutAttribute(b []byte) (attribute, []byte) {
	n := nameLen(b)
	if n == 0 {
		return attribute{}, nil
	}
	name := b[:n]
	b = bytes.TrimLeft(b[n:], " \t\r\n")
	if len(b) == 0 || b[0] != '=' {
		return attribute{}, nil
	}
	b = bytes.TrimLeft(b[1:], " \t\r\n")
	if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
		return attribute{}, nil
	}
	shut := bytes.IndexByte(b[1:], b[0])
	if shut < 0 {
		return attribute{}, nil
	}
	return attribute{name, b[1 : 1+shut]}, b[shut+2:]
}

// insideQuotes tells whether a tag breaks off inside an attribute value.
func insideQuotes(tag []byte) bool {
	for {
		i := bytes.IndexAny(tag, `"'`)
		if i < 0 {
			return false
		}
		j := bytes.IndexByte(tag[i+1:], tag[i])
		if j < 0 {
			return true
		}
		tag = tag[i+j+2:]
	}
}

// validChars checks UTF-8 and the Char production of XML 1.0 §2.2.
func validChars(text []byte) bool {
	plain := true
	for _, b := range text {
		if b < 0x20 && b != '\n' && b != '\t' && b != '\r' {
			return false
		}
		if b >= utf8.RuneSelf {
			plain = false
		}
	}
	if plain {
		return true
	}
	if !utf8.Valid(text) {
		return false
	}
	return !bytes.Contains(text, []byte("\uFFFE")) && !bytes.Contains(text, []byte("\uFFFF"))
}

// reference resolves what stands between & and ;.
func reference(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := string(name[1:]), 10
	if name[1] == 'x' {
		digits, base = string(name[2:]), 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	r := rune(n)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(r) || r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return 0, false
	}
	return r, true
}
