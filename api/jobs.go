package api

import (
	"context"
	"regexp"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountJobs() {
	rest.Add(s.rest, listJobs, s.listJobs)
	rest.Add(s.rest, retryJob, s.retryJob)
	// The paths of an earlier version, for clients that still use them.
	rest.Add(s.rest, listJobs.At("GET /v1/effects", "listEffects"), s.listJobs)
	rest.Add(s.rest, retryJob.At("POST /v1/effects/{id}/retry", "retryEffect"), s.retryJob)
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

func viewJob(j app.Job) jobView {
	return jobView{j.ID, j.Kind, j.Payment, int(j.Attempts), j.Error, at(j.CreatedAt), at(j.ParkedAt)}
}

var listJobs = rest.Operation{
	Route: "GET /v1/jobs", ID: "listJobs", Tag: "Operations",
	Summary:  "Parked jobs: calls to the outside that failed at their last try, newest first",
	Response: `{"items":[{"id":"00656ab5b1a4c00-K7QWERTYUIOP-1","kind":"close_payment","paymentNo":"22026060104001012300000000025","attempts":12,"lastError":"outcome at the channel is unknown","createdAt":"2026-06-01T04:15:00Z","parkedAt":"2026-06-01T06:00:00Z"}]}`,
}

// jobID is what the ids of jobs look like: see unit.Tx.NewID, and the migration
// that brought over those of earlier releases.
var jobID = regexp.MustCompile(`^([0-9a-f]{15}-[A-Z2-7]{12}-[0-9]+|r[0-9]{19})$`)

type listJobsInput struct {
	rest.PageParams
	State string `query:"state" enum:"parked" default:"parked"`
}

func (s *server) listJobs(ctx context.Context, in *listJobsInput) (*rest.Answer[rest.List[jobView]], error) {
	if in.Cursor != "" && !jobID.MatchString(in.Cursor) {
		return nil, fault.Invalidf("/cursor", "must be a nextCursor of this list")
	}
	return rest.ListOf(viewJob)(s.app.Store.ParkedJobs(ctx, caller(ctx).Shop, page(in.PageParams)))
}

var retryJob = rest.Operation{
	Route: "POST /v1/jobs/{id}/retry", ID: "retryJob", Tag: "Operations", Summary: "Allow a parked job all its attempts again", Status: 204,
	Codes: []fault.Code{fault.NotFound},
}

type retryJobInput struct {
	IDPath
	rest.KeyAccepted
}

func (s *server) retryJob(ctx context.Context, in *retryJobInput) (*struct{}, error) {
	return nil, s.app.RetryJob(ctx, caller(ctx).Shop, in.ID)
}
