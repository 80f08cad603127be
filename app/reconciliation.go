package app

import (
	"encoding/json"
	"time"
)

// ReconciliationData is one day of one channel, as last reconciled.
type ReconciliationData struct {
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

// DiscrepancyData is one difference between our books and a channel's. Its id
// is made of what differs, so that running again finds the same.
type DiscrepancyData struct {
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

// DiscrepancyFilter narrows a list of discrepancies; zero fields do not.
type DiscrepancyFilter struct {
	Channel string
	Day     string
	Class   string
	Status  DiscrepancyStatus
}
