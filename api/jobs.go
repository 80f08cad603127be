package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountJobs() {
	add(s, listJobs, s.listJobs)
	add(s, retryJob, s.retryJob)
	// The paths of an earlier version, for clients that still use them.
	add(s, listJobs.at("GET /v1/effects", "listEffects"), s.listJobs)
	add(s, retryJob.at("POST /v1/effects/{id}/retry", "retryEffect"), s.retryJob)
}

// jobView is a call to the outside that did not succeed.
type jobView struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" example:"close_payment"`
	PaymentNo string    `json:"paymentNo,omitempty"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"lastError"`
	CreatedAt time.Time `json:"createdAt"`
	ParkedAt  time.Time `json:"parkedAt"`
}

func viewJob(j app.ParkedJob) jobView {
	return jobView{j.ID, j.Kind, j.Payment, j.Attempts, j.LastError, at(j.CreatedAt), at(j.ParkedAt)}
}

var listJobs = op{
	call: "GET /v1/jobs", id: "listJobs", tag: "Operations", summary: "Parked jobs: calls to the outside that failed at their last try, newest first",
	answer: `{"items":[{"id":"17","kind":"close_payment","paymentNo":"22026060104001012300000000025","attempts":12,"lastError":"outcome at the channel is unknown","createdAt":"2026-06-01T04:15:00Z","parkedAt":"2026-06-01T06:00:00Z"}]}`,
}

type listJobsInput struct {
	PageParams
	State string `query:"state" enum:"parked" default:"parked"`
}

func (s *server) listJobs(ctx context.Context, in *listJobsInput) (*answer[list[jobView]], error) {
	return listOf(viewJob)(s.Jobs.Parked(ctx, caller(ctx).Shop, in.page()))
}

var retryJob = op{
	call: "POST /v1/jobs/{id}/retry", id: "retryJob", tag: "Operations", summary: "Give a parked job all its tries again", status: 204,
	codes: []fault.Code{fault.NotFound},
}

type retryJobInput struct {
	IDPath
	KeyAccepted
}

func (s *server) retryJob(ctx context.Context, in *retryJobInput) (*struct{}, error) {
	return nil, s.Jobs.Retry(ctx, caller(ctx).Shop, in.ID)
}
