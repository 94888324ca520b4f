// Package stand keeps one stand of the BAG in one immutable file that is mapped into memory: nothing is decoded at
// start, nothing is copied to the heap but what one answer needs.
//
// A file is a header, a table of named sections and the sections, each with a CRC-32C. All numbers are little-endian.
//
//	"NHSTAND\n" | version u32 | sections u32 | file length u64 | CRC of the table u32 | 0 u32
//	per section: name [16] | offset u64 | length u64 | CRC u32 | 0 u32
//
// Sections of a table of things with an id (obj.NUM, io.NUM, gwr: objects, inquiries, municipalities of localities):
//
//	.ids  u64 each, ascending       .dir  every 256th id, so that a search touches few pages
//	.at   u64 each, where the records of the id begin in .rec, and one more for the end
//	.rec  the records, ids in order; .geo  geometries, found by offset from a record of .rec
//
// Sections of an index from a key to things (ix.pc, ix.opr, ix.ado, ix.pnd, ix.naam, ix.wpl, ix.wnm, ix.cel.PND …): .key u64 ascending, .val u32
// (place in a table), .dir as above. The index holds every occurrence, past and future: what is current is decided when
// it is asked. Readers ignore sections they don't know, so a new kind of index is a new section; a change to a section
// that exists is a new version.
package stand
