package bag

import (
	"bytes"
	"errors"
	"io"
)

// Limits of the scanner. The largest legitimate text is the outline of a big locality, some hundred kilobytes.
const (
	maxDepth = 24
	maxTag   = 64 << 10 // bytes of one tag with its attributes
	maxText  = 16 << 20 // bytes of one text
	maxAttrs = 64       // attributes of one tag
	bufSize  = 256 << 10
)

type token uint8

const (
	tokenEOF token = iota
	tokenStart
	tokenEnd
	tokenText
)

type attribute struct{ name, value []byte }

// scanner takes XML apart as far as extracts need it, and refuses the rest of XML: document types, entities other than
// the five of the standard, processing instructions. It accepts nothing that is not well formed.
type scanner struct {
	r    io.Reader
	buf  []byte
	pos  int // next byte to read
	end  int // bytes in buf
	base int64
	err  error // of r

	start   int64 // position of the current token
	name    []byte
	attrs   []attribute
	text    []byte
	closing bool // <a/>: the end is still to be given
	begun   bool
	done    bool // the root has ended
	names   []byte
	marks   [maxDepth + 1]int
	depth   int
	scratch []byte
}

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, bufSize)} }

// reset prepares for another document and keeps the memory.
func (s *scanner) reset(r io.Reader) {
	*s = scanner{r: r, buf: s.buf[:cap(s.buf)], attrs: s.attrs[:0], names: s.names[:0], scratch: s.scratch[:0]}
}

type scanError struct {
	offset int64
	reason string
}

func (e *scanError) Error() string { return e.reason }

func (s *scanner) fail(reason string) error { return &scanError{s.start, reason} }

// fill reads more and gives false at the end of the input. Positions in buf shift: only s.pos stays valid.
func (s *scanner) fill() bool {
	if s.err != nil {
		return false
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.base += int64(s.pos)
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		bigger := make([]byte, 2*len(s.buf))
		copy(bigger, s.buf[:s.end])
		s.buf = bigger
	}
	for range 100 {
		var n int
		n, s.err = s.r.Read(s.buf[s.end:])
		s.end += n
		if n > 0 {
			return true
		}
		if s.err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// find gives the distance from s.pos to the first needle at or after s.pos+from, reading up to limit bytes.
func (s *scanner) find(needle string, from, limit int) (int, error) {
	for {
		if s.end-s.pos > from {
			if i := bytes.Index(s.buf[s.pos+from:s.end], []byte(needle)); i >= 0 {
				return from + i, nil
			}
			from = max(from, s.end-s.pos-len(needle)+1)
		}
		if s.end-s.pos > limit {
			return 0, s.fail("longer than any extract has it")
		}
		if !s.fill() {
			return 0, s.broken()
		}
	}
}

// broken explains why the input ended inside something.
func (s *scanner) broken() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return &scanError{s.base + int64(s.end), "the XML ends too early"}
	}
	return s.err
}

// next gives the next token. Comments are skipped.
func (s *scanner) next() (token, error) {
	if s.closing {
		s.closing = false
		return tokenEnd, s.pop(s.name)
	}
	for {
		if s.pos == s.end && !s.fill() {
			if !errors.Is(s.err, io.EOF) {
				return 0, s.err
			}
			if !s.done {
				return 0, s.broken()
			}
			return tokenEOF, nil
		}
		s.start = s.base + int64(s.pos)
		if s.buf[s.pos] != '<' {
			if err := s.chars(); err != nil {
				return 0, err
			}
			if s.depth > 0 {
				return tokenText, nil
			}
			if !blank(s.text) && !(s.start == 0 && bytes.Equal(bytes.TrimRight(s.text, " \t\r\n"), []byte("\ufeff"))) {
				return 0, s.fail("text outside the root element")
			}
			continue
		}
		for s.end-s.pos < 4 {
			if !s.fill() {
				return 0, s.broken()
			}
		}
		switch b := s.buf[s.pos+1]; b {
		case '/':
			return tokenEnd, s.endTag()
		case '!':
			if string(s.buf[s.pos:s.pos+4]) != "<!--" {
				return s.cdata()
			}
			if err := s.comment(); err != nil {
				return 0, err
			}
		case '?':
			if err := s.declaration(); err != nil {
				return 0, err
			}
		default:
			return tokenStart, s.startTag()
		}
	}
}

// chars reads text up to the next markup.
func (s *scanner) chars() error {
	n, err := s.find("<", 0, maxText)
	if err != nil {
		if s.depth > 0 || !errors.Is(s.err, io.EOF) {
			return err
		}
		n = s.end - s.pos // white space after the root
	}
	raw := s.buf[s.pos : s.pos+n]
	s.pos += n
	s.text, err = s.unescape(raw)
	return err
}

