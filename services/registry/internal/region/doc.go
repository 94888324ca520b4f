// Package region reads the declarative region file and the signed contracts beside it, checks all of it and compiles what
// the data plane needs. Everything that is wrong comes at once, with file, place and reason; nothing is taken of a region
// with faults.
package region
