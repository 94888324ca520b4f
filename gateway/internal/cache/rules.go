package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// negotiated are the request fields that a service may choose its answer by. They are part of every name; an answer that
// varies with any other field is not kept.
var negotiated = []string{
	"Accept", "Accept-Charset", "Accept-Crs", "Accept-Encoding", "Accept-Language", "Content-Crs", "Origin", "Prefer",
}

// directives are the members of Cache-Control, names in lower case, values without quotes.
func directives(h http.Header) map[string]string {
	lines := h["Cache-Control"]
	if len(lines) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			name = strings.ToLower(name)
			if have, twice := all[name]; twice && have != value {
				value = "" // RFC 9111 §4.2.1: what contradicts itself is stale
			}
			all[name] = strings.Trim(value, `"`)
		}
	}
	return all
}

// seconds reads delta-seconds (RFC 9111 §1.2.2), a negative number for what is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return -1
	}
	return time.Duration(n) * time.Second
}

// wish is what a request says about kept answers (RFC 9111 §5.2.1).
type wish struct {
	look bool          // a kept answer will do
	keep bool          // the answer may be kept
	age  time.Duration // a kept answer may be so old; negative: any age
}

func wishOf(r *http.Request) wish {
	w := wish{look: true, keep: true, age: -1}
	for _, name := range []string{"Range", "If-Match", "If-Unmodified-Since", "If-Modified-Since", "If-Range"} {
		if r.Header[name] != nil {
			return wish{}
		}
	}
	wanted := directives(r.Header)
	if wanted == nil && strings.Contains(strings.ToLower(r.Header.Get("Pragma")), "no-cache") {
		w.look = false
	}
	if _, no := wanted["no-store"]; no {
		return wish{}
	}
	if _, no := wanted["no-cache"]; no {
		w.look = false
	}
	if text, there := wanted["max-age"]; there {
		w.age = max(seconds(text), 0)
	}
	// The answer to a condition is no answer for others, and HEAD has no body to keep.
	if r.Header["If-None-Match"] != nil || r.Method != http.MethodGet {
		w.keep = false
	}
	return w
}

// lifetime tells how long an answer may be kept, 0 for not at all (RFC 9111 §3 and §4.2.1). What the contract agreed is
// the most, and holds where the service says nothing: it is the explicit permission without which an answer to a request
// with Authorization must not be kept in a cache that is shared (§3.5).
func lifetime(resp *http.Response, agreed time.Duration) time.Duration {
	h := resp.Header
	if resp.StatusCode != http.StatusOK || len(resp.Trailer) > 0 || h["Set-Cookie"] != nil || h["Content-Range"] != nil ||
		strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") || !varies(h) {
		return 0
	}
	said := directives(h)
	for _, no := range []string{"no-store", "private", "no-cache"} {
		if _, there := said[no]; there {
			return 0
		}
	}
	life := agreed
	if text, there := said["s-maxage"]; there {
		life = seconds(text)
	} else if text, there := said["max-age"]; there {
		life = seconds(text)
	} else if text := h.Get("Expires"); text != "" {
		life = 0
		end, err := http.ParseTime(text)
		if date, dateErr := http.ParseTime(h.Get("Date")); err == nil && dateErr == nil {
			life = end.Sub(date)
		}
	}
	return max(min(life-age(h), agreed), 0)
}

// age is how old an answer is that another cache gave.
func age(h http.Header) time.Duration {
	if text := h.Get("Age"); text != "" {
		return max(seconds(text), 0)
	}
	return 0
}

// varies tells whether the name of an answer covers what it depends on.
func varies(h http.Header) bool {
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field != "" && !covered(field) {
				return false
			}
		}
	}
	return true
}

func covered(field string) bool {
	for _, n := range negotiated {
		if strings.EqualFold(n, field) {
			return true
		}
	}
	return false
}

// matches compares If-None-Match with an entity tag, weakly (RFC 9110 §13.1.2).
func matches(lines []string, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for _, line := range lines {
		if strings.TrimSpace(line) == "*" {
			return true
		}
		for line != "" {
			begin := strings.IndexByte(line, '"')
			if begin < 0 {
				break
			}
			length := strings.IndexByte(line[begin+1:], '"')
			if length < 0 {
				break
			}
			if tag != "" && line[begin:begin+length+2] == tag {
				return true
			}
			line = line[begin+length+2:]
		}
	}
	return false
}
