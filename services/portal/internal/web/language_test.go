package web

import (
	"maps"
	"slices"
	"testing"
)

func TestBothLanguagesHaveTheSameWords(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(texts[english])), slices.Sorted(maps.Keys(texts[dutch])); !slices.Equal(got, want) {
		t.Errorf("English has %v, Dutch has %v", got, want)
	}
	for lang, words := range texts {
		for key, text := range words {
			if text == "" {
				t.Errorf("%s is empty in %s", key, lang)
			}
		}
	}
}
