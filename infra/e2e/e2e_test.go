package main

import (
	"slices"
	"testing"

	"noorderhub.nl/hub/infra/stack"
)

func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the scenarios compile and start the whole hub")
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"quickstart", "hub-kill"} {
		t.Run(name, func(t *testing.T) {
			if err := scenarios[name](t.Context(), root, t.Logf); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOnlyBlocksMarkedAsShellAreRun(t *testing.T) {
	page := "text\n```sh\na\nb\n```\n```\nshown\n```\n```sh\nc\n```\n"
	if got, want := shellBlocks(page), []string{"a\nb\n", "c\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