func (s *scanner) cdata() (token, error) {
	const open, shut = "<![CDATA[", "]]>"
	for s.end-s.pos < len(open) {
		if !s.fill() {
			return 0, s.broken()
		}
	}
	if string(s.buf[s.pos:s.pos+len(open)]) != open {
		return 0, s.fail("a document type is not allowed here, nor are entities")
	}
	if s.depth == 0 {
		return 0, s.fail("text outside the root element")
	}
	n, err := s.find(shut, len(open), maxText)
	if err != nil {
		return 0, err
	}
	s.text = s.buf[s.pos+len(open) : s.pos+n]
	s.pos += n + len(shut)
	if !validChars(s.text) {
		return 0, s.fail("a character that XML does not allow")
	}
	s.text = s.newlines(s.text)
	return tokenText, nil
}

func (s *scanner) comment() error {
	n, err := s.find("--", 4, maxText)
	if err != nil {
		return err
	}
	for s.end-s.pos < n+3 {
		if !s.fill() {
			return s.broken()
		}
	}
	if s.buf[s.pos+n+2] != '>' {
		return s.fail("-- inside a comment")
	}
	if !validChars(s.buf[s.pos+4 : s.pos+n]) {
		return s.fail("a character that XML does not allow")
	}
	s.pos += n + 3
	return nil
}

func (s *scanner) declaration() error {
	n, err := s.find("?>", 2, maxTag)
	if err != nil {
		return err
	}
	decl := s.buf[s.pos+2 : s.pos+n]
	if s.begun || s.start > 3 || !bytes.HasPrefix(decl, []byte("xml")) || len(decl) < 4 || !space(decl[3]) {
		return s.fail("a processing instruction is not allowed")
	}
	rest := decl[3:]
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(rest) == 0 {
			break
		}
		var a attribute
		if a, rest = cutAttribute(rest); a.name == nil {
			return s.fail("the XML declaration is malformed")
		}
		switch string(a.name) {
		case "version":
			if string(a.value) != "1.0" {
				return s.fail("not XML 1.0")
			}
		case "encoding":
			if !bytes.EqualFold(a.value, []byte("utf-8")) {
				return s.fail("not encoded in UTF-8")
			}
		case "standalone":
		default:
			return s.fail("the XML declaration is malformed")
		}
	}
	s.begun = true
	s.pos += n + 2
	return nil
}

// startTag reads <name attributes> with the quotes in mind: a > may stand in an attribute value.
func (s *scanner) startTag() error {
	if s.done {
		return s.fail("a second root element")
	}
	n, err := s.find(">", 1, maxTag)
	if err != nil {
		return err
	}
	for insideQuotes(s.buf[s.pos : s.pos+n]) {
		if n, err = s.find(">", n+1, maxTag); err != nil {
			return err
		}
	}
	tag := s.buf[s.pos+1 : s.pos+n]
	s.pos += n + 1
	s.begun = true
	if s.closing = len(tag) > 0 && tag[len(tag)-1] == '/'; s.closing {
		tag = tag[:len(tag)-1]
	}
	i := nameLen(tag)
	if i == 0 {
		return s.fail("not the name of an element")
	}
	s.name = tag[:i]
	s.attrs = s.attrs[:0]
	for rest := tag[i:]; ; {
		trimmed := bytes.TrimLeft(rest, " \t\r\n")
		if len(trimmed) == 0 {
			break
		}
		if len(trimmed) == len(rest) || len(s.attrs) == maxAttrs {
			return s.fail("malformed or too many attributes")
		}
		var a attribute
		if a, rest = cutAttribute(trimmed); a.name == nil {
			return s.fail("a malformed attribute")
		}
		if bytes.IndexByte(a.value, '<') >= 0 || !validChars(a.value) {
			return s.fail("an attribute value that XML does not allow")
		}
		if a.value, err = s.unescapeRare(a.value); err != nil {
			return err
		}
		s.attrs = append(s.attrs, a)
	}
	if s.depth == maxDepth {
		return s.fail("nested deeper than any extract")
	}
	s.depth++
	s.names = append(s.names, s.name...)
	s.marks[s.depth] = len(s.names)
	return nil
}

func (s *scanner) endTag() error {
	n, err := s.find(">", 2, maxTag)
	if err != nil {
		return err
	}
	name := s.buf[s.pos+2 : s.pos+n]
	s.pos += n + 1
	return s.pop(bytes.TrimRight(name, " \t\r\n"))
}

func (s *scanner) current() []byte {
	if s.depth == 0 {
		return nil
	}
	return s.names[s.marks[s.depth-1]:s.marks[s.depth]]
}

func (s *scanner) pop(name []byte) error {
	if s.depth == 0 || !bytes.Equal(name, s.current()) {
		return s.fail("an end tag without its start")
	}
	s.names = s.names[:s.marks[s.depth-1]]
	s.depth--
	s.done = s.depth == 0
	return nil
}
