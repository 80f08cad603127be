package rest

import "github.com/tandem-pay/tandem/fault"

// The groups of parameters and headers that operations share are exported
// structs: huma looks only into embedded structs that are.

const idempotencyHeader = "Idempotency-Key"

// KeyRequired is the Idempotency-Key of an operation that must not happen
// twice.
type KeyRequired struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII" example:"5f0c6d0e-checkout-1" doc:"One key for one intent: a repeat with the same key and body gets the first answer again, and changes nothing"`
}

// KeyAccepted is the Idempotency-Key of every other POST.
type KeyAccepted struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII" doc:"Makes a repeat safe: see the introduction"`
}

func keyRequired() *fault.Error {
	return fault.New(fault.IdempotencyKeyRequired, "send an Idempotency-Key header: one key for one intent, the same for each repeat of it")
}

// Replay marks an answer that was given before.
type Replay struct {
	IdempotentReplayed string `header:"Idempotent-Replayed" enum:"true" doc:"\"true\" on the answer to a repeat"`
}

// Replayed is the Replay of an answer.
func Replayed(replayed bool) Replay {
	if replayed {
		return Replay{"true"}
	}
	return Replay{}
}
