// Package cache keeps answers of slow services for as long as a contract allows, after RFC 9111: in this process, and
// behind it in Redis for all gateways.
//
// It may hold no answer that another could see. An answer belongs to one client under one grant with one set of scopes,
// as the call token tells them to the service, so no two organisations, nor two clients of one, ever share one; services
// with personal data are never asked for here. The name of an answer in Redis is keyed and its content encrypted. A new
// version of the grant or of the service's description has other names, so what was kept before is never found again.
package cache

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/gateway/internal/shared"
)

// Config of a Cache. All fields but Secret are required.
type Config struct {
	Memory *shared.Memory
	Secret string // that all gateways have; "": answers stay in this process
	Bytes  int64  // of answers in this process, and of those being read to be kept
	Answer int64  // largest body that is kept
	Logger *slog.Logger
}

// Cache keeps answers.
type Cache struct {
	cfg     Config
	keys    *keyring
	local   *memory
	flights *flights
	written sync.Map     // slug of a service → time of its last change through this gateway
	owing   sync.Map     // slug of a service → change that is yet to be told to the other gateways
	reading atomic.Int64 // bytes of answers being read to be kept
	writes  chan write
	stats   stats
}

type stats struct{ local, shared, missed, kept, dropped, broken atomic.Uint64 }

// Stats counts what the cache did.
type Stats struct {
	Local   uint64 // calls answered from this process
	Shared  uint64 // calls answered from Redis
	Missed  uint64 // calls that went to the service though an answer could have been kept
	Kept    uint64 // answers kept
	Dropped uint64 // answers that did not get to Redis
	Broken  uint64 // answers in Redis that could not be read
	Bytes   int64  // of answers in this process
}

// New makes a Cache.
func New(cfg Config) (*Cache, error) {
	if cfg.Memory == nil || cfg.Logger == nil || cfg.Bytes <= 0 || cfg.Answer <= 0 {
		return nil, errors.New("cache: a required field is missing")
	}
	keys, err := newKeyring(cfg.Secret)
	if err != nil {
		return nil, err
	}
	return &Cache{
		cfg: cfg, keys: keys, local: newMemory(cfg.Bytes), flights: newFlights(), writes: make(chan write, pendingWrites),
	}, nil
}

// Stats gives the counts so far.
func (c *Cache) Stats() Stats {
	return Stats{
		Local: c.stats.local.Load(), Shared: c.stats.shared.Load(), Missed: c.stats.missed.Load(), Kept: c.stats.kept.Load(),
		Dropped: c.stats.dropped.Load(), Broken: c.stats.broken.Load(), Bytes: c.local.bytes(),
	}
}

// Question says whose answer is looked for, beside the request.
type Question struct {
	Service  string        // slug
	Revision string        // of the service's description
	Grant    string        // hash
	Client   string        // id
	Subject  string        // of the token: the call token tells the service who it is
	Scope    string        // of the token
	Agreed   time.Duration // the longest that the contract allows
}

// name of the answer. The method is no part of it: HEAD is answered from what GET left.
func (c *Cache) name(q *Question, r *http.Request) name {
	parts := make([]string, 0, 8+len(negotiated))
	parts = append(parts, q.Service, q.Revision, q.Grant, q.Client, q.Subject, q.Scope, r.URL.EscapedPath(), r.URL.RawQuery)
	for _, field := range negotiated {
		parts = append(parts, strings.Join(r.Header[field], "\x00"))
	}
	return c.keys.name(parts...)
}

