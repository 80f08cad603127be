package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountHealth() {
	rest.Add(s.rest, healthz, s.healthz)
	rest.Add(s.rest, readyz, s.readyz)
}

type health struct {
	Status  string `json:"status" enum:"ok"`
	Version string `json:"version"`
	// Only of /readyz.
	Warnings []string `json:"warnings,omitempty" doc:"What a person should look at although the server serves: followers of the log that are late, parked records. It stays 200, for another instance would do no better"`
}

const healthExample = `{"status":"ok","version":"1.0.0"}`

var healthz = rest.Operation{
	Route: "GET /healthz", ID: "healthz", Tag: "Operations", Summary: "The process is running",
	Access: rest.Anyone, AnyQuery: true, Response: healthExample,
}

func (s *server) healthz(context.Context, *struct{}) (*rest.Answer[health], error) {
	return &rest.Answer[health]{Body: health{Status: "ok", Version: s.Version}}, nil
}

var readyz = rest.Operation{
	Route: "GET /readyz", ID: "readyz", Tag: "Operations", Summary: "The server can serve now: its store answers, and it is not draining",
	Access: rest.Anyone, AnyQuery: true, Response: healthExample,
}

// readyTime bounds the check of what the server needs.
const readyTime = 2 * time.Second

func (s *server) readyz(ctx context.Context, _ *struct{}) (*rest.Answer[health], error) {
	if s.draining.Err() != nil {
		return nil, fault.New(fault.Unavailable, "the server is shutting down")
	}
	if s.Ready != nil {
		ctx, cancel := context.WithTimeout(ctx, readyTime)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			return nil, fault.New(fault.Unavailable, "the server is not ready").Because(err)
		}
	}
	out := health{Status: "ok", Version: s.Version}
	if s.Warnings != nil {
		out.Warnings = s.Warnings(ctx)
	}
	return &rest.Answer[health]{Body: out}, nil
}
