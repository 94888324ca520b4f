package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/problem"
)

// Client calls the journal. HTTP carries what the journal asks for: the workload certificate towards its own listener
// (Ship, Head), or an access token towards the gateway (the others).
type Client struct {
	Base string // "https://journal.example:1234" or the hub's outside address, no trailing slash
	HTTP *http.Client
}

// GapError says that the journal holds the log up to just before Expected, or holds something else at this place.
type GapError struct {
	Expected uint64
	Err      error // what the journal answered
}

// Error implements error.
func (e *GapError) Error() string {
	return fmt.Sprintf("the journal expects record %d: %v", e.Expected, e.Err)
}

// Unwrap gives the answer of the journal.
func (e *GapError) Unwrap() error { return e.Err }

// Ship sends records of one gateway in the order of their sequence numbers and returns when all are durable. Sending
// records again changes nothing. A *GapError tells where to go on; every other error may be tried again.
func (c *Client) Ship(ctx context.Context, records []Record) error {
	lines := make([][]byte, len(records))
	for i, r := range records {
		line, err := Encode(r)
		if err != nil {
			return err
		}
		lines[i] = line
	}
	return c.ShipLines(ctx, lines)
}

// ShipLines is Ship for lines as they stand in the log, without line ends.
func (c *Client) ShipLines(ctx context.Context, lines [][]byte) error {
	for len(lines) > 0 {
		var batch bytes.Buffer
		n := 0
		for n < len(lines) && n < MaxBatchLines && (n == 0 || batch.Len()+len(lines[n]) < MaxBatchBytes) {
			batch.Write(lines[n])
			batch.WriteByte('\n')
			n++
		}
		if err := c.ship(ctx, &batch); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

func (c *Client) ship(ctx context.Context, batch io.Reader) error {
	var head Head
	resp, err := c.do(ctx, http.MethodPost, "/intern/v1/transacties", ContentLines, batch, &head)
	if err != nil && resp != nil && resp.StatusCode == http.StatusConflict {
		if expected, parseErr := strconv.ParseUint(resp.Header.Get(HeaderExpected), 10, 64); parseErr == nil {
			return &GapError{Expected: expected, Err: err}
		}
	}
	return err
}

// Head asks for the last record of a gateway's log that the journal holds.
func (c *Client) Head(ctx context.Context, gateway string) (Head, error) {
	var head Head
	_, err := c.do(ctx, http.MethodGet, "/intern/v1/transacties/"+url.PathEscape(gateway), "", nil, &head)
	return head, err
}

// Transaction asks for one transaction with its waterfall.
func (c *Client) Transaction(ctx context.Context, id string) (Transaction, error) {
	var t Transaction
	_, err := c.do(ctx, http.MethodGet, "/journaal/v1/transacties/"+url.PathEscape(id), "", nil, &t)
	return t, err
}

// Trace asks for one trace.
func (c *Client) Trace(ctx context.Context, id string) (Trace, error) {
	var t Trace
	_, err := c.do(ctx, http.MethodGet, "/journaal/v1/traces/"+url.PathEscape(id), "", nil, &t)
	return t, err
}

// Calls asks for one page of calls. The parameters are those of GET /transacties.
func (c *Client) Calls(ctx context.Context, query url.Values) (CallPage, error) {
	path := "/journaal/v1/transacties"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var page CallPage
	_, err := c.do(ctx, http.MethodGet, path, "", nil, &page)
	return page, err
}

// Write puts processing records into the logbook. When it returns nil, all of them are durable.
func (c *Client) Write(ctx context.Context, records []ProcessingRecord) error {
	body, err := json.Marshal(ProcessingBatch{Records: records})
	if err != nil {
		return errors.New("processing records cannot be written as JSON")
	}
	var receipt Receipt
	_, err = c.do(ctx, http.MethodPost, "/journaal/v1/verwerkingen", "application/json", bytes.NewReader(body), &receipt)
	return err
}

// Processing asks for the processing records of one trace.
func (c *Client) Processing(ctx context.Context, traceID string) (ProcessingBatch, error) {
	var batch ProcessingBatch
	_, err := c.do(ctx, http.MethodGet, "/journaal/v1/verwerkingen?traceId="+url.QueryEscape(traceID), "", nil, &batch)
	return batch, err
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader, dst any) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return nil, errors.New("address of the journal is malformed")
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := problem.Read(resp); err != nil {
		return resp, err
	}
	if media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); media != "application/json" {
		return resp, fmt.Errorf("unexpected media type %q", media)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(dst); err != nil {
		return resp, fmt.Errorf("answer of the journal: %w", err)
	}
	return resp, nil
}

// withoutURL takes the URL out of an error of net/http: its query does not belong in a log.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("journal: %w", e.Err)
	}
	return err
}
