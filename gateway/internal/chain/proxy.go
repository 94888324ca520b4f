package chain

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"time"

	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/errs"
)

// proxy is the end of the chain: it makes the request that the service gets, and hands it to the route's target.
type proxy struct {
	front  front
	minter *minter
	now    func() time.Time
}

// forward is an endpoint.Endpoint.
func (p *proxy) forward(ctx context.Context, request any) (any, error) {
	call, in := callFrom(ctx), request.(*http.Request)
	out, err := p.request(call, in)
	if err != nil {
		return nil, err
	}
	if call.Informs != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				call.Informs(status, http.Header(h))
				return nil
			},
		})
	}
	call.Sent = p.now()
	resp, err := call.Route.To.Forward(ctx, out, safeAgain(call.Route, in.Method))
	if err != nil {
		return nil, err
	}
	call.Answered = p.now()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
		return nil, errs.CodeInternal.New("the service wanted to change the protocol")
	}
	return resp, nil
}

// request makes the outgoing request. The path goes on byte for byte as it was routed.
func (p *proxy) request(call *Call, in *http.Request) (*http.Request, error) {
	out := &http.Request{
		Method: in.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: in.ContentLength,
		URL:    &url.URL{Path: in.URL.Path, RawPath: in.URL.RawPath, RawQuery: in.URL.RawQuery},
		Header: p.outgoing(call, in),
	}
	if in.Body != nil && in.Body != http.NoBody && in.ContentLength != 0 {
		out.Body = &body{ReadCloser: in.Body, left: call.Route.MaxBody, limit: call.Route.MaxBody}
	}
	if call.Client != nil {
		raw, err := p.minter.token(call, p.now())
		if err != nil {
			return nil, errs.CodeInternal.Wrap(err, "something went wrong on our side")
		}
		out.Header.Set("Authorization", "Bearer "+raw)
	}
	return out, nil
}

// safeAgain tells whether a request may be sent twice: its method is idempotent (RFC 9110 §9.2.2), or the provider says
// so of the operation.
func safeAgain(r *routes.Route, method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Retry
}

// body stops at the route's limit, also when no length was told before. Its error is the refusal.
type body struct {
	io.ReadCloser
	limit int64
	left  int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		p = p[:min(len(p), 1)] // a byte more would be one too many
	} else if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errs.CodeTooLarge.New("the limit is %d bytes", b.limit)
	}
	return n, err
}
