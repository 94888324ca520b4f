package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// DeltaType is the media type of a Delta. A follower that can apply one asks for it with Accept; who doesn't gets the whole
// snapshot. The signature beside it is over the whole snapshot all the same: there is only one signed form.
const DeltaType = "application/vnd.noorderhub.snapshot-delta+json"

// Delta leads from the body that somebody holds to the newest one, a step per version in between. It knows nothing of what
// the bodies mean, so that fields to come need nothing new here.
type Delta struct {
	Steps []Step `json:"steps"`
}

// Step is one body in terms of the one before: the pieces one after the other.
type Step []Piece

// Piece is a stretch of the old body, or text that was not in it.
type Piece struct {
	At     int    `json:"at,omitempty"`     // offset in the old body, bytes
	Length int    `json:"length,omitempty"` // 0: it is Text
	Text   string `json:"text,omitempty"`
}

// ErrDelta says that a delta does not fit the body that it was asked for.
var ErrDelta = errors.New("the delta does not fit the snapshot held")

// MaxSteps bounds the steps of a delta: beyond it the whole snapshot is the better answer.
const MaxSteps = 256

// Apply gives the body that the delta leads to. Whether it is the registry's only its signature tells.
func (d Delta) Apply(body []byte) ([]byte, error) {
	if len(d.Steps) == 0 || len(d.Steps) > MaxSteps {
		return nil, fmt.Errorf("%w: %d steps", ErrDelta, len(d.Steps))
	}
	for _, step := range d.Steps {
		var err error
		if body, err = step.apply(body); err != nil {
			return nil, err
		}
	}
	return body, nil
}

func (s Step) apply(old []byte) ([]byte, error) {
	size := 0
	for _, p := range s {
		if p.Length < 0 || p.At < 0 || p.At > len(old) || p.Length > len(old)-p.At || p.Length > 0 && p.Text != "" {
			return nil, fmt.Errorf("%w: a piece lies outside", ErrDelta)
		}
		if size += p.Length + len(p.Text); size > MaxSnapshot {
			return nil, fmt.Errorf("%w: larger than %d bytes", ErrDelta, MaxSnapshot)
		}
	}
	body := make([]byte, 0, size)
	for _, p := range s {
		body = append(body, old[p.At:p.At+p.Length]...)
		body = append(body, p.Text...)
	}
	return body, nil
}

// leastCopy is the least length of a chunk that is looked for all over the old body; a shorter one costs less as text.
const leastCopy = 32

// Diff makes the step from one body to another. Both are JSON of Snapshot; an element of one of its lists is sent whole
// when anything in it changed.
func Diff(old, next []byte) Step {
	// Where every chunk of old is; made when something was put in, taken out or moved.
	var where map[string]int
	find := func(chunk []byte) (at int, known bool) {
		if where == nil {
			where = map[string]int{}
			at := 0
			for chunk := range chunks(old) {
				if len(chunk) >= leastCopy {
					where[string(chunk)] = at
				}
				at += len(chunk)
			}
		}
		at, known = where[string(chunk)]
		return at, known
	}
	var step Step
	follows := 0       // in old, after the last piece copied
	begin, end := 0, 0 // in next: what no piece has yet
	write := func() {
		if begin < end {
			step = append(step, Piece{Text: string(next[begin:end])})
		}
	}
	for chunk := range chunks(next) {
		at, known := follows, bytes.HasPrefix(old[follows:], chunk)
		if !known {
			at, known = find(chunk)
		}
		if !known {
			end += len(chunk)
			continue
		}
		write()
		if last := len(step) - 1; begin == end && last >= 0 && at == follows {
			step[last].Length += len(chunk)
		} else {
			step = append(step, Piece{At: at, Length: len(chunk)})
		}
		end += len(chunk)
		begin, follows = end, at+len(chunk)
	}
	write()
	return step
}

// listDepth is how deep the elements of the snapshot's lists lie: object, list.
const listDepth = 2

// chunks cuts compact JSON around the elements of the lists in its outermost object. What they give together is the body,
// whatever it is.
func chunks(body []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		begin, depth, text := 0, 0, false
		for i := 0; i < len(body); i++ {
			c := body[i]
			switch {
			case text && c == '\\':
				i++
				continue
			case c == '"':
				text = !text
				continue
			case text:
				continue
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
			case c != ',':
				continue
			}
			// Before a separator between elements, and after it: the same element is the same chunk wherever it stands.
			if depth > listDepth || depth == listDepth && (c == '}' || c == '{') {
				continue
			}
			if begin < i && !yield(body[begin:i]) || !yield(body[i:i+1]) {
				return
			}
			begin = i + 1
		}
		if begin < len(body) {
			yield(body[begin:])
		}
	}
}

// decodeDelta reads a delta of a registry that may be newer: fields that are not known change what a piece means.
func decodeDelta(text []byte) (Delta, error) {
	var d Delta
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Delta{}, fmt.Errorf("%w: %w", ErrDelta, err)
	}
	return d, nil
}
