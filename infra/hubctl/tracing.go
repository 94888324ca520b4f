package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// tracing tells the transaction of every command, and goes on with the trace that the context names.
type tracing struct {
	stderr io.Writer
	next   http.RoundTripper
}

type traceKey struct{}

// onTrace makes calls part of the trace of a traceparent (W3C Trace Context, §3.2); "" makes them a trace of their own.
func onTrace(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// RoundTrip implements http.RoundTripper.
func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	parent, _ := r.Context().Value(traceKey{}).(string)
	if fields := strings.Split(parent, "-"); len(fields) == 4 && r.Method != http.MethodGet {
		var span [8]byte
		_, _ = rand.Read(span[:]) // never fails
		fields[2] = hex.EncodeToString(span[:])
		r = r.Clone(r.Context())
		r.Header.Set("Traceparent", strings.Join(fields, "-"))
	}
	resp, err := t.next.RoundTrip(r)
	if err == nil && r.Method != http.MethodGet {
		if id := resp.Header.Get("Fsc-Transaction-Id"); id != "" {
			fmt.Fprintln(t.stderr, "transaction", id)
		}
	}
	return resp, err
}
