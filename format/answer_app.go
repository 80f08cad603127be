package format

import (
	"encoding/json"
	"time"
)

// The answers of use cases whose data is no aggregate's, but of package app. D
// is app's type, which converts to the struct here and back as long as both
// have the same fields.

// DiscrepancyAnswer is the answer of resolving a discrepancy.
func DiscrepancyAnswer[D any, Status ~string](store func(D) Discrepancy[Status], restore func(Discrepancy[Status]) D) Doc[D] {
	return converted("answer.discrepancy", store, restore)
}

// ReconciliationAnswer is the answer of reconciling a day.
func ReconciliationAnswer[D any, Status ~string](store func(D) Reconciliation[Status], restore func(Reconciliation[Status]) D) Doc[D] {
	return converted("answer.reconciliation", store, func(s Reconciliation[Status]) D {
		if string(s.Summary) == "null" {
			s.Summary = nil
		}
		return restore(s)
	})
}

// RevocationAnswer is the answer of revoking the coupons of a template.
func RevocationAnswer[D any](store func(D) Revocation, restore func(Revocation) D) Doc[D] {
	return converted("answer.revocation", store, restore)
}

// Discrepancy is one thing in which our books and a bill differ.
type Discrepancy[Status ~string] struct {
	ID            string    `json:"id"`
	Channel       string    `json:"channel"`
	Day           string    `json:"day"`
	Class         string    `json:"class"`
	PaymentNo     string    `json:"paymentNo,omitempty"`
	RefundNo      string    `json:"refundNo,omitempty"`
	TransactionID string    `json:"transactionId,omitempty"`
	Ours          int64     `json:"ours"`
	Theirs        int64     `json:"theirs"`
	Detail        string    `json:"detail"`
	Status        Status    `json:"status"`
	Resolution    string    `json:"resolution,omitempty"`
	CreatedAt     time.Time `json:"createdAt,omitzero"`
	ResolvedAt    time.Time `json:"resolvedAt,omitzero"`
	Version       int64     `json:"version"`
}

// Reconciliation is how the day of a channel stands.
type Reconciliation[Status ~string] struct {
	ID         string          `json:"ID"`
	Channel    string          `json:"Channel"`
	Day        string          `json:"Day"`
	Status     Status          `json:"Status"`
	Runs       int64           `json:"Runs"`
	StartedAt  time.Time       `json:"StartedAt"`
	FinishedAt time.Time       `json:"FinishedAt"`
	Error      string          `json:"Error"`
	Summary    json.RawMessage `json:"Summary"` // see Summary
	Version    int64           `json:"Version"`
}

// Revocation is how far the coupons of a template have been revoked.
type Revocation struct {
	Revoked    int    `json:"revoked"`
	NextCursor string `json:"nextCursor,omitempty"`
}

// converted is a document of a type D that S says how to store.
func converted[D, S any](name string, store func(D) S, restore func(S) D) Doc[D] {
	return Doc[D]{
		Name:   name,
		Encode: func(d *D) ([]byte, error) { return json.Marshal(store(*d)) },
		Decode: func(b []byte, d *D) error {
			var s S
			if b != nil {
				if err := read(name, b, &version{}); err != nil {
					return err
				}
				if err := read(name, b, &s); err != nil {
					return err
				}
			}
			*d = restore(s)
			return nil
		},
	}
}
