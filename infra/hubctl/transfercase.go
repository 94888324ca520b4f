package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	cases "noorderhub.nl/hub/services/cases/api"
)

// caseDocument is a case as it will be delivered, and what the offer says of it.
type caseDocument struct {
	text []byte
	zgw  struct {
		Source string `json:"bronorganisatie"`
		ID     string `json:"identificatie"`
		Type   string `json:"zaaktype"`
		Expand struct {
			Type struct {
				ID          string `json:"identificatie"`
				Description string `json:"omschrijving"`
			} `json:"zaaktype"`
		} `json:"_expand"`
	}
}

// readCase takes a case in the form of the Zaken API. It is delivered byte for byte; the hub says what is wrong with it.
func (c *cli) readCase(text []byte) (caseDocument, error) {
	d := caseDocument{text: text}
	if example, ok := exampleCase(text); ok {
		d.text = example
		fmt.Fprintln(c.stderr, "this is an example of the standard's tests: its number and its references were filled in")
	}
	if err := json.Unmarshal(d.text, &d.zgw); err != nil {
		return d, errors.New("not a case in JSON, in the form of the Zaken API")
	}
	return d, nil
}

var placeholder = regexp.MustCompile(`\{\{[a-z0-9_]+\}\}`)

// exampleCase gives the case inside a request of the test collection of the ZGW standard: {"_url": …, "body": {…}}, where
// {{names}} stand for addresses. They become addresses of nowhere, and a case without a number gets one that follows from
// its content, so that the same file is the same case every time.
func exampleCase(text []byte) ([]byte, bool) {
	var request struct {
		URL  string                     `json:"_url"`
		Body map[string]json.RawMessage `json:"body"`
	}
	if json.Unmarshal(text, &request) != nil || request.URL == "" || request.Body == nil {
		return nil, false
	}
	if _, has := request.Body["identificatie"]; !has {
		sum := sha256.Sum256(text)
		request.Body["identificatie"] = fmt.Appendf(nil, `"VOORBEELD-%X"`, sum[:6])
	}
	body, err := json.MarshalIndent(request.Body, "", "  ")
	if err != nil {
		return nil, false
	}
	return placeholder.ReplaceAllFunc(body, func(name []byte) []byte {
		return append([]byte("https://zgw.example/"), bytes.Trim(name, "{}")...)
	}), true
}

// offerOf makes the offer of a case.
func (s *session) offerOf(d caseDocument, f transferFlags) (cases.Offer, error) {
	receiver, err := s.oinOf(f.to)
	if err != nil {
		return cases.Offer{}, err
	}
	sum := sha256.Sum256(d.text)
	o := cases.Offer{
		Receiver: receiver, Kind: f.kind,
		Case: cases.CaseKey{
			Source: d.zgw.Source, ID: d.zgw.ID, Type: cases.CaseType{ID: f.caseType, Description: d.zgw.Expand.Type.Description},
		},
		Manifest: cases.Manifest{CaseSHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(d.text))},
	}
	if o.Case.Type.ID == "" {
		o.Case.Type.ID = d.zgw.Expand.Type.ID
	}
	if o.Case.Type.ID == "" && d.zgw.Type != "" {
		o.Case.Type.ID = path.Base(strings.TrimRight(d.zgw.Type, "/"))
	}
	if f.until != "" {
		until, err := time.Parse(time.RFC3339, f.until)
		if err != nil {
			return o, errors.New("--until is not a moment such as 2026-12-31T17:00:00Z")
		}
		o.Deadline = &until
	}
	return o, nil
}

// transferID derives a UUID of version 8 (RFC 9562 §5.8) from sender and offer: the same case to the same receiver is the
// same transfer, whoever gives the command and however often.
func transferID(sender string, o cases.Offer) (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(sender+"\n"), text...))
	var id uuid.UUID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String(), nil
}
