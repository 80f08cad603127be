package payment

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Channel is the port to a payment channel. An implementation signs, calls,
// verifies and translates; it never decides. Every method is safe for use by
// many at once, honours ctx, and bounds its own time and what it reads.
//
// Errors of Prepay, Query, Close, Refund and QueryRefund are one of the
// sentinel errors below, possibly wrapped, or a *RejectedError. An outcome that is
// not certain is ErrUnknown: unknown is not failed.
type Channel interface {
	Accounts
	// Kind is the protocol: "wechatpay", "alipay".
	Kind() string
	// Methods are the prepay methods it offers.
	Methods() []Method
	// Prepay opens the payment at the channel. Repeating it with the same
	// request is safe and gives a usable action again.
	Prepay(ctx context.Context, r PrepayRequest) (Action, error)
	// Query queries the state of the payment. A fact of kind Open means that
	// the channel knows it and it is not paid.
	Query(ctx context.Context, paymentNo string) (Fact, error)
	// Close requests that the channel accept no money for it any more. nil means
	// closed for good; ErrPaid means that it was paid meanwhile.
	Close(ctx context.Context, paymentNo string) error
	// Read verifies one callback and translates it. now is the moment of
	// arrival. It calls nothing outside and never panics.
	Read(now time.Time, header http.Header, body []byte) (Notice, error)
	// Answer is the answer that the channel expects: ok, or "send it again".
	Answer(ok bool) CallbackAnswer
}

// Accounts is the part of a channel that gives money back and accounts for
// what moved.
type Accounts interface {
	// Refund requests that the channel send money back. Repeating it with the same
	// request is safe: one number refunds once. The fact is Refunded when the
	// money has gone, Open while the channel works on it, RefundStuck or
	// RefundFailed when it could not. ErrShort: the merchant's account has too
	// little money; repeat identically after it was topped up.
	Refund(ctx context.Context, r RefundRequest) (Fact, error)
	// QueryRefund queries the state of a refund. ErrNotExist is a verified answer
	// that the channel does not know it: only then may Refund be repeated after
	// an unknown outcome.
	QueryRefund(ctx context.Context, r RefundRequest) (Fact, error)
	// Bill reads the bill of one day of Zone, row by row in the file's order.
	// Nothing that emit was given may be acted upon before Bill has returned
	// nil: only then the file was whole (its hash and its own counts). It
	// reads in bounded memory, whatever the file's size.
	Bill(ctx context.Context, day Day, emit func(BillRow) error) (BillSummary, error)
	// Zone is where the days of its bills begin.
	Zone() *time.Location
}

// Refresher is what a channel has beside Channel whose keys to verify with
// change by themselves.
type Refresher interface {
	// Refresh fetches the channel's keys and adds the new ones. Many at
	// once are one request. Its errors are those of Channel.
	Refresh(ctx context.Context) error
	// RefreshDue says whether it is time to call Refresh: the keys are old, or
	// a message came that was signed with one that is not held. It calls
	// nothing and may be called often.
	RefreshDue(now time.Time) bool
}

// Checker is what a channel has beside Channel that can say before a payment is
// stored that it would refuse it. It calls nothing.
type Checker interface {
	// Check is nil when nothing is known to be wrong with the request.
	Check(r PrepayRequest) *WrongFieldError
}

// WrongFieldError says which part of a request a channel would refuse.
type WrongFieldError struct {
	Field   string // JSON pointer into the request to pay; "" when the caller cannot mend it
	Message string
}

func (e *WrongFieldError) Error() string { return e.Message }

// Method is a way of paying within a channel.
type Method string

// The methods of all channels.
const (
	Native    Method = "native"
	JSAPI     Method = "jsapi"
	H5        Method = "h5"
	App       Method = "app"
	Page      Method = "page"
	Wap       Method = "wap"
	Precreate Method = "precreate"
)

// Methods are all of them: the list that the API's schema is made from.
var Methods = []Method{Native, JSAPI, H5, App, Page, Wap, Precreate}

// PrepayRequest is everything that a channel is sent about a payment. It is
// stored with the payment before the first call, so that a repeat is
// identical.
type PrepayRequest struct {
	PaymentNo   string    `json:"paymentNo"`
	Method      Method    `json:"method"`
	Amount      int64     `json:"amount"` // minor units, > 0
	Currency    string    `json:"currency"`
	Description string    `json:"description"` // shown to the buyer
	NotifyURL   string    `json:"notifyUrl"`
	ReturnURL   string    `json:"returnUrl,omitempty"`
	OpenID      string    `json:"openId,omitempty"`   // JSAPI: the payer
	ClientIP    string    `json:"clientIp,omitempty"` // H5: the payer's address
	ExpiresAt   time.Time `json:"expiresAt"`
}

