// Package channeltest is the suite that every payment channel passes: what
// payment.Channel and payment.Accounts promise, checked on a real implementation that talks
// to a gateway over the wire. A channel's own test is a constructor.
//
// It promises that a channel which passes can be put in another's place: the
// same refusals become the same errors, every broken answer is unknown, and a
// query afterwards says what really happened.
package channeltest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// Fixture is one channel, and what drives the gateway that it talks to. Each
// row of the suite gets a new one. A nil function that is marked optional
// skips the rows that need it: leave it out only when the protocol has no such
// thing.
type Fixture struct {
	// Channel must be a payment.Accounts as well.
	Channel payment.Channel
	// Settings are what the channel was opened with, as package settings wants
	// them, and Masked is what people read of them. Secrets are the texts in
	// the settings that nobody may read.
	Settings, Masked any
	Secrets          []string
	// Wire is between the channel and its gateway.
	Wire *Wire
	// Nameless are the calls whose answers, by the protocol, do not name the
	// payment that they are about.
	Nameless []Call
	// Now is the time of the channel and of its gateway.
	Now func() time.Time
	// NotifyURL is where the gateway may send callbacks; nothing need listen.
	NotifyURL string
	// Called are the methods whose prepay calls the gateway. The others only
	// make a link, and there is nothing to break.
	Called []payment.Method
	// Show lets the buyer look at a payment without paying. It is set when a
	// gateway knows a payment only from then on, and is nil when it knows one
	// from its prepay.
	Show func(paymentNo string) error
	// Terms is what the gateway knows of a payment, once the buyer has
	// looked at it: where callbacks go, and the last moment to pay.
	Terms func(paymentNo string) (notifyURL string, expiresAt time.Time, err error)
	// Fresh is how old a callback may be, and how far ahead; 0 for a channel
	// that has no such rule.
	Fresh time.Duration

	// Pay lets the buyer pay.
	Pay func(paymentNo string) error
	// Fail lets an attempt of the buyer's fail. Optional.
	Fail func(paymentNo string) error
	// Shut closes the payment at the gateway, without a request of ours. Optional.
	Shut func(paymentNo string) error
	// Break makes the next call of that kind go wrong. It returns
	// errors.ErrUnsupported for what this gateway cannot do.
	Break func(call Call, fault Fault) error
	// Callback is the callback of the gateway about a paid payment, made now.
	Callback func(paymentNo string) (http.Header, []byte, error)

	// Settle lets the refunds that the gateway is working on end well: their
	// money has gone. It does nothing at a gateway that refunds at once.
	Settle func() error
	// Short makes the merchant's account at the gateway too short of money for
	// the next refund, and short(false) fills it again.
	Short func(short bool) error
	// EndRefund ends a refund that the gateway is working on as RefundStuck or
	// RefundFailed, and one that is stuck as Refunded. Optional: some channels
	// refund at once or not at all.
	EndRefund func(paymentNo, refundNo string, as payment.FactKind) error
	// RefundCallback is the callback of the gateway about a refund, made now.
	RefundCallback func(paymentNo, refundNo string) (http.Header, []byte, error)
	// RefundHints: a refund's callback cannot say how much went back by it,
	// and is read as "look now": a fact of kind Open that names the refund.
	RefundHints bool
	// NextDay lets the present day of the channel's calendar end and its bill
	// be made, and returns that day.
	NextDay func() (payment.Day, error)
	// BreakBill makes the next bill that is read a bad one. It returns
	// errors.ErrUnsupported for what this gateway cannot do.
	BreakBill func(fault BillFault) error
}

// Call is one of the calls that can be broken.
type Call string

// The calls.
const (
	Prepay Call = "prepay"
	Query  Call = "query"
	Close  Call = "close"

	Refund      Call = "refund"
	QueryRefund Call = "query_refund"
	Bill        Call = "bill"     // requesting the address of a bill
	Download    Call = "download" // fetching it
)

