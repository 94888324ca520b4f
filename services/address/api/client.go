package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Client calls the service through the gateway.
type Client struct {
	Hub   string                                    // outside address of the gateway, no trailing slash
	HTTP  *http.Client                              // nil: http.DefaultClient
	Token func(ctx context.Context) (string, error) // access token for {hub}/bag; nil: none is sent
}

// Zoekvraag asks for addresses by postcode and house number.
type Zoekvraag struct {
	Postcode             string // "9981AA"
	Huisnummer           int
	Huisletter           string
	Huisnummertoevoeging string
	ExacteMatch          bool
	Page                 int // from 1; 0: the first
	PageSize             int // 10..100; 0: 20
}

// Error gives status, code and detail.
func (f *Fout) Error() string { return fmt.Sprintf("bag: %d %s: %s", f.Status, f.Code, f.Detail) }

// maxAnswer bounds an answer: a page of 100 addresses is some 150 kB.
const maxAnswer = 4 << 20

// Adressen gives one page. A refusal is a *Fout.
func (c *Client) Adressen(ctx context.Context, q Zoekvraag) (*Adressen, error) {
	v := url.Values{"postcode": {q.Postcode}, "huisnummer": {strconv.Itoa(q.Huisnummer)}}
	for name, value := range map[string]string{"huisletter": q.Huisletter, "huisnummertoevoeging": q.Huisnummertoevoeging} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.ExacteMatch {
		v.Set("exacteMatch", "true")
	}
	for name, n := range map[string]int{"page": q.Page, "pageSize": q.PageSize} {
		if n != 0 {
			v.Set(name, strconv.Itoa(n))
		}
	}
	var page Adressen
	return &page, c.get(ctx, "/adressen?"+v.Encode(), &page)
}

// Adres gives the address of a nummeraanduiding.
func (c *Client) Adres(ctx context.Context, nummeraanduidingIdentificatie string) (*Adres, error) {
	var a Adres
	return &a, c.get(ctx, "/adressen/"+url.PathEscape(nummeraanduidingIdentificatie), &a)
}

func (c *Client) get(ctx context.Context, path string, dst any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Hub+Base+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", MediaType)
	if c.Token != nil {
		token, err := c.Token(ctx)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		f := &Fout{}
		if json.Unmarshal(body, f) != nil || f.Code == "" {
			return fmt.Errorf("bag: unexpected answer with status %d", resp.StatusCode)
		}
		return f
	}
	return json.Unmarshal(body, dst)
}