// RefundRequest is everything that a channel is sent about a refund. It is made
// from what is stored with the refund before the first call, so that a repeat
// is identical.
type RefundRequest struct {
	RefundNo      string // our number, unique for the merchant
	PaymentNo     string
	TransactionID string // the channel's number of the payment
	Amount        int64  // minor units that go back, > 0
	Total         int64  // of the payment, minor units
	Currency      string
	Reason        string // shown to the buyer
	NotifyURL     string
}

// Action is what the buyer's device must do to pay.
type Action struct {
	Kind    string            `json:"kind"` // qr_code, redirect or sdk_params
	CodeURL string            `json:"codeUrl,omitempty"`
	URL     string            `json:"url,omitempty"`
	Params  map[string]string `json:"params,omitempty"`
}

// The errors of a channel.
var (
	// ErrUnknown: no certain answer (timeout, 5xx, an answer that does not
	// verify). Query, then repeat identically; never treat it as failed.
	ErrUnknown = errors.New("outcome at the channel is unknown")
	// ErrPaid: the payment has been paid. Query for the fact.
	ErrPaid = errors.New("already paid at the channel")
	// ErrClosed: the channel has closed this payment.
	ErrClosed = errors.New("closed at the channel")
	// ErrNotExist: the channel does not know the number (yet).
	ErrNotExist = errors.New("the channel does not know this payment")
	// ErrBusy: the channel limits our rate; repeat identically later.
	ErrBusy = errors.New("the channel limits the rate of requests")
	// ErrShort: the merchant's account has too little money for a refund.
	ErrShort = errors.New("the merchant's account at the channel is short of money")
)

// RejectedError is a channel's certain refusal of a request of ours: a repeat
// would be refused too. Code and Message are the channel's own.
type RejectedError struct {
	Code    string
	Message string
	Check   string // what to check of the channel's settings, when they are the reason
}

func (e *RejectedError) Error() string {
	return "rejected by the channel: " + e.Code + ": " + e.Message
}

// MisconfiguredError says that a channel refuses our requests for the settings
// that it was given, in an answer that nobody has signed: it comes with
// ErrUnknown. A certain refusal is a RejectedError with a Check.
type MisconfiguredError struct {
	Code    string // the channel's own
	Message string // the channel's own
	Check   string // what to check, in English
}

func (e *MisconfiguredError) Error() string {
	return "the channel refuses its settings: " + e.Code + ": " + e.Message + "; " + e.Check
}

// Misconfigured finds out whether a channel refused us for its settings; nil
// otherwise.
func Misconfigured(err error) *MisconfiguredError {
	var m *MisconfiguredError
	var r *RejectedError
	if errors.As(err, &m) {
		return m
	}
	if errors.As(err, &r) && r.Check != "" {
		return &MisconfiguredError{Code: r.Code, Message: r.Message, Check: r.Check}
	}
	return nil
}

// Stage is the first check that refused a callback.
type Stage string

// The stages, in the order in which they are checked.
const (
	StageSize      Stage = "size"
	StageTimestamp Stage = "timestamp"
	StageSerial    Stage = "serial"
	StageSignature Stage = "signature"
	StageDecrypt   Stage = "decrypt"
	StageBody      Stage = "body" // authentic, but not what the protocol says
)

// RefusedError says that a callback did not pass a check. It proves nothing
// about money.
type RefusedError struct {
	Stage  Stage
	Reason string
}

func (e *RefusedError) Error() string {
	return "callback refused at " + string(e.Stage) + ": " + e.Reason
}

// Notice is an authentic callback, translated.
type Notice struct {
	ID        string // the channel's id of the notification
	Type      string // the channel's own type of notification: TRANSACTION.SUCCESS
	PaymentNo string // our number, as the channel says it
	RefundNo  string // set when it is about a refund; the same as that of Fact, or of Hint
	Fact      Fact
	Hint      *Fact  `json:",omitempty"` // of kind Open: a refund that is worth a query, beside Fact
	Plain     []byte // the decrypted content, kept as evidence
}

// CallbackAnswer is an HTTP answer in the channel's own protocol.
type CallbackAnswer struct {
	Status      int
	ContentType string
	Body        []byte
}

// As finds something that a channel can do beside the port, in it or in what
// it wraps (see Unwrap in channels that guard others).
func As[T any](c Channel) (T, bool) {
	for {
		if t, ok := c.(T); ok {
			return t, true
		}
		w, ok := c.(interface{ Unwrap() Channel })
		if !ok {
			var none T
			return none, false
		}
		c = w.Unwrap()
	}
}
