package app_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
)

func TestAConnectionThatNobodyUsedDoesNotHoldUpTheStop(t *testing.T) {
	a := app.New("test", slog.New(slog.DiscardHandler), 5*time.Second) // the server may take three of them
	l, err := app.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	a.ServeWith("server", l, &http.Server{ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			close(accepted)
		}
	}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-accepted
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want an orderly stop", err)
	}
}
