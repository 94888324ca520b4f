package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/problem"
)

// Admin is a client of the administration API as somebody.
type Admin struct {
	Base  string // outside URL of the hub
	HTTP  *http.Client
	Token func(ctx context.Context) (string, error) // an access token for {Base}/beheer
}

// Answer is what came beside the body.
type Answer struct {
	ETag     string
	Snapshot string // version from which the data plane knows of the act
	Location string
	Waits    bool // for a second person
}

// New is the value of match for something that must not exist yet.
const New = "*"

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// Do sends one request: path below /beheer/v1, match an ETag, New or "", in and out JSON or nil. A refusal comes back as
// *errs.Error with its code, rule and fields.
func (a *Admin) Do(ctx context.Context, method, path, match string, in, out any) (Answer, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return Answer{}, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.Base, "/")+"/beheer/v1"+path, body)
	if err != nil {
		return Answer{}, err
	}
	token, err := a.Token(ctx)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", jsonType+", "+problem.MediaType)
	if in != nil {
		req.Header.Set("Content-Type", jsonType)
	}
	switch match {
	case "":
	case New:
		req.Header.Set("If-None-Match", "*")
	default:
		req.Header.Set("If-Match", match)
	}
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("administration: %w", err)
	}
	defer drain(resp)
	if err := problem.Read(resp); err != nil {
		return Answer{}, fmt.Errorf("administration: %w", err)
	}
	answer := Answer{
		ETag: resp.Header.Get("ETag"), Snapshot: resp.Header.Get("Noorderhub-Snapshot"), Location: resp.Header.Get("Location"),
		Waits: resp.StatusCode == http.StatusAccepted,
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return answer, nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return answer, fmt.Errorf("administration: %w", err)
	}
	return answer, nil
}
