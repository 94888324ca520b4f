package routes

import (
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/errs"
)

// maxTarget bounds path and query together, in bytes.
const maxTarget = 16 << 10

var (
	codeTarget = &errs.Code{
		ID: "path-not-canonical", Kind: errs.Invalid, Side: errs.SideClient, Title: "The path is not in its canonical form",
		Next: "Write the path as the service's OpenAPI file has it: no dot or empty segments, no encoded slashes, nothing encoded that need not be.",
	}
	codeTargetTooLong = &errs.Code{
		ID: "url-too-long", Kind: errs.Invalid, Side: errs.SideClient, Title: "The URL is too long",
		Next: "Shorten the query; where the service has a search operation with a body, use that.",
	}
)

// Canonical gives the path of r in the only form the hub accepts. Gateway, policy and upstream must see the same path, so
// whatever two programs could read differently is refused here instead of being cleaned: a path is forwarded byte for
// byte or not at all.
func Canonical(r *http.Request) (string, error) {
	if len(r.RequestURI) > maxTarget {
		return "", codeTargetTooLong.New("path and query are longer than %d bytes", maxTarget)
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if path == "" || path[0] != '/' || strings.Contains(path, "#") {
		return "", codeTarget.New("the request target is not a path")
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "." || segment == ".." {
			return "", codeTarget.New("the path has dot segments")
		}
	}
	if strings.Contains(path, "//") {
		return "", codeUnknownPath.New("the path has an empty segment").WithRule("/core/no-trailing-slash")
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '%':
			if !needsEncoding(path[i+1:]) {
				return "", codeTarget.New("the path encodes a character that it must not")
			}
			i += 2
		case c == ';' || c == '\\' || c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>^{|}`+"`", c) >= 0:
			return "", codeTarget.New("the path has a character that is not allowed")
		}
	}
	return path, nil
}

// needsEncoding tells whether the two digits after a percent sign stand, in upper case, for a byte that can only be
// written so and that no program takes for structure: not an unreserved character (RFC 3986 §2.3), not a slash, backslash,
// semicolon or percent sign, not a control character.
func needsEncoding(digits string) bool {
	if len(digits) < 2 {
		return false
	}
	hi, lo := unhex(digits[0]), unhex(digits[1])
	if hi < 0 || lo < 0 {
		return false
	}
	b := byte(hi<<4 | lo)
	switch {
	case b < 0x20 || b == 0x7f, strings.IndexByte(`/\;%.-_~`, b) >= 0:
		return false
	case b >= '0' && b <= '9', b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z':
		return false
	}
	return true
}

// unhex knows upper case only: %c3 and %C3 would be two spellings of one path (RFC 3986 §2.1).
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
