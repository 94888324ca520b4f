package app

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// unusedGrace is what a connection on which nothing was asked yet gets at a stop. net/http waits five seconds for each,
// which a stop may not have; clients open them ahead, and open another when one is closed.
const unusedGrace = 500 * time.Millisecond

// unused are the connections of a server on which nothing was asked yet.
type unused struct{ conns sync.Map }

func watchUnused(srv *http.Server) *unused {
	u, told := &unused{}, srv.ConnState
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			u.conns.Store(c, nil)
		} else {
			u.conns.Delete(c)
		}
		if told != nil {
			told(c, state)
		}
	}
	return u
}

// closeAfter closes them after d, unless the function it gives is called before.
func (u *unused) closeAfter(d time.Duration) (stop func()) {
	timer := time.AfterFunc(d, func() {
		u.conns.Range(func(c, _ any) bool {
			_ = c.(net.Conn).Close() // nobody waits for anything on it
			return true
		})
	})
	return func() { timer.Stop() }
}
