package main

import (
	"slices"
	"testing"
)

func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the scenario compiles and starts the whole hub")
	}
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	if err := quickstart(t.Context(), root, t.Logf); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyBlocksMarkedAsShellAreRun(t *testing.T) {
	page := "text\n```sh\na\nb\n```\n```\nshown\n```\n```sh\nc\n```\n"
	if got, want := shellBlocks(page), []string{"a\nb\n", "c\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
