package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
)

// mountClock mounts the test clock, which only a server with a sandbox has.
func (s *server) mountClock() {
	if s.AdvanceClock != nil {
		rest.Add(s.rest, advanceClock, s.advanceClock)
	}
}

// maxAdvance bounds one move of the test clock.
const maxAdvance = 10 * 366 * 24 * time.Hour

var advanceClock = rest.Operation{
	Route: "POST /v1/test/clock", ID: "advanceClock", Tag: "Operations", Summary: "Move the server's clock (sandbox only)",
	Details: "Whatever becomes due by the new time happens: expiry, retries, instalments. It is the clock of the whole server, for all shops, and it never goes back.",
	Request: `{"advance":"16m"}`, Response: `{"now":"2026-06-01T04:16:00Z"}`,
}

type advanceClockInput struct {
	rest.KeyAccepted
	Body struct {
		Advance string `json:"advance" minLength:"1" maxLength:"32" example:"16m"`
	} `nameHint:"ClockMove"`
}

type clockView struct {
	Now time.Time `json:"now"`
}

func (s *server) advanceClock(ctx context.Context, in *advanceClockInput) (*rest.Answer[clockView], error) {
	d, err := time.ParseDuration(in.Body.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		return nil, fault.Invalidf("/advance", `must be a duration like "16m": positive, and at most ten years`)
	}
	now, err := s.AdvanceClock(ctx, d)
	if err != nil {
		return nil, err
	}
	return &rest.Answer[clockView]{Body: clockView{at(now)}}, nil
}
