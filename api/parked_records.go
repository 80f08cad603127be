package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// Followers are those who follow the log of a shop, as far as a person has to
// do with them. *outbox.Outbox is one.
type Followers interface {
	Parked(ctx context.Context, shop, follower string, p app.Page) (items []app.ParkedRecord, next string, err error)
	Retry(ctx context.Context, shop, id string) error
	Dismiss(ctx context.Context, shop, id string) error
}

func (s *server) mountParkedRecords() {
	rest.Add(s.rest, listParkedRecords, s.listParkedRecords)
	rest.Add(s.rest, retryParkedRecord, s.retryParkedRecord)
	rest.Add(s.rest, dismissParkedRecord, s.dismissParkedRecord)
}

// parkedRecordView is a record of the log that could not be processed.
type parkedRecordView struct {
	ID       string    `json:"id" example:"stock-42"`
	Follower string    `json:"follower" example:"stock" doc:"Who could not process it"`
	Position string    `json:"position" example:"42" doc:"Its place in the log; GET /v1/events?after= with the number before it shows it"`
	OrderNo  string    `json:"orderNo,omitempty"`
	Error    string    `json:"error"`
	Attempts int64     `json:"attempts" doc:"0: it was not attempted, for it waits for an earlier one of its order"`
	FailedAt time.Time `json:"failedAt" doc:"Of the first failure, or of the last retry"`
	ParkedAt time.Time `json:"parkedAt"`
}

func viewParkedRecord(r app.ParkedRecord) parkedRecordView {
	return parkedRecordView{r.ID, r.Follower, r.Position.String(), r.Order, r.Error, r.Attempts, at(r.FailedAt), at(r.ParkedAt)}
}

var listParkedRecords = rest.Operation{
	Route: "GET /v1/parked-records", ID: "listParkedRecords", Tag: "Operations",
	Summary:  "Parked records: commits that something of Tandem's that comes after them (coupons, stock, …) could not process",
	Details:  "What comes later goes on without them, except for what is about the same order: that waits.",
	Response: `{"items":[{"id":"stock-42","follower":"stock","position":"42","orderNo":"12026060104000012300000000017","error":"sku A: cannot sell 2 of 1 reserved","attempts":5,"failedAt":"2026-06-01T04:15:00Z","parkedAt":"2026-06-01T04:15:02Z"}]}`,
}

type listParkedRecordsInput struct {
	rest.PageParams
	Follower string `query:"follower" maxLength:"64" doc:"Only of this one"`
}

func (s *server) listParkedRecords(ctx context.Context, in *listParkedRecordsInput) (*rest.Answer[rest.List[parkedRecordView]], error) {
	return rest.ListOf(viewParkedRecord)(s.Followers.Parked(ctx, caller(ctx).Shop, in.Follower, page(in.PageParams)))
}

var retryParkedRecord = rest.Operation{
	Route: "POST /v1/parked-records/{id}/retry", ID: "retryParkedRecord", Tag: "Operations", Status: 204,
	Summary: "Process a parked record now, with what waits of its order",
	Details: "409 says why it fails still; it stays parked then.",
	Codes:   []fault.Code{fault.NotFound, fault.Conflict},
}

type parkedRecordInput struct {
	IDPath
	rest.KeyAccepted
}

func (s *server) retryParkedRecord(ctx context.Context, in *parkedRecordInput) (*struct{}, error) {
	return nil, s.Followers.Retry(ctx, caller(ctx).Shop, in.ID)
}

var dismissParkedRecord = rest.Operation{
	Route: "POST /v1/parked-records/{id}/dismiss", ID: "dismissParkedRecord", Tag: "Operations", Status: 204,
	Summary: "Have a parked record count as processed, for a person has seen to it; what waits for it is processed",
	Codes:   []fault.Code{fault.NotFound, fault.Conflict},
}

func (s *server) dismissParkedRecord(ctx context.Context, in *parkedRecordInput) (*struct{}, error) {
	return nil, s.Followers.Dismiss(ctx, caller(ctx).Shop, in.ID)
}
