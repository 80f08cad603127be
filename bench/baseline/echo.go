package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// echo answers every quote with the same one: the least that a handler in Go
// has to do for a quote over HTTP. It checks the key, decodes the body into
// its type, refuses what it does not know, and encodes an answer of the shape
// and size of Tandem's. It reads nothing and prices nothing.
type echo struct {
	key    string // the whole Authorization header
	answer pricing.Quote
}

// openEcho reads the answer from a file.
func openEcho(file, key string) (*echo, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	e := &echo{key: key}
	if err := json.Unmarshal(raw, &e.answer); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(e.answer.Lines) == 0 {
		return nil, fmt.Errorf("%s is not a quote", file)
	}
	return e, nil
}

func (e *echo) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/quotes", (&server{key: e.key}).authorized(e.quote))
	return mux
}

func (e *echo) quote(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		UserID      string     `json:"userId"`
		Items       []app.Item `json:"items"`
		CouponCodes []string   `json:"couponCodes"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fault.New(fault.BodyTooLarge, "at most 1 MiB").Because(err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return fault.New(fault.ValidationFailed, "the body: %v", err)
	}
	if in.UserID == "" || len(in.Items) == 0 {
		return fault.New(fault.ValidationFailed, "userId and items are required")
	}
	answer, err := json.Marshal(&e.answer)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, false, answer)
	return nil
}
