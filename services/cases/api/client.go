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
	"time"

	"noorderhub.nl/hub/libs/problem"
)

// Client calls the case exchange. HTTP carries an access token of the organisation.
type Client struct {
	Base string // the hub's outside address, no trailing slash
	HTTP *http.Client
}

// Offer offers a transfer. Offering the same again gives the transfer as it is now.
func (c *Client) Offer(ctx context.Context, id string, o Offer) (Transfer, error) {
	return c.command(ctx, http.MethodPut, id, "", 0, o)
}

// Try lets the hub check an offer as if it were made; nothing is stored or sent.
func (c *Client) Try(ctx context.Context, id string, o Offer) (Transfer, error) {
	return c.command(ctx, http.MethodPut, id, "?proef=true", 0, o)
}

// Withdraw takes an offer back before the case was delivered.
func (c *Client) Withdraw(ctx context.Context, id string, version int64, reason string) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandWithdraw, version, Withdraw{Reason: reason})
}

// Refuse sends a delivered case back.
func (c *Client) Refuse(ctx context.Context, id string, version int64, r Refuse) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandRefuse, version, r)
}

// Close tells what became of the sender's own case, one of the Source… values.
func (c *Client) Close(ctx context.Context, id string, version int64, source string) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandClose, version, Close{Source: source})
}

// Deliver hands over the bytes that the manifest of the offer names.
func (c *Client) Deliver(ctx context.Context, id string, version int64, body []byte) (Transfer, error) {
	return c.command(ctx, http.MethodPut, id, CommandDeliver, version, json.RawMessage(body))
}

// Accept accepts an offer. version is the one that was looked at, 0 for any.
func (c *Client) Accept(ctx context.Context, id string, version int64) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandAccept, version, nil)
}

// Decline declines an offer.
func (c *Client) Decline(ctx context.Context, id string, version int64, reason string) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandDecline, version, Decline{Reason: reason})
}

// Acknowledge tells under which number the receiver took the case in.
func (c *Client) Acknowledge(ctx context.Context, id string, version int64, p Processed) (Transfer, error) {
	return c.command(ctx, http.MethodPost, id, CommandAcknowledge, version, p)
}

// Transfer asks for one transfer.
func (c *Client) Transfer(ctx context.Context, id string) (Transfer, error) {
	var t Transfer
	return t, c.get(ctx, "/uitwisselingen/"+url.PathEscape(id), &t)
}

// Transfers asks for a page. The parameters are those of GET /uitwisselingen.
func (c *Client) Transfers(ctx context.Context, query url.Values) (TransferPage, error) {
	var page TransferPage
	return page, c.get(ctx, withQuery("/uitwisselingen", query), &page)
}

// Receipts asks for the receipts of a transfer with the statements that they rest on.
func (c *Client) Receipts(ctx context.Context, id string) (Bundle, error) {
	var b Bundle
	return b, c.get(ctx, "/uitwisselingen/"+url.PathEscape(id)+"/ontvangstbewijzen", &b)
}

// Events asks for what happened after a cursor, "" for everything, and waits for it up to MaxWait.
func (c *Client) Events(ctx context.Context, after string, wait time.Duration) (EventPage, error) {
	query := url.Values{"wacht": {strconv.Itoa(int(min(wait, MaxWait).Seconds()))}}
	if after != "" {
		query.Set("na", after)
	}
	var page EventPage
	return page, c.get(ctx, withQuery("/gebeurtenissen", query), &page)
}

// Case fetches the bytes of a delivered case, exactly as the sender sent them.
func (c *Client) Case(ctx context.Context, id string) ([]byte, error) {
	resp, err := c.send(ctx, http.MethodGet, "/uitwisselingen/"+url.PathEscape(id)+"/zaak", 0, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxCase+1))
	if err != nil || len(body) > MaxCase {
		return nil, errors.New("the case did not arrive whole")
	}
	return body, nil
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func (c *Client) command(ctx context.Context, method, id, command string, version int64, body any) (Transfer, error) {
	path := "/uitwisselingen/" + url.PathEscape(id)
	switch {
	case strings.HasPrefix(command, "?"):
		path += command
	case command != "":
		path += "/" + command
	}
	var text []byte
	if raw, ok := body.(json.RawMessage); ok {
		text = raw // as it is: marshalling would change its digest
	} else if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return Transfer{}, err
		}
	}
	resp, err := c.send(ctx, method, path, version, text)
	if err != nil {
		return Transfer{}, err
	}
	var t Transfer
	return t, read(resp, &t)
}

func (c *Client) get(ctx context.Context, path string, dst any) error {
	resp, err := c.send(ctx, http.MethodGet, path, 0, nil)
	if err != nil {
		return err
	}
	return read(resp, dst)
}

// send gives a 2xx answer, whose body the caller closes, or an error.
func (c *Client) send(ctx context.Context, method, path string, version int64, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.Base+Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("address of the case exchange is malformed")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if version != 0 {
		r.Header.Set("If-Match", ETag(version))
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok { // its text holds the URL with the query
			return nil, fmt.Errorf("case exchange: %w", e.Err)
		}
		return nil, err
	}
	if err := problem.Read(resp); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// maxAnswer bounds an answer that is read as JSON, in bytes.
const maxAnswer = 8 << 20

func read(resp *http.Response, dst any) error {
	defer func() { _ = resp.Body.Close() }()
	if media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); media != "application/json" {
		return fmt.Errorf("unexpected media type %q", media)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(dst); err != nil {
		return fmt.Errorf("answer of the case exchange: %w", err)
	}
	return nil
}

// ETag is the entity tag of a version of a transfer.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
