package edge

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
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

// answer streams an answer of a service, or a kept one, to the client.
func (e *Edge) answer(w *writer, call *chain.Call, resp *http.Response, by string) error {
	defer resp.Body.Close()
	h := w.Header()
	for name, values := range call.Answer(resp.Header) {
		h[name] = values
	}
	call.Limits(h)
	notice(h, call)
	h[headerAnsweredBy] = []string{by}
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

// notice tells that the version called comes to an end. Links of the service itself stay.
func notice(h http.Header, call *chain.Call) {
	if call.Route == nil {
		return
	}
	for name, values := range call.Route.Notice {
		if name == "Link" {
			values = append(slices.Clone(h["Link"]), values...)
		}
		h[name] = values
	}
}

// writer counts, and keeps a client that takes nothing from holding the call for ever.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	stream  bool // HTTP/2: an old deadline would end the stream even while nothing is written
	wrote   bool
	status  int
	bytes   int64
	sent    *intake // the request's body

	mu      sync.Mutex // inform is called from the transport's goroutine
	decided bool       // the answer is being made: the header is the handler's alone
}

func newWriter(w http.ResponseWriter, r *http.Request, sent *intake) *writer {
	out := &writer{ResponseWriter: w, control: http.NewResponseController(w), stream: r.ProtoMajor > 1, sent: sent}
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

// WriteHeader implements http.ResponseWriter. With a part of the request still to come, the connection ends after this
// answer on HTTP/1: what follows must never be read as a request.
func (w *writer) WriteHeader(status int) {
	if !w.wrote {
		w.wrote, w.status = true, status
		if !w.stream && w.sent.unread() {
			w.Header()["Connection"] = []string{"close"}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
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
	if w.decided || status != http.StatusEarlyHints || len(h["Link"]) == 0 {
		return
	}
	w.arm()
	defer w.disarm()
	own := w.Header()
	own["Link"] = h["Link"]
	w.ResponseWriter.WriteHeader(status)
	delete(own, "Link")
}

// decide ends the time of informational answers. The transport may still report one: also after it gave up.
func (w *writer) decide() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decided = true
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
