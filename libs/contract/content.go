package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"
)

// Fixed values of FSC Core 2.0.0.
const (
	Version       = "2.0.0"
	HashAlgorithm = "HASH_ALGORITHM_SHA3_512"
	// maxGrants is the rule of the Digikoppeling REST-API profile.
	maxGrants = 10
	// maxUnix is the last second of the year 9999; later times do not survive RFC 3339.
	maxUnix = 253402300799
)

var groupID = regexp.MustCompile(`^[a-zA-Z0-9./_-]{1,100}$`)

// Content is what the organisations agree on. It never changes: another agreement is another content.
type Content struct {
	IV        string // UUID; makes two equal agreements different contracts
	GroupID   string
	NotBefore time.Time
	NotAfter  time.Time
	CreatedAt time.Time
	Grants    []Grant // in the order received; their order is part of the hash

	raw  json.RawMessage
	hash string
}

// Hash is the content hash, $1$1$….
func (c *Content) Hash() string { return c.hash }

// Raw gives the content as it was received.
func (c *Content) Raw() json.RawMessage { return bytes.Clone(c.raw) }

// MarshalJSON gives the content as it was received.
func (c *Content) MarshalJSON() ([]byte, error) { return c.Raw(), nil }

// Signers are the organisations whose accept signature the contract needs, each once, in order of first mention.
func (c *Content) Signers() []string {
	var all []string
	for _, g := range c.Grants {
		all = appendNew(all, g.Signers()...)
	}
	return all
}

// Names tells whether peer is named in a grant; only such a peer may sign or see the contract.
func (c *Content) Names(peer string) bool {
	for _, p := range c.Signers() {
		if p == peer {
			return true
		}
	}
	return false
}

// ParseContent reads and checks a content on its own: strict I-JSON, the fields of FSC Core, every grant and its terms.
// Whether now lies in its window is a question of State.
func ParseContent(raw []byte) (*Content, error) {
	if err := checkIJSON(raw); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return readContent(raw)
}

// readContent takes what was checked to be I-JSON.
func readContent(raw []byte) (*Content, error) {
	canon, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	r := newReader(canon)
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("content%w", err)
	}
	c := &Content{IV: r.text("iv"), GroupID: r.text("group_id"), CreatedAt: r.time("created_at")}
	c.raw, c.hash = bytes.Clone(raw), contentHash(canon)
	c.checkHead(r)
	c.readWindow(r)
	c.readGrants(r)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Content) checkHead(r reader) {
	if v := r.text("fsc_version"); v != Version {
		r.fault("fsc_version", "not %q", Version)
	}
	if alg := r.text("hash_algorithm"); alg != HashAlgorithm {
		r.fault("hash_algorithm", "not %q", HashAlgorithm)
	}
	if !validUUID(c.IV) {
		r.fault("iv", "not a lower-case UUID of 36 characters")
	}
	if !groupID.MatchString(c.GroupID) {
		r.fault("group_id", "does not match %s", groupID)
	}
}

func (c *Content) readWindow(r reader) {
	window, ok := r.object("validity")
	if !ok {
		return
	}
	c.NotBefore, c.NotAfter = window.time("not_before"), window.time("not_after")
	if !c.NotAfter.After(c.NotBefore) {
		r.fault("validity", "ends before it starts")
	}
}

func (c *Content) readGrants(r reader) {
	var list []json.RawMessage
	if !r.decode("grants", &list, "an array") {
		return
	}
	if len(list) == 0 || len(list) > maxGrants {
		r.fault("grants", "%d grants, from 1 to %d allowed", len(list), maxGrants)
		return
	}
	for i, element := range list {
		e := newReader(element)
		e.faults, e.path = r.faults, fmt.Sprintf("grants[%d].", i)
		data, ok := e.object("data")
		if !ok {
			continue
		}
		g := readGrant(data)
		g.Hash = grantHash(c.hash, g.Type, e.fields["data"])
		c.Grants = append(c.Grants, g)
	}
	if mixed(c.Grants) {
		r.fault("grants", "a publication grant stands together with another kind of grant")
	}
}

// mixed reports publication grants beside any other kind (FSC Core, contract validation).
func mixed(grants []Grant) bool {
	for _, g := range grants {
		if g.Type != grants[0].Type && (g.Type.publication() || grants[0].Type.publication()) {
			return true
		}
	}
	return false
}

func validUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36 && s == strings.ToLower(s)
}

func appendNew(list []string, values ...string) []string {
next:
	for _, v := range values {
		for _, have := range list {
			if have == v {
				continue next
			}
		}
		list = append(list, v)
	}
	return list
}
