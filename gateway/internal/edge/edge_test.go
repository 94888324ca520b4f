package edge

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"noorderhub.nl/hub/gateway/internal/chain"
	"noorderhub.nl/hub/libs/errs"
)

// late is a chain that refuses while an informational answer of the service is still coming in.
type late struct{ informs sync.WaitGroup }

func (l *late) Do(_ context.Context, call *chain.Call, _ *http.Request) (*http.Response, error) {
	l.informs.Go(func() {
		for range 1000 {
			call.Informs(http.StatusEarlyHints, http.Header{"Link": {"</style.css>; rel=preload"}})
		}
	})
	return nil, errs.CodeUnavailable.New("away")
}

func (l *late) Finish(context.Context, *chain.Call, chain.Ending) { l.informs.Wait() }

func TestAnInformationalAnswerThatComesTooLateTouchesNothing(t *testing.T) {
	e, err := New(Config{Hub: "https://hub.example.nl", Chain: &late{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(e)
	defer srv.Close()
	for range 20 {
		resp, err := http.Get(srv.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Link") != "" {
			t.Errorf("got %d %v %v", resp.StatusCode, resp.Header, err)
		}
	}
}