// Serve answers a GET or HEAD with a kept answer, or asks the service by fetch and keeps what may be kept while the client
// takes it. kept tells which of the two.
func (c *Cache) Serve(ctx context.Context, q *Question, r *http.Request, fetch func() (*http.Response, error)) (resp *http.Response, kept bool, err error) {
	w := wishOf(r)
	if !w.look && !w.keep {
		resp, err = fetch()
		return resp, false, err
	}
	n := c.name(q, r)
	for {
		if w.look {
			if e := c.find(ctx, q, n); e != nil && (w.age < 0 || e.old(time.Now()) <= w.age) {
				return e.response(r, time.Now()), true, nil
			}
		}
		if !w.keep {
			c.stats.missed.Add(1)
			resp, err = fetch()
			return resp, false, err
		}
		f, mine := c.flights.join(n)
		if mine {
			c.stats.missed.Add(1)
			resp, err = c.fly(ctx, q, n, f, fetch)
			return resp, false, err
		}
		if !w.look { // it wants a new answer, and another call is keeping one
			resp, err = fetch()
			return resp, false, err
		}
		got, again, err := f.wait(ctx)
		switch {
		case err != nil:
			return nil, false, err
		case got != nil && (!c.stands(q.Service, got) || w.age >= 0 && got.old(time.Now()) > w.age):
			// The service was changed while the answer came: who asked after that is not told what was before.
		case got != nil:
			c.stats.local.Add(1)
			return got.response(r, time.Now()), true, nil
		case !again:
			c.stats.missed.Add(1)
			resp, err = fetch()
			return resp, false, err
		}
	}
}

// fly asks the service for all that wait. Whatever happens, the flight lands.
func (c *Cache) fly(ctx context.Context, q *Question, n name, f *flight, fetch func() (*http.Response, error)) (*http.Response, error) {
	handed := false
	defer func() {
		if !handed {
			c.flights.land(n, f, nil, ctx.Err() != nil)
		}
	}()
	asked := time.Now()
	resp, err := fetch()
	if err != nil {
		return nil, err
	}
	life := lifetime(resp, q.Agreed)
	if life == 0 || resp.ContentLength > c.cfg.Answer {
		return resp, nil
	}
	handed = true
	close(f.head)
	e := &entry{header: keptHeader(resp.Header), asked: asked, age: age(resp.Header), until: asked.Add(life)}
	// A body whose end is only that of its connection may have been cut short.
	framed := resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.ProtoMajor > 1
	resp.Body = &tee{body: resp.Body, cache: c, length: resp.ContentLength, framed: framed, land: func(body []byte) {
		if body == nil {
			c.flights.land(n, f, nil, false)
			return
		}
		e.body = body
		c.keep(q, n, e)
		c.flights.land(n, f, e, false)
	}}
	return resp, nil
}

// keptHeader leaves out what belongs to one transfer (RFC 9111 §3.1).
func keptHeader(h http.Header) http.Header {
	kept := h.Clone()
	for _, line := range h["Connection"] {
		for field := range strings.SplitSeq(line, ",") {
			kept.Del(strings.TrimSpace(field))
		}
	}
	for _, field := range []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Age",
	} {
		kept.Del(field)
	}
	return kept
}

// tee takes a copy of a body while somebody reads it, up to the largest answer that is kept.
type tee struct {
	body   io.ReadCloser
	cache  *Cache
	length int64             // as told before the body; negative: not told
	framed bool              // the end of the body can be told from that of the connection
	land   func(body []byte) // nil once it was called
	taken  []byte
}

// Read implements io.Reader.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if t.land == nil {
		return n, err
	}
	c := t.cache
	if c.reading.Add(int64(n)) > c.cfg.Bytes || int64(len(t.taken)+n) > c.cfg.Answer {
		c.reading.Add(-int64(n))
		t.end(false)
		return n, err
	}
	if t.taken == nil {
		t.taken = make([]byte, 0, n)
	}
	t.taken = append(t.taken, p[:n]...)
	switch {
	case errors.Is(err, io.EOF):
		t.end(t.framed && (t.length < 0 || t.length == int64(len(t.taken))))
	case err != nil:
		t.end(false)
	}
	return n, err
}

// Close implements io.Closer. A body that was not read to its end is not kept.
func (t *tee) Close() error {
	t.end(false)
	return t.body.Close()
}

func (t *tee) end(whole bool) {
	if t.land == nil {
		return
	}
	land, taken := t.land, t.taken
	t.land, t.taken = nil, nil
	t.cache.reading.Add(-int64(len(taken)))
	if !whole {
		taken = nil
	} else if taken == nil {
		taken = []byte{}
	}
	land(taken)
}
