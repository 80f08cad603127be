package wechatpay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer bounds the body of an answer; WeChat Pay's are below 64 KiB.
const maxAnswer = 1 << 20

// product names us in front of the SDK's own User-Agent.
const product = "Tandem/1 "

// transport makes the SDK's requests ours: it sends them to the configured
// host, signs them by our clock over the very bytes that are sent, and bounds
// what is read back.
type transport struct {
	next       http.RoundTripper
	base       *url.URL
	credential *credential
}

var errTooLong = errors.New("the answer is longer than 1 MiB")

// RoundTrip sends one request and reads the whole of its answer.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.send(req, "application/json")
	if err != nil {
		return nil, err
	}
	if err := bounded(resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// bounded reads an answer of the API into memory.
func bounded(resp *http.Response) error {
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	if len(answer) > maxAnswer {
		return errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return nil
}

// send sends one request, signed, to the configured host. The answer's body
// is still to be read.
func (t *transport) send(req *http.Request, accept string) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body) // the SDK's own buffer
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	// The signature covers path and query but neither scheme nor host.
	authorization, err := t.credential.GenerateAuthorizationHeader(
		req.Context(), req.Method, req.URL.RequestURI(), string(body))
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host, out.Host = t.base.Scheme, t.base.Host, t.base.Host
	out.Header.Set("Authorization", authorization)
	out.Header.Set("Accept", accept)
	out.Header.Set("User-Agent", product+req.Header.Get("User-Agent"))
	out.Body, out.GetBody, out.ContentLength = http.NoBody, nil, 0
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.ContentLength = int64(len(body))
	}

	return t.next.RoundTrip(out)
}

// pooled is a transport for one host that is called by many at once.
func pooled() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 60 * time.Second
	return t
}
