package edge

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// restTimeout bounds the time in which the server takes the rest of a body that nobody wanted. The client has its answer
// by then; reading on only keeps it from losing that answer to a reset of the connection.
const restTimeout = 2 * time.Second

// intake is the body of a request while the handler runs. It counts, and it bounds the wait for each piece. The transport
// reads it on a goroutine of its own and may hold it longer than the handler lives; end takes it back. A nil intake is a
// request without a body.
type intake struct {
	body    io.Reader
	control *http.ResponseController
	n       int64       // bytes read; settled after end
	whole   atomic.Bool // read to its end

	reading sync.Mutex // held by the Read under way

	mu   sync.Mutex // guards the deadline
	over bool       // the connection is the server's again
}

// newIntake takes over the body of r. On HTTP/1 it makes the connection carry both directions at once: else net/http
// throws away the unread part of the body as soon as the head of the answer leaves.
func newIntake(w http.ResponseWriter, r *http.Request) *intake {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	i := &intake{body: r.Body, control: http.NewResponseController(w)}
	if r.ProtoMajor == 1 {
		_ = i.control.EnableFullDuplex()
	}
	r.Body = i
	return i
}

// Read implements io.Reader. Between reads no deadline stands: the server reads in the background to notice a client that
// leaves, and an old deadline would look like one.
func (i *intake) Read(p []byte) (int, error) {
	i.reading.Lock()
	defer i.reading.Unlock()
	if !i.deadline(time.Now().Add(idleTimeout)) {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := i.body.Read(p)
	i.n += int64(n)
	if err == io.EOF {
		i.whole.Store(true)
	}
	i.deadline(time.Time{})
	return n, err
}

// Close implements io.Closer. It leaves the body to the server, whose Close would read on to the end of it.
func (i *intake) Close() error { return nil }

// deadline reports false when the body is no longer the handler's.
func (i *intake) deadline(at time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.over {
		_ = i.control.SetReadDeadline(at)
	}
	return !i.over
}

// end is for the end of the handler: it breaks off a Read under way and leaves the server a short time for the rest.
func (i *intake) end() {
	if i == nil {
		return
	}
	i.mu.Lock()
	i.over = true
	if !i.whole.Load() {
		_ = i.control.SetReadDeadline(time.Unix(1, 0))
	}
	i.mu.Unlock()
	i.reading.Lock()
	defer i.reading.Unlock()
	rest := time.Time{}
	if !i.whole.Load() {
		rest = time.Now().Add(restTimeout)
	}
	_ = i.control.SetReadDeadline(rest)
}

// unread tells whether a part of the body may still come.
func (i *intake) unread() bool { return i != nil && !i.whole.Load() }

func (i *intake) bytes() int64 {
	if i == nil {
		return 0
	}
	return i.n
}
