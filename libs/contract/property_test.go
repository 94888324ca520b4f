package contract_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"noorderhub.nl/hub/libs/contract"
)

// anyJSON draws a value that I-JSON allows, nested at most a few levels.
func anyJSON(depth int) *rapid.Generator[any] {
	leaf := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), text().AsAny(),
		rapid.Int64Range(-1<<53+1, 1<<53-1).AsAny(), rapid.Float64Range(-1e9, 1e9).Filter(short).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaf...)
	}
	return rapid.OneOf(append(leaf,
		rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(text(), anyJSON(depth-1), 0, 4).AsAny())...)
}

func text() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool {
		return r&0xFFFE != 0xFFFE && (r < 0xFDD0 || r > 0xFDEF) && (r < 0xD800 || r > 0xDFFF)
	}), 0, 12, -1)
}

func short(f float64) bool {
	b, err := json.Marshal(f)
	return err == nil && len(strings.Trim(string(b), "-")) <= 15 && (f == 0 || f > 1e-300 || f < -1e-300)
}

func TestHashAndSignatureSurviveAnyAllowedJSON(t *testing.T) {
	f := newFixture(t)
	rapid.Check(t, func(t *rapid.T) {
		var content map[string]any
		dec := json.NewDecoder(strings.NewReader(string(f.contract.Content.Raw())))
		dec.UseNumber()
		if err := dec.Decode(&content); err != nil {
			t.Fatal(err)
		}
		for key, value := range rapid.MapOfN(rapid.StringMatching(`x[a-z]{1,4}`), anyJSON(3), 0, 4).Draw(t, "extra") {
			content[key] = value
		}
		plain, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		indented, err := json.MarshalIndent(content, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		a, err := contract.ParseContent(plain)
		if err != nil {
			t.Fatal(err)
		}
		b, err := contract.ParseContent(indented)
		if err != nil {
			t.Fatal(err)
		}
		if a.Hash() != b.Hash() || a.Grants[0].Hash != b.Grants[0].Hash {
			t.Fatalf("white space changed a hash")
		}
		jws, err := contract.Sign(f.assen, a, contract.Accept, now)
		if err != nil {
			t.Fatal(err)
		}
		c := &contract.Contract{Content: b, Accept: map[string]string{assen: jws}}
		if _, err := f.verifier.Verify(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAChangedByteIsAlwaysDetected(t *testing.T) {
	f := newFixture(t)
	raw, err := json.Marshal(f.contract)
	if err != nil {
		t.Fatal(err)
	}
	hash := f.contract.Content.Hash()
	rapid.Check(t, func(t *rapid.T) {
		changed := []byte(string(raw))
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
		changed[at] = rapid.Byte().Filter(func(b byte) bool { return b != raw[at] }).Draw(t, "byte")
		c, err := contract.Parse(changed)
		if err != nil {
			return
		}
		v, err := f.verifier.Verify(context.Background(), c)
		if err != nil {
			return
		}
		t.Fatalf("byte %d changed to %q went unseen: hash %v, state %s", at, changed[at], c.Content.Hash() == hash, v.State(now))
	})
}

func FuzzParse(f *testing.F) {
	raw, err := json.Marshal(newFixture(f).contract)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"content":` + vector + `,"signatures":{"accept":{},"reject":{},"revoke":{}}}`))
	f.Add([]byte(`{"content":{"a":"\ud83d\ude00","b":[1e-7,-0,0.1]},"signatures":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := contract.Parse(raw)
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := contract.Parse(written)
		if err != nil {
			t.Fatalf("what was parsed once is refused when written: %v", err)
		}
		if got, want := again.Content.Hash(), c.Content.Hash(); got != want {
			t.Errorf("got hash %s after a round trip, want %s", got, want)
		}
	})
}
