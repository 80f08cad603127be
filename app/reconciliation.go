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
	ID            string // begins with the day, so that ids sort by it
	Channel       string
	Day           string
	Class         string // see reconcile.Classes
	PaymentNo     string
	RefundNo      string
	TransactionID string
	Ours          int64 // minor units; 0 where we have nothing
	Theirs        int64
	Detail        string
	Status        DiscrepancyStatus
	Resolution    string // what the operator recorded
	CreatedAt     time.Time
	ResolvedAt    time.Time
	Version       int64 // 0 before it was first saved
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