// Fault is a way in which a call goes wrong.
type Fault string

// The faults. Those after RateLimited take effect at the gateway, and only
// the answer is spoiled.
const (
	TimeoutNoEffect    Fault = "timeout without effect"
	ErrorNoEffect      Fault = "500 without effect"
	RateLimited        Fault = "429"
	TimeoutAfterCommit Fault = "timeout after commit"
	ErrorWithEffect    Fault = "500 with effect"
	CorruptSignature   Fault = "corrupt signature"
	ProbeSignature     Fault = "probe signature"
	Unsigned           Fault = "unsigned"
	HalfAnswer         Fault = "half an answer"
)

// HugeAnswer takes effect, and its answer is the true one behind a hundred
// megabytes of nothing. It costs too much to be tried on every call.
const HugeAnswer Fault = "huge answer"

// BillFault is a way in which a bill is bad.
type BillFault string

// The faults of bills.
const (
	BillTruncated     BillFault = "truncated"
	BillWrongHash     BillFault = "wrong hash"
	BillWrongCount    BillFault = "wrong count"
	BillWrongEncoding BillFault = "wrong encoding"
	BillBomb          BillFault = "zip bomb" // a gigabyte of nothing
)

// faults says what each fault is to be seen as and whether it takes effect.
var faults = []struct {
	fault  Fault
	want   error
	effect bool
}{
	{TimeoutNoEffect, payment.ErrUnknown, false},
	{ErrorNoEffect, payment.ErrUnknown, false},
	{RateLimited, payment.ErrBusy, false},
	{TimeoutAfterCommit, payment.ErrUnknown, true},
	{ErrorWithEffect, payment.ErrUnknown, true},
	{CorruptSignature, payment.ErrUnknown, true},
	{ProbeSignature, payment.ErrUnknown, true},
	{Unsigned, payment.ErrUnknown, true},
	{HalfAnswer, payment.ErrUnknown, true},
}

// Run runs the suite. open is called once per row, with the row's own t.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.run(suite{T: t, Fixture: open(t)})
		})
	}
}

var rows = []struct {
	name string
	run  func(suite)
}{
	{"names itself and its methods", itself},
	{"settings say what is secret", settingsTagged},
	{"settings hide their secrets", settingsHidden},
	{"settings show what is not secret", maskedShowsTheRest},
	{"prepay gives an action by every method", prepayEveryMethod},
	{"prepay by every method says where to notify and when it ends", prepayTerms},
	{"prepay repeated is prepay", prepayRepeated},
	{"prepay by many at once", prepayByMany},
	{"prepay with another amount", prepayOtherAmount},
	{"prepay by a method it has not", prepayNoMethod},
	{"prepay of a paid payment", prepayPaid},
	{"prepay of a closed payment", prepayClosed},
	{"prepay answered for another payment", prepayCrossed},
	{"query of an unknown number", queryUnknown},
	{"query before and after payment", queryPaid},
	{"query after a failed attempt", queryFailed},
	{"query of a payment closed at the gateway", queryShut},
	{"query answered for another payment", queryCrossed},
	{"close open", closeOpen},
	{"close twice", closeTwice},
	{"close paid", closePaid},
	{"close unknown", closeUnknown},
	{"close answered for another payment", closeCrossed},
	{"calls that are cancelled", cancelled},
	{"prepay broken", brokenPrepay},
	{"query broken", brokenQuery},
	{"close broken", brokenClose},
	{"query answered with too much", hugeQuery},
	{"callback and query are one fact", callbackAgrees},
	{"callback tampered with", callbackTampered},
	{"callback too long", callbackTooLong},
	{"callback replayed", callbackReplayed},
	{"answers to callbacks differ", answers},
	{"refund in whole", refundWhole},
	{"refund in parts", refundParts},
	{"refund repeated is one refund", refundRepeated},
	{"refund by many at once is one refund", refundByMany},
	{"refund with another amount", refundOtherAmount},
	{"refund of more than there is", refundTooMuch},
	{"refund of an unpaid payment", refundUnpaid},
	{"refund of an unknown payment", refundUnknown},
	{"refund that cannot pass", refundRefusedHere},
	{"refund while the merchant is short", refundShort},
	{"refund and its query cancelled", refundCancelled},
	{"refund answered for another payment", refundCrossed},
	{"refund broken", brokenRefund},
	{"refund query of an unknown number", queryRefundUnknown},
	{"refund query answered for another refund", queryRefundCrossed},
	{"refund query broken", brokenQueryRefund},
	{"refund stuck, failed and finished", refundEnds},
	{"refund callback and query are one fact", refundCallbackAgrees},
	{"refund callback tampered with", refundCallbackTampered},
	{"bill has what moved, row by row", billRows},
	{"bill of a day without movements", billOfNothing},
	{"bill of a day that is not over", billOfToday},
	{"bill whose rows are refused", billNotTaken},
	{"bill that is bad", badBills},
	{"bill broken", brokenBill},
}

