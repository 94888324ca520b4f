package app

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
)

// Admin serves health, readiness, metrics and profiles on a listener of their own. They never stand on a listener that
// clients reach: profiles and metrics tell too much.
func (a *App) Admin(l net.Listener, metrics http.Handler) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", Healthz)
	mux.HandleFunc("GET /readyz", a.Readyz)
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	a.Serve("admin listener", l, mux)
}

// Healthz says that the process lives.
func Healthz(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") }

// Readyz says whether calls are welcome: 200, or 503 while starting, stopping or lacking something. The reasons go to
// the log of who asks for them through Ready, not to the caller.
func (a *App) Readyz(w http.ResponseWriter, r *http.Request) {
	if err := a.Ready(r.Context()); err != nil {
		a.logger.WarnContext(r.Context(), "not ready", "part", a.name, "error", err)
		answer(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	answer(w, http.StatusOK, "ready\n")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// Listen binds a TCP address; port 0 takes a free one.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}
