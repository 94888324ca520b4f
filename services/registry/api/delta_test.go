package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"noorderhub.nl/hub/services/registry/api"
)

// travel sends a delta over the wire and applies it.
func travel(t rapid.TB, old []byte, steps ...api.Step) []byte {
	t.Helper()
	text, err := json.Marshal(api.Delta{Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	var d api.Delta
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	got, err := d.Apply(old)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func drawSnapshot(t *rapid.T, s api.Snapshot) api.Snapshot {
	texts := rapid.SampledFrom([]string{"", "a", `quote " and \ and }],[{`, "é\u2028<&>", "line\nend", "long enough to be looked for by its text"})
	s.Version.Number++
	s.Services, s.Grants, s.Contracts = slices.Clone(s.Services), slices.Clone(s.Grants), slices.Clone(s.Contracts)
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		text := texts.Draw(t, "text")
		switch rapid.IntRange(0, 7).Draw(t, "edit") {
		case 0:
			s.Services = append(s.Services, api.Service{Slug: text, Title: text})
		case 1:
			s.Grants = slices.Insert(s.Grants, rapid.IntRange(0, len(s.Grants)).Draw(t, "place"),
				api.Grant{Hash: text, Terms: api.Terms{Scopes: []string{text, "b"}, Fields: map[string][]string{text: {text}}}})
		case 2:
			if len(s.Grants) > 0 {
				i := rapid.IntRange(0, len(s.Grants)-1).Draw(t, "place")
				s.Grants = slices.Delete(s.Grants, i, i+1)
			}
		case 3:
			if len(s.Grants) > 0 {
				s.Grants[rapid.IntRange(0, len(s.Grants)-1).Draw(t, "place")].Service = text
			}
		case 4:
			s.Contracts = append(s.Contracts, text)
		case 5:
			slices.Reverse(s.Grants)
		case 6:
			s.Grants = append(s.Grants, s.Grants...)
		case 7:
			s.Services, s.Contracts = nil, nil
		}
	}
	return s
}

func TestADeltaLeadsToTheVeryBytesOverAnyEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := api.Snapshot{Version: api.Version{Epoch: 1}}
		var bodies [][]byte
		var steps []api.Step
		for range rapid.IntRange(2, 8).Draw(t, "versions") {
			body, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(bodies) > 0 {
				steps = append(steps, api.Diff(bodies[len(bodies)-1], body))
			}
			bodies = append(bodies, body)
			s = drawSnapshot(t, s)
		}
		from := rapid.IntRange(0, len(steps)-1).Draw(t, "from")
		got := travel(t, bodies[from], steps[from:]...)
		if want := bodies[len(bodies)-1]; !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestADeltaLeadsFromAnyTextToAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune(`{}[]",\:ab`)))
		old, next := text.Draw(t, "old"), text.Draw(t, "next")
		if got := travel(t, []byte(old), api.Diff([]byte(old), []byte(next))); string(got) != next {
			t.Fatalf("got %q, want %q", got, next)
		}
	})
}

func TestOneChangedElementIsAllThatTravels(t *testing.T) {
	var s api.Snapshot
	for i := range 1000 {
		s.Grants = append(s.Grants, api.Grant{Hash: fmt.Sprintf("$1$3$%064d", i), Service: "bag"})
	}
	old, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Version = api.Version{Epoch: 1, Number: 2}
	s.Grants[500].Narrowing = &api.Narrowing{Suspended: true}
	s.Grants = slices.Delete(s.Grants, 100, 101)
	next, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(api.Delta{Steps: []api.Step{api.Diff(old, next)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 1500 {
		t.Errorf("got %d bytes for one change in %d: %s", len(text), len(next), text)
	}
}

func TestADeltaThatDoesNotFitIsRefused(t *testing.T) {
	body := make([]byte, 1<<20)
	for name, d := range map[string]api.Delta{
		"no steps":               {},
		"too many steps":         {Steps: make([]api.Step, api.MaxSteps+1)},
		"a piece before":         {Steps: []api.Step{{{At: -1, Length: 2}}}},
		"a piece behind":         {Steps: []api.Step{{{At: 1<<20 - 1, Length: 2}}}},
		"a start behind":         {Steps: []api.Step{{{At: 1<<20 + 1, Length: 0}}}},
		"a negative length":      {Steps: []api.Step{{{At: 2, Length: -1}}}},
		"a length that runs on":  {Steps: []api.Step{{{At: 1, Length: 1<<63 - 1}}}},
		"copy and text at once":  {Steps: []api.Step{{{Length: 1, Text: "x"}}}},
		"more than a snapshot":   {Steps: []api.Step{slices.Repeat(api.Step{{Length: 1 << 20}}, api.MaxSnapshot>>20+1)}},
		"a second step that not": {Steps: []api.Step{{{Length: 1}}, {{Length: 2}}}},
	} {
		if _, err := d.Apply(body); !errors.Is(err, api.ErrDelta) {
			t.Errorf("%s: got %v, want ErrDelta", name, err)
		}
	}
}

// spoiled answers with what does not fit whenever a delta is asked for.
type spoiled struct {
	*registry
	with func(after api.Held, whole api.Sealed) (api.Sealed, error)
}

func (s spoiled) Snapshot(ctx context.Context, after api.Held, wait time.Duration) (api.Sealed, error) {
	if after.Body == nil {
		return s.registry.Snapshot(ctx, after, wait)
	}
	s.mu.Lock()
	offer := s.offer
	s.mu.Unlock()
	if offer.Body == nil {
		return s.registry.Snapshot(ctx, after, wait)
	}
	return s.with(after, offer)
}

func TestADeltaThatMisleadsIsFollowedByTheWholeAtOnce(t *testing.T) {
	for name, with := range map[string]func(api.Held, api.Sealed) (api.Sealed, error){
		"it does not fit": func(api.Held, api.Sealed) (api.Sealed, error) { return api.Sealed{}, api.ErrDelta },
		"it leads elsewhere": func(after api.Held, whole api.Sealed) (api.Sealed, error) {
			return api.Sealed{Body: append(bytes.Clone(whole.Body), ' '), Signature: whole.Signature, Delta: true}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.followerOf(spoiled{w.registry, with})
				defer w.run(f)()
				w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
				w.want(f, api.Version{Epoch: 1, Number: 1})
				w.registry.set(api.Sealed{}, nil)
				time.Sleep(time.Minute) // a long poll ends
				w.registry.offerQuietly(seal(t, w.key, api.Version{Epoch: 1, Number: 2}))
				time.Sleep(time.Minute)
				w.want(f, api.Version{Epoch: 1, Number: 2})
				if got, want := f.Counts(), (api.Counts{Whole: 2, Misfits: 1}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		})
	}
}
