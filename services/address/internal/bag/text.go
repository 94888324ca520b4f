package bag

import (
	"bytes"
	"unicode/utf8"
)

// leaf reads the text of the current element and its end tag. The text is valid until the next call. An element inside
// is refused.
func (s *scanner) leaf() ([]byte, error) {
	if !s.closing {
		// Nearly every value is text and its end tag, both in the buffer: no token is made for them.
		if i := bytes.IndexByte(s.buf[s.pos:s.end], '<'); i >= 0 {
			name, at := s.current(), s.pos+i
			if tail := s.buf[at:s.end]; len(tail) > len(name)+2 && tail[1] == '/' && tail[len(name)+2] == '>' && bytes.Equal(tail[2:2+len(name)], name) {
				s.start = s.base + int64(s.pos)
				raw := s.buf[s.pos:at]
				s.pos = at + len(name) + 3
				_ = s.pop(name)
				return s.unescape(raw)
			}
		}
	}
	var whole []byte
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case t == tokenText:
			if len(whole)+len(s.text) > maxText {
				return nil, s.fail("longer than any extract has it")
			}
			whole = append(whole, s.text...)
		case t == tokenEnd:
			return whole, nil
		default:
			return nil, s.fail("an element where a value belongs")
		}
	}
}

// unescape resolves references and checks characters. It copies only where it must.
func (s *scanner) unescape(raw []byte) ([]byte, error) {
	if !validChars(raw) {
		return nil, s.fail("a character that XML does not allow")
	}
	if bytes.Contains(raw, []byte("]]>")) {
		return nil, s.fail("]]> in text")
	}
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw, nil
	}
	return s.unescapeRare(s.newlines(raw))
}

func (s *scanner) unescapeRare(raw []byte) ([]byte, error) {
	if bytes.IndexByte(raw, '&') < 0 {
		return raw, nil
	}
	out := make([]byte, 0, len(raw))
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return append(out, raw...), nil
		}
		out = append(out, raw[:i]...)
		raw = raw[i+1:]
		j := bytes.IndexByte(raw, ';')
		if j < 0 || j > 10 {
			return nil, s.fail("a reference without its end")
		}
		r, ok := reference(raw[:j])
		if !ok {
			return nil, s.fail("an entity that XML itself does not define")
		}
		out = utf8.AppendRune(out, r)
		raw = raw[j+1:]
	}
}

// newlines turns CR LF and CR into LF (XML 1.0 §2.11).
func (s *scanner) newlines(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}
