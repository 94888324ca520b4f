// Package tree holds a YAML or JSON text as nodes that know where they stand, and follows the references in it.
//
// The tree is what Spectral sees, not what YAML 1.1 says: scalars are read by the core schema of YAML 1.2, a date is text,
// merge keys are filled in, and a later duplicate wins. References are followed as Spectral's resolver does it: what points
// to its own surroundings stays a reference, so the resolved document has no circles, and every value still knows the one
// place in the text that it comes from.
//
// A text comes from outside: size, depth, number of nodes and what aliases unfold to are limited, and nothing outside the
// text is ever read.
package tree
