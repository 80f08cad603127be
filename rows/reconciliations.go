package rows

import (
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/unit"
)

// Reconciliation is one day of one channel, as last reconciled.
type Reconciliation struct {
	ID         string // "<day>/<channel>", so that ids sort by day
	Channel    string
	Day        string // in the channel's zone: 2026-11-22
	Status     ReconciliationStatus
	Runs       int64
	StartedAt  time.Time
	FinishedAt time.Time
	Error      string          // why the last run failed
	Summary    json.RawMessage // reconcile.Summary of the last run that was done
	Version    int64           // 0 before it was first saved
}

// ReconciliationStatus is how a day stands.
type ReconciliationStatus string

// The states of a day.
const (
	ReconciliationWaiting ReconciliationStatus = "waiting" // the channel has no bill yet
	ReconciliationDone    ReconciliationStatus = "done"
	ReconciliationFailed  ReconciliationStatus = "failed"
)

// Reconciliations are the days of the channels.
var Reconciliations = unit.Declare(Schema, unit.Spec[Reconciliation]{
	Rank: 160, Table: "reconciliations", Key: "id",
	Columns: []unit.Column[Reconciliation]{
		unit.Text("id", func(d *Reconciliation) *string { return &d.ID }),
		unit.Text("channel", func(d *Reconciliation) *string { return &d.Channel }).Fixed(),
		unit.Text("day", func(d *Reconciliation) *string { return &d.Day }).Fixed(),
		unit.Text("status", func(d *Reconciliation) *string { return (*string)(&d.Status) }),
		unit.Int("runs", func(d *Reconciliation) *int64 { return &d.Runs }),
		unit.Time("started_at", func(d *Reconciliation) *time.Time { return &d.StartedAt }),
		unit.Time("finished_at", func(d *Reconciliation) *time.Time { return &d.FinishedAt }),
		unit.Text("error", func(d *Reconciliation) *string { return &d.Error }),
		raw("summary", func(d *Reconciliation) *json.RawMessage { return &d.Summary }),
		unit.Version("version", func(d *Reconciliation) *int64 { return &d.Version }),
	},
})

// Discrepancy is one difference between our books and a channel's. Its id is
// made of what differs, so that running again finds the same.
type Discrepancy struct {
	ID            string            `json:"id"` // begins with the day, so that ids sort by it
	Channel       string            `json:"channel"`
	Day           string            `json:"day"`
	Class         string            `json:"class"` // see reconcile.Classes
	PaymentNo     string            `json:"paymentNo,omitempty"`
	RefundNo      string            `json:"refundNo,omitempty"`
	TransactionID string            `json:"transactionId,omitempty"`
	Ours          int64             `json:"ours"` // minor units; 0 where we have nothing
	Theirs        int64             `json:"theirs"`
	Detail        string            `json:"detail"`
	Status        DiscrepancyStatus `json:"status"`
	Resolution    string            `json:"resolution,omitempty"` // what the operator recorded
	CreatedAt     time.Time         `json:"createdAt,omitzero"`
	ResolvedAt    time.Time         `json:"resolvedAt,omitzero"`
	Version       int64             `json:"version"` // 0 before it was first saved
}

// DiscrepancyStatus is how a discrepancy stands.
type DiscrepancyStatus string

// The states of a discrepancy.
const (
	DiscrepancyOpen     DiscrepancyStatus = "open"
	DiscrepancyHealed   DiscrepancyStatus = "healed"   // by the bill's own fact, or found gone by a later run
	DiscrepancyResolved DiscrepancyStatus = "resolved" // by an operator
)

// Discrepancies are what the bills and the books do not agree on.
var Discrepancies = unit.Declare(Schema, unit.Spec[Discrepancy]{
	Rank: 170, Table: "discrepancies", Key: "id",
	Columns: []unit.Column[Discrepancy]{
		unit.Text("id", func(d *Discrepancy) *string { return &d.ID }),
		unit.Text("channel", func(d *Discrepancy) *string { return &d.Channel }).Fixed(),
		unit.Text("day", func(d *Discrepancy) *string { return &d.Day }).Fixed(),
		unit.Text("class", func(d *Discrepancy) *string { return &d.Class }),
		unit.Text("payment_no", func(d *Discrepancy) *string { return &d.PaymentNo }),
		unit.Text("refund_no", func(d *Discrepancy) *string { return &d.RefundNo }),
		unit.Text("transaction_id", func(d *Discrepancy) *string { return &d.TransactionID }),
		unit.Int("ours", func(d *Discrepancy) *int64 { return &d.Ours }),
		unit.Int("theirs", func(d *Discrepancy) *int64 { return &d.Theirs }),
		unit.Text("detail", func(d *Discrepancy) *string { return &d.Detail }),
		unit.Text("status", func(d *Discrepancy) *string { return (*string)(&d.Status) }),
		unit.Text("resolution", func(d *Discrepancy) *string { return &d.Resolution }),
		unit.Time("created_at", func(d *Discrepancy) *time.Time { return &d.CreatedAt }).Fixed(),
		unit.Time("resolved_at", func(d *Discrepancy) *time.Time { return &d.ResolvedAt }),
		unit.Version("version", func(d *Discrepancy) *int64 { return &d.Version }),
	},
})
