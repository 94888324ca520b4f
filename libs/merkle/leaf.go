package merkle

import (
	"crypto/rand"
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of the tree: SHA-256, written in base64 as checkpoints have it.
type Hash = tlog.Hash

// HashSize is the length of a Hash in bytes.
const HashSize = tlog.HashSize

// SaltSize is the length of a salt in bytes: 128 bits, so that nobody can try out which record a leaf stands for.
const SaltSize = 16

// Salt hides a record behind its leaf. It is random, of one record only, and removed together with it.
type Salt [SaltSize]byte

// NewSalt makes a random salt.
func NewSalt() Salt {
	var s Salt
	_, _ = rand.Read(s[:]) // never returns an error; it ends the process instead
	return s
}

// Leaf gives the leaf of a record: SHA-256(0x00 ‖ SHA-256(salt ‖ record)). The salt has one length, so no two pairs of
// salt and record give the same input.
func Leaf(salt Salt, record []byte) Hash {
	h := sha256.New()
	_, _ = h.Write(salt[:]) // never fails (hash.Hash)
	_, _ = h.Write(record)
	return tlog.RecordHash(h.Sum(nil))
}
