// Command reference is a reverse proxy of Go's own library with the settings that count, and nothing else: what a proxy
// in Go costs before it checks or records anything. infra/bench runs it beside the gateway.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/workload"
)

func main() {
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error { return run(ctx, os.Args[1:]) }))
}

func run(ctx context.Context, args []string) error {
	var listen, upstream, part string
	var files workload.Files
	flags := flag.NewFlagSet("reference", flag.ContinueOnError)
	flags.StringVar(&listen, "listen", "", "host:port, without TLS")
	flags.StringVar(&upstream, "upstream", "", "URL of the service")
	flags.StringVar(&part, "part", "", "name in the service's certificate; empty: no TLS")
	flags.StringVar(&files.Cert, "cert", "", "PEM file shown to the service")
	flags.StringVar(&files.Key, "key", "", "PEM file")
	flags.StringVar(&files.CA, "ca", "", "PEM file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10}
	if part != "" {
		id, err := workload.Load(files)
		if err != nil {
			return err
		}
		transport.TLSClientConfig = id.Client(part)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		Transport:  transport,
		BufferPool: &buffers{},
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	a := app.New("reference", slog.New(slog.DiscardHandler), 5*time.Second)
	a.ServeWith("listener", l, &http.Server{Handler: proxy})
	return a.Run(ctx)
}

// buffers saves an allocation of 32 KiB per answer.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*[]byte); ok {
		return *kept
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