// suite is one row at work.
type suite struct {
	*testing.T
	Fixture
}

// amount is what every payment of the suite costs.
const amount = 1288

// must ends the row when the gateway cannot be driven.
func (s suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// request is a prepay that any channel accepts.
func (s suite) request(m payment.Method, paymentNo string) payment.PrepayRequest {
	return payment.PrepayRequest{
		PaymentNo: paymentNo, Method: m, Amount: amount, Currency: "CNY",
		Description: "成套商品 a & b <c>", NotifyURL: s.NotifyURL, ReturnURL: "https://shop.example.test/done?no=1",
		OpenID: "oConformanceOpenid0000000001", ClientIP: "192.0.2.7",
		ExpiresAt: s.Now().Add(time.Hour).Truncate(time.Second),
	}
}

// method is a method whose prepay calls the gateway.
func (s suite) method() payment.Method { return s.Called[0] }

// open prepays a payment that the gateway then knows.
func (s suite) open(paymentNo string) {
	s.Helper()
	_, err := s.Channel.Prepay(s.Context(), s.request(s.method(), paymentNo))
	s.must(err)
	s.show(paymentNo)
}

func (s suite) show(paymentNo string) {
	s.Helper()
	if s.Show != nil {
		s.must(s.Show(paymentNo))
	}
}

// query must succeed and say this.
func (s suite) query(paymentNo string, want payment.FactKind) payment.Fact {
	s.Helper()
	f, err := s.Channel.Query(s.Context(), paymentNo)
	if err != nil || f.Kind != want {
		s.Fatalf("query of %s: %q, %v; want %q", paymentNo, f.Kind, err, want)
	}
	if f.ID == "" || f.Source != payment.ByQuery || f.ReceivedAt.IsZero() || f.Reported == "" {
		s.Errorf("the fact is incomplete: %+v", f)
	}
	return f
}

// fails compares an error with the sentinel that is due.
func (s suite) fails(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// rejects requires a certain refusal.
func (s suite) rejects(what string, err error) {
	s.Helper()
	var r *payment.RejectedError
	if !errors.As(err, &r) || r.Code == "" {
		s.Errorf("%s: got %v, want a *payment.RejectedError with a code", what, err)
	}
}

// refuses requires a callback refused, by stage if one is given.
func (s suite) refuses(what string, now time.Time, h http.Header, body []byte, stage payment.Stage) {
	s.Helper()
	_, err := s.Channel.Read(now, h, body)
	var r *payment.RefusedError
	if !errors.As(err, &r) || stage != "" && r.Stage != stage {
		s.Errorf("callback %s: got %v, want a refusal at %q", what, err, stage)
	}
}

// breaks breaks the next call; false says that this gateway cannot.
func (s suite) breaks(call Call, fault Fault) bool {
	s.Helper()
	err := s.Break(call, fault)
	if errors.Is(err, errors.ErrUnsupported) {
		return false
	}
	s.must(err)
	return true
}
