//go:build !race

package bagtest

// Race tells whether the race detector is in.
const Race = false
