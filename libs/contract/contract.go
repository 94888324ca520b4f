package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// Contract is a content with the signatures collected so far, per peer id a compact JWS. Its JSON form is
// {"content":…,"signatures":{"accept":{…},"reject":{…},"revoke":{…}}}.
type Contract struct {
	Content *Content
	Accept  map[string]string
	Reject  map[string]string
	Revoke  map[string]string
}

// Parse reads a contract and checks its content; the signatures are looked at by Verify.
func Parse(raw []byte) (*Contract, error) {
	if err := checkIJSON(raw); err != nil {
		return nil, err
	}
	r := newReader(raw)
	if err := r.err(); err != nil {
		return nil, errors.New("not a JSON object")
	}
	r.onlyKeys("content", "signatures")
	c := &Contract{}
	if signatures, ok := r.object("signatures"); ok {
		signatures.onlyKeys("accept", "reject", "revoke")
		c.Accept = signatures.byPeer("accept")
		c.Reject = signatures.byPeer("reject")
		c.Revoke = signatures.byPeer("revoke")
	}
	if !r.has("content") {
		r.fault("content", "missing")
		return nil, r.err()
	}
	content, err := readContent(r.fields["content"])
	if err := errors.Join(r.err(), err); err != nil {
		return nil, err
	}
	c.Content = content
	return c, nil
}

// With gives a copy with one signature more.
func (c *Contract) With(kind SignatureType, peer, jws string) *Contract {
	copied := &Contract{Content: c.Content, Accept: maps.Clone(c.Accept), Reject: maps.Clone(c.Reject), Revoke: maps.Clone(c.Revoke)}
	list := map[SignatureType]*map[string]string{Accept: &copied.Accept, Reject: &copied.Reject, Revoke: &copied.Revoke}[kind]
	if *list == nil {
		*list = map[string]string{}
	}
	(*list)[peer] = jws
	return copied
}

// Signed tells whether an organisation's signature of a kind is there.
func (c *Contract) Signed(kind SignatureType, peer string) bool {
	_, there := c.signatures(kind)[peer]
	return there
}

// MarshalJSON writes the content byte for byte as it was received, apart from white space that JSON in JSON may lose.
func (c *Contract) MarshalJSON() ([]byte, error) {
	if c.Content == nil {
		return nil, errors.New("contract without content")
	}
	signatures, err := json.Marshal(map[string]map[string]string{
		"accept": orEmpty(c.Accept), "reject": orEmpty(c.Reject), "revoke": orEmpty(c.Revoke),
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"content":%s,"signatures":%s}`, c.Content.raw, signatures)
	return out.Bytes(), nil
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (r reader) onlyKeys(known ...string) {
	for _, key := range sortedKeys(r.fields) {
		if len(appendNew(known, key)) > len(known) {
			r.fault(key, "unknown field")
		}
	}
}

func (r reader) byPeer(key string) map[string]string {
	if !r.has(key) {
		return nil
	}
	var m map[string]string
	r.decode(key, &m, "an object of signatures by peer id")
	return m
}
