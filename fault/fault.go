// Package fault is the one way in which Tandem says no. An Error carries a
// stable code that clients branch on, a message that says to a person what to
// do, the fields at fault and, for the logs alone, the hidden cause.
//
// Each code has exactly one kind, and each kind exactly one HTTP status: the
// table in this file is the whole map.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of an error; it decides the HTTP status.
type Kind int

// The kinds, with the HTTP status each becomes.
const (
	KindInternal     Kind = 500
	KindInvalid      Kind = 400 // the request is malformed
	KindUnauthorized Kind = 401 // no key, or one that we do not know
	KindForbidden    Kind = 403 // the key does not reach that far
	KindNotFound     Kind = 404 // it is not there, or it is another shop's
	KindConflict     Kind = 409 // it conflicts with the present state
	KindStale        Kind = 412 // it is not what the caller has seen (If-Match)
	KindTooLarge     Kind = 413 // the body passes its limit
	KindRefused      Kind = 422 // well formed, but the rules refuse it
	KindTooMany      Kind = 429 // come back later, see RetryAfter
	KindBadGateway   Kind = 502 // the channel refused or broke
	KindUnavailable  Kind = 503 // we are draining or the store is away
	KindGatewayLate  Kind = 504 // the channel did not answer in time
)

// Code is a stable snake_case name that clients branch on.
type Code string

// The codes, grouped as the checks run: the form of the request, who sends it,
// whether it is a repeat, then what the rules say.
const (
	ValidationFailed       Code = "validation_failed"
	UnknownField           Code = "unknown_field"
	BodyTooLarge           Code = "body_too_large"
	IdempotencyKeyRequired Code = "idempotency_key_required"
	IdempotencyKeyReused   Code = "idempotency_key_reused"

	Unauthorized       Code = "unauthorized"
	Forbidden          Code = "forbidden"
	NotFound           Code = "not_found"
	RateLimited        Code = "rate_limited"
	Internal           Code = "internal"
	Unavailable        Code = "unavailable"
	Conflict           Code = "conflict"
	PreconditionFailed Code = "precondition_failed"

	SkuNotFound           Code = "sku_not_found"
	OutOfStock            Code = "out_of_stock"
	PurchaseLimitExceeded Code = "purchase_limit_exceeded"
	UserBlocked           Code = "user_blocked"
	CouponNotFound        Code = "coupon_not_found"
	CouponUnavailable     Code = "coupon_unavailable"
	CouponNotApplicable   Code = "coupon_not_applicable"
	PromotionExhausted    Code = "promotion_exhausted"
	PriceChanged          Code = "price_changed"
	OrderNotPayable       Code = "order_not_payable"
	OrderNotCancellable   Code = "order_not_cancellable"
	OrderFrozen           Code = "order_frozen"
	AmountExceedsDue      Code = "amount_exceeds_due"
	RefundExceedsPaid     Code = "refund_exceeds_paid"
	RefundNotOpen         Code = "refund_not_open"
	DiscrepancyClosed     Code = "discrepancy_closed"
	PaymentNotClosable    Code = "payment_not_closable"
	AlreadyExists         Code = "already_exists"
	ChannelNotConfigured  Code = "channel_not_configured"
	ChannelRejected       Code = "channel_rejected"
	ChannelUnavailable    Code = "channel_unavailable"
	ChannelTimeout        Code = "channel_timeout"
	ChannelMisconfigured  Code = "channel_misconfigured"
)

var kinds = map[Code]Kind{
	ValidationFailed:       KindInvalid,
	UnknownField:           KindInvalid,
	BodyTooLarge:           KindTooLarge,
	IdempotencyKeyRequired: KindInvalid,
	IdempotencyKeyReused:   KindRefused,

	Unauthorized:       KindUnauthorized,
	Forbidden:          KindForbidden,
	NotFound:           KindNotFound,
	RateLimited:        KindTooMany,
	Internal:           KindInternal,
	Unavailable:        KindUnavailable,
	Conflict:           KindConflict,
	PreconditionFailed: KindStale,

	SkuNotFound:           KindNotFound,
	OutOfStock:            KindConflict,
	PurchaseLimitExceeded: KindRefused,
	UserBlocked:           KindRefused,
	CouponNotFound:        KindNotFound,
	CouponUnavailable:     KindConflict,
	CouponNotApplicable:   KindRefused,
	PromotionExhausted:    KindConflict,
	PriceChanged:          KindConflict,
	OrderNotPayable:       KindConflict,
	OrderNotCancellable:   KindConflict,
	OrderFrozen:           KindConflict,
	AmountExceedsDue:      KindRefused,
	RefundExceedsPaid:     KindRefused,
	RefundNotOpen:         KindConflict,
	DiscrepancyClosed:     KindConflict,
	PaymentNotClosable:    KindConflict,
	AlreadyExists:         KindConflict,
	ChannelNotConfigured:  KindConflict,
	ChannelRejected:       KindBadGateway,
	ChannelUnavailable:    KindBadGateway,
	ChannelTimeout:        KindGatewayLate,
	ChannelMisconfigured:  KindBadGateway,
}

// Codes returns every code with its kind, for the published documents.
func Codes() map[Code]Kind {
	out := make(map[Code]Kind, len(kinds))
	for c, k := range kinds {
		out[c] = k
	}
	return out
}

// Field is one member of a request that is at fault.
type Field struct {
	Pointer string `json:"pointer"` // JSON pointer into the body: /items/0/quantity
	Message string `json:"message"`
}

// Error is a refusal or a failure.
type Error struct {
	Code       Code
	Message    string
	Fields     []Field
	RetryAfter time.Duration // > 0 with RateLimited and Unavailable
	cause      error
}

// New makes an Error. The message is for the caller: it says what is
// wrong and, where it can, what to do.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalidf makes a validation_failed that names one field by JSON pointer.
func Invalidf(pointer, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	full := msg
	if pointer != "" { // "" is the whole body
		full = pointer + ": " + msg
	}
	return &Error{
		Code: ValidationFailed, Message: full,
		Fields: []Field{{Pointer: pointer, Message: msg}},
	}
}

// Because attaches the cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error { e.cause = cause; return e }

// Kind is the class of the error's code.
func (e *Error) Kind() Kind {
	if k, ok := kinds[e.Code]; ok {
		return k
	}
	return KindInternal
}

func (e *Error) Error() string {
	if e.cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// From finds the Error in err, or wraps err as an internal one whose message
// says nothing.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "something went wrong on our side; the trace id finds it in the logs").Because(err)
}

// CodeOf returns the code of err, Internal for a foreign error, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// Is says whether err has that code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
