package merkle

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says what a log is at a moment: its size and root. Who holds a signed one can tell later whether anything
// before it was changed, and the log's keeper cannot deny it.
type Checkpoint struct {
	Origin string // which log: a name without white space and "+", e.g. "hub.example.nl/beheer/audit"
	Size   int64
	Root   Hash
}

// text is the note's text, by C2SP tlog-checkpoint: origin, size and root, a line each.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// ErrCheckpoint says that a text is not a checkpoint that one of the keys signed.
var ErrCheckpoint = errors.New("not a checkpoint of this log, signed with one of its keys")

// Signer signs the checkpoints of one log. Ed25519 it is, for signed notes have no other signature that every tool of
// transparency logs verifies, and it needs no randomness while signing.
type Signer struct {
	key      crypto.Signer
	verifier note.Verifier
}

// NewSigner takes the log's name and its Ed25519 key, which may be remote: only its Sign is used.
func NewSigner(origin string, key crypto.Signer) (*Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("checkpoints are signed with an Ed25519 key")
	}
	verifier, err := newVerifier(origin, public)
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, verifier: verifier}, nil
}

// Sign gives the checkpoint of a tree as a signed note.
func (s *Signer) Sign(tree Frontier) (string, error) {
	c := Checkpoint{Origin: s.verifier.Name(), Size: tree.Size(), Root: tree.Root()}
	signed, err := note.Sign(&note.Note{Text: c.text()}, noteSigner{s})
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	return string(signed), nil
}

// noteSigner is the Signer as the note package wants it.
type noteSigner struct{ *Signer }

// Name implements note.Signer.
func (s noteSigner) Name() string { return s.verifier.Name() }

// KeyHash implements note.Signer.
func (s noteSigner) KeyHash() uint32 { return s.verifier.KeyHash() }

// Sign implements note.Signer.
func (s noteSigner) Sign(text []byte) ([]byte, error) { return s.key.Sign(nil, text, crypto.Hash(0)) }

// Keys are the public keys that sign, or signed, the checkpoints of one log.
type Keys struct {
	origin string
	known  note.Verifiers
}

// NewKeys takes the log's name and all its public keys, replaced ones too: what they signed stays signed.
func NewKeys(origin string, public ...ed25519.PublicKey) (Keys, error) {
	verifiers := make([]note.Verifier, len(public))
	for i, key := range public {
		var err error
		if verifiers[i], err = newVerifier(origin, key); err != nil {
			return Keys{}, err
		}
	}
	return Keys{origin: origin, known: note.VerifierList(verifiers...)}, nil
}

// Open reads a signed checkpoint and checks its signature. The error wraps ErrCheckpoint.
func (k Keys) Open(signed string) (Checkpoint, error) {
	n, err := note.Open([]byte(signed), k.known)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != k.origin {
		return Checkpoint{}, ErrCheckpoint
	}
	c := Checkpoint{Origin: k.origin}
	var errSize, errRoot error
	c.Size, errSize = strconv.ParseInt(lines[1], 10, 64)
	c.Root, errRoot = tlog.ParseHash(lines[2])
	// One checkpoint has one spelling.
	if errSize != nil || errRoot != nil || c.Size < 0 || c.Size > maxSize || c.text() != n.Text {
		return Checkpoint{}, ErrCheckpoint
	}
	return c, nil
}

// VerifierKey is the public key as tools of transparency logs take it: <origin>+<key hash>+<key>.
func VerifierKey(origin string, public ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(origin, public)
}

func newVerifier(origin string, public ed25519.PublicKey) (note.Verifier, error) {
	key, err := VerifierKey(origin, public)
	if err != nil {
		return nil, fmt.Errorf("key of the log: %w", err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("name of the log %q: %w", origin, err)
	}
	return verifier, nil
}
