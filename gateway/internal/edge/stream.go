package edge

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/gateway/internal/chain"
)

const (
	bufferSize = 32 << 10
	// idleTimeout is how long a client may neither send nor take a byte while it is its turn. A stream may last for days.
	idleTimeout = 60 * time.Second
)

var (
	errCut = errors.New("the answer of the service broke off")
	// errClient is kept apart from errCut: there the service is to blame, here nobody but the client's own network.
	errClient = errors.New("the client took no more")
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// answer streams a service's answer to the client.
func (e *Edge) answer(w *writer, call *chain.Call, resp *http.Response) error {
	defer resp.Body.Close()
	h := w.Header()
	for name, values := range call.Answer(resp.Header) {
		h[name] = values
	}
	h[headerAnsweredBy] = []string{byService}
	for name := range resp.Trailer { // announced ones are declared before the body, RFC 9110 §6.6.2
		h.Add("Trailer", name)
	}
	w.arm()
	w.WriteHeader(resp.StatusCode)
	defer w.disarm()
	// Without a length the answer grows as the service makes it: events must not wait for a full buffer.
	live := resp.ContentLength < 0 || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	if live {
		w.flush()
	}
	if err := w.copy(resp.Body, live); err != nil {
		return err
	}
	announced := len(h["Trailer"])
	trailer := call.Answer(resp.Trailer)
	for name, values := range trailer {
		if announced == len(resp.Trailer) {
			h[name] = values
			continue
		}
		h[http.TrailerPrefix+name] = values // came without being announced
	}
	return nil
}

// writer counts, and keeps a client that takes nothing from holding the call for ever.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	stream  bool // HTTP/2: an old deadline would end the stream even while nothing is written
	wrote   bool
	status  int
	bytes   int64

	mu sync.Mutex // inform is called from the transport's goroutine
}

func newWriter(w http.ResponseWriter, r *http.Request) *writer {
	out := &writer{ResponseWriter: w, control: http.NewResponseController(w), stream: r.ProtoMajor > 1}
	if !out.stream {
		_ = out.control.SetWriteDeadline(time.Time{}) // what the call before on this connection left
	}
	return out
}

func (w *writer) arm() { _ = w.control.SetWriteDeadline(time.Now().Add(idleTimeout)) }

// disarm leaves the deadline on HTTP/1: the server's own last flush comes after the handler.
func (w *writer) disarm() {
	if w.stream {
		_ = w.control.SetWriteDeadline(time.Time{})
	}
}

func (w *writer) flush() { _ = w.control.Flush() }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.wrote {
		w.wrote, w.status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote {
		w.wrote, w.status = true, http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// inform passes on an informational answer of the service. 100 is the server's own, 101 is refused; what is left in use
// is 103 with its links (RFC 8297).
func (w *writer) inform(status int, h http.Header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrote || status != http.StatusEarlyHints || len(h["Link"]) == 0 {
		return
	}
	own := w.Header()
	own["Link"] = h["Link"]
	w.ResponseWriter.WriteHeader(status)
	delete(own, "Link")
}

// copy moves the body, telling apart which side broke.
func (w *writer) copy(src io.Reader, live bool) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := src.Read(buf[:])
		if n > 0 {
			w.arm()
			if _, werr := w.Write(buf[:n]); werr != nil {
				return errClient
			}
			if live {
				w.flush()
			}
			w.disarm()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			w.flush() // the client learns the transaction id before the connection ends
			return errCut
		}
	}
}

// counter counts a request body while it is read.
type counter struct {
	io.ReadCloser
	n    atomic.Int64 // the transport may still read when the outcome is recorded
	idle *idle
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	c.idle.arm()
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	if err != nil {
		c.idle.disarm()
	}
	return n, err
}

// Close implements io.Closer.
func (c *counter) Close() error {
	c.idle.disarm()
	return c.ReadCloser.Close()
}

// idle bounds the wait for each piece of a body, as long as the handler runs: after that the connection is the server's
// again, though the transport may still hold the body.
type idle struct {
	control *http.ResponseController
	mu      sync.Mutex
	over    bool
}

func newIdle(w http.ResponseWriter) *idle { return &idle{control: http.NewResponseController(w)} }

func (i *idle) arm() { i.set(time.Now().Add(idleTimeout)) }

// disarm must follow: the server goes on reading in the background to notice a client that leaves.
func (i *idle) disarm() { i.set(time.Time{}) }

func (i *idle) set(deadline time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.over {
		_ = i.control.SetReadDeadline(deadline)
	}
}

// end is for the end of the handler.
func (i *idle) end() {
	i.disarm()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
}
