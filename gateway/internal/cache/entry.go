package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// entry is one kept answer. It is immutable.
type entry struct {
	header http.Header
	body   []byte
	asked  time.Time     // when the service was asked
	age    time.Duration // that the answer had then
	until  time.Time     // it is fresh
}

// overhead is about what an entry costs besides its bytes.
const overhead = 512

func (e *entry) size() int64 {
	n := int64(len(e.body)) + overhead
	for name, values := range e.header {
		for _, v := range values {
			n += int64(len(name) + len(v))
		}
	}
	return n
}

// response answers a request from the entry (RFC 9111 §4, RFC 9110 §13.1.2 and §15.4.5).
func (e *entry) response(r *http.Request, now time.Time) *http.Response {
	resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, len(e.header)+2), Body: http.NoBody}
	for name, values := range e.header {
		resp.Header[name] = values
	}
	resp.Header["Age"] = []string{strconv.FormatInt(int64(e.old(now)/time.Second), 10)}
	if asked := r.Header["If-None-Match"]; asked != nil && matches(asked, e.header.Get("Etag")) {
		resp.StatusCode = http.StatusNotModified
		for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding"} {
			delete(resp.Header, name)
		}
		return resp
	}
	resp.ContentLength = int64(len(e.body))
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(e.body))}
	if r.Method != http.MethodHead {
		resp.Body = io.NopCloser(bytes.NewReader(e.body))
	}
	return resp
}

// old is the age of the answer (RFC 9111 §4.2.3).
func (e *entry) old(now time.Time) time.Duration { return max(now.Sub(e.asked), 0) + e.age }

// head is what stands before the body in Redis.
type head struct {
	Header http.Header   `json:"h"`
	Asked  int64         `json:"a"` // unix microseconds
	Age    time.Duration `json:"g"`
	Until  int64         `json:"u"` // unix microseconds
}

var errForm = errors.New("a kept answer has another form")

func (e *entry) encode() ([]byte, error) {
	text, err := json.Marshal(head{e.header, e.asked.UnixMicro(), e.age, e.until.UnixMicro()})
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, binary.MaxVarintLen64+len(text)+len(e.body))
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(append(b, text...), e.body...), nil
}

func decode(b []byte) (*entry, error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, errForm
	}
	var h head
	if err := json.Unmarshal(b[n:n+int(length)], &h); err != nil {
		return nil, errForm
	}
	return &entry{
		header: h.Header, body: b[n+int(length):], asked: time.UnixMicro(h.Asked), age: h.Age, until: time.UnixMicro(h.Until),
	}, nil
}
