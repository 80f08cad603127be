package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountHealth() {
	add(s, healthz, s.healthz)
	add(s, readyz, s.readyz)
}

type health struct {
	Status  string `json:"status" enum:"ok"`
	Version string `json:"version"`
}

const healthExample = `{"status":"ok","version":"1.0.0"}`

var healthz = op{
	call: "GET /healthz", id: "healthz", tag: "Operations", summary: "The process is alive", who: byAnyone, lenient: true, answer: healthExample,
}

func (s *server) healthz(context.Context, *struct{}) (*answer[health], error) {
	return &answer[health]{health{"ok", s.Version}}, nil
}

var readyz = op{
	call: "GET /readyz", id: "readyz", tag: "Operations", summary: "The server can serve now: its store answers, and it is not draining",
	who: byAnyone, lenient: true, answer: healthExample,
}

// readyTime bounds the look at what the server needs.
const readyTime = 2 * time.Second

func (s *server) readyz(ctx context.Context, _ *struct{}) (*answer[health], error) {
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
	return &answer[health]{health{"ok", s.Version}}, nil
}
