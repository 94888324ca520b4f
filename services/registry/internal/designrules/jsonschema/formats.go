package jsonschema

import (
	"errors"
	"math"
	"net/url"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// The grammar of RFC 3986, as ajv-formats has it.
const (
	pchar      = `(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})`
	loosePchar = `(?:[a-z0-9\-._~!$&'"()*+,;=:@]|%[0-9a-f]{2})`
	authority  = `//(?:(?:[a-z0-9\-._~!$&'()*+,;=:]|%[0-9a-f]{2})*@)?` +
		`(?:\[(?:[0-9a-f:.]+|v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+)\]|(?:[a-z0-9\-._~!$&'"()*+,;=]|%[0-9a-f]{2})*)(?::\d*)?`
	suffix = `(?:\?(?:[a-z0-9\-._~!$&'"()*+,;=:@/?]|%[0-9a-f]{2})*)?(?:#(?:[a-z0-9\-._~!$&'"()*+,;=:@/?]|%[0-9a-f]{2})*)?$`
	octet  = `(?:25[0-5]|2[0-4]\d|[01]?\d\d?)`
)

var (
	dateShape     = regexp.MustCompile(`^(\d\d\d\d)-(\d\d)-(\d\d)$`)
	timeShape     = regexp.MustCompile(`(?i)^(\d\d):(\d\d):(\d\d)(\.\d+)?(z|[+-]\d\d(?::?\d\d)?)?$`)
	timeSeparator = regexp.MustCompile(`[tT\s]`)
	durationShape = regexp.MustCompile(`^P(?:(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?|(\d+W)?)$`)
	uriShape      = regexp.MustCompile(`(?i)^[a-z][a-z0-9+\-.]*:(?:` + authority + `(?:/` + pchar + `*)*|/(?:` + pchar + `+(?:/` + pchar + `*)*)?|` +
		pchar + `+(?:/` + pchar + `*)*)` + suffix)
	uriReferenceShape = regexp.MustCompile(`(?i)^(?:[a-z][a-z0-9+\-.]*:)?(?:` + authority + `(?:/` + loosePchar + `*)*|/(?:` + loosePchar + `+(?:/` +
		loosePchar + `*)*)?|` + loosePchar + `+(?:/` + loosePchar + `*)*)?` + suffix)
	uriTemplateShape = regexp.MustCompile("(?i)^(?:(?:[^\\x00-\\x20\"'<>%\\\\^`{|}]|%[0-9a-f]{2})|" +
		`\{[+#./;?&=,!@|]?(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\*)?(?:,(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\*)?)*\})*$`)
	emailShape = regexp.MustCompile("(?i)^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@" +
		`(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
	hostnameShape    = regexp.MustCompile(`(?i)^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-0-9a-z]{0,61}[0-9a-z])?)*\.?$`)
	ipv4Shape        = regexp.MustCompile(`^(?:` + octet + `\.){3}` + octet + `$`)
	uuidShape        = regexp.MustCompile(`(?i)^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	pointerShape     = regexp.MustCompile(`^(?:/(?:[^~/]|~0|~1)*)*$`)
	pointerURIShape  = regexp.MustCompile(`(?i)^#(?:/(?:[a-z0-9_\-.!$&'()*+,;:=@]|%[0-9a-f]{2}|~0|~1)*)*$`)
	relativeShape    = regexp.MustCompile(`^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)$`)
	base64Shape      = regexp.MustCompile(`(?m)^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)
	ipv6Group        = regexp.MustCompile(`(?i)^[0-9a-f]{1,4}$`)
	topLevelDomain   = regexp.MustCompile(`\.[a-zA-Z\x{a1}-\x{ffff}]{2,}$`)
	unicodeEscape    = regexp.MustCompile(`\\u([0-9a-fA-F]{4})`)
	privateIPv4Shape = regexp.MustCompile(`^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.`)
)

// formatOf gives the check of a format for text; nil where any text will do, and for formats nobody knows.
func formatOf(name string) func(string) bool {
	switch name {
	case "date":
		return isDate
	case "time", "iso-time":
		return isTime
	case "date-time", "iso-date-time":
		return func(text string) bool {
			parts := timeSeparator.Split(text, -1)
			return len(parts) == 2 && isDate(parts[0]) && isTime(parts[1])
		}
	case "duration":
		return isDuration
	case "uri":
		return func(text string) bool { return strings.ContainsAny(text, "/:") && uriShape.MatchString(text) }
	case "uri-reference":
		return uriReferenceShape.MatchString
	case "uri-template":
		return uriTemplateShape.MatchString
	case "url":
		return isURL
	case "email":
		return emailShape.MatchString
	case "hostname":
		return func(text string) bool {
			return len(strings.TrimSuffix(text, ".")) <= 253 && hostnameShape.MatchString(text)
		}
	case "ipv4":
		return ipv4Shape.MatchString
	case "ipv6":
		return isIPv6
	case "regex":
		return isRegex
	case "uuid":
		return uuidShape.MatchString
	case "json-pointer":
		return pointerShape.MatchString
	case "json-pointer-uri-fragment":
		return pointerURIShape.MatchString
	case "relative-json-pointer":
		return relativeShape.MatchString
	case "byte":
		return base64Shape.MatchString
	}
	return nil
}

// numberFits tells whether a number keeps to a format of OpenAPI.
func numberFits(format string, value float64) bool {
	switch format {
	case "int32":
		return value == math.Trunc(value) && value >= math.MinInt32 && value <= math.MaxInt32
	case "int64":
		return value == math.Trunc(value)
	}
	return true
}

func isDate(text string) bool {
	parts := dateShape.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	year, _ := strconv.Atoi(parts[1])
	month, _ := strconv.Atoi(parts[2])
	day, _ := strconv.Atoi(parts[3])
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}

// isTime takes a time without an offset too: so does ajv-formats, also within a date-time.
func isTime(text string) bool {
	parts := timeShape.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	clock := parts[1] + parts[2] + parts[3]
	return parts[1] <= "23" && parts[2] <= "59" && parts[3] <= "59" || clock == "235960"
}

func isDuration(text string) bool {
	return durationShape.MatchString(text) && text != "P" && !strings.HasSuffix(text, "T")
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.ContainsAny(text, " \t\r\n") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "ftp":
	default:
		return false
	}
	host := u.Hostname()
	if ipv4Shape.MatchString(host) {
		return !privateIPv4Shape.MatchString(host)
	}
	return topLevelDomain.MatchString(host)
}

func isIPv6(text string) bool {
	if i := strings.LastIndex(text, ":"); i >= 0 && strings.Contains(text[i+1:], ".") {
		if !ipv4Shape.MatchString(text[i+1:]) {
			return false
		}
		text = text[:i+1] + "0:0"
	}
	head, tail, short := strings.Cut(text, "::")
	groups := func(part string) (int, bool) {
		if part == "" {
			return 0, true
		}
		list := strings.Split(part, ":")
		for _, group := range list {
			if !ipv6Group.MatchString(group) {
				return 0, false
			}
		}
		return len(list), true
	}
	before, ok := groups(head)
	after, okTail := groups(tail)
	if !ok || !okTail {
		return false
	}
	if short {
		return before+after <= 7
	}
	return before == 8
}

// isRegex refuses what is no regular expression in any dialect; look-around and the like, which Go lacks, pass.
func isRegex(text string) bool {
	_, err := compile(text)
	var fault *syntax.Error
	if !errors.As(err, &fault) {
		return true
	}
	switch fault.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingBracket, syntax.ErrMissingRepeatArgument,
		syntax.ErrInvalidCharRange, syntax.ErrTrailingBackslash, syntax.ErrInvalidRepeatOp:
		return false
	}
	return true
}

// compile reads a regular expression of JavaScript as far as Go can; Go's run in linear time, so a pattern from outside
// cannot stall the check.
func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(unicodeEscape.ReplaceAllString(pattern, `\x{$1}`))
}
