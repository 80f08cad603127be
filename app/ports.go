package app

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Reader is what use cases read outside of commands. It locks nothing.
// Lists are newest first unless said otherwise; a missing single thing is a
// not_found fault.
type Reader interface {
	// LoadRules reads the promotions and templates of a shop at one version.
	LoadRules(ctx context.Context, shop string) (*marketing.Rules, error)
	// ReadPriceInputs reads what a price depends on beside the rules at one
	// committed moment, and locks nothing. CatalogueCounter is always read.
	ReadPriceInputs(ctx context.Context, shop string, n *PriceInputNeeds) (*PriceInputs, error)

	Catalogue
	Orders
	Refunds
	Books
	Log
	Settings
	Work
}

// Page selects a part of a list: at most Limit, after the Cursor that the
// page before gave ("" for the first).
type Page struct {
	Limit  int
	Cursor string
}

// Catalogue reads what can be sold and at what discount.
type Catalogue interface {
	Sku(ctx context.Context, shop, id string) (inventory.Data, error)
	// SkusByID returns those that exist, in any order.
	SkusByID(ctx context.Context, shop string, ids []string) ([]inventory.Data, error)
	// ListSkus is in sku order. next is "" on the last page; so below.
	ListSkus(ctx context.Context, shop string, p Page) (items []inventory.Data, next string, err error)
	// UserByID returns a plain user for one that was never put.
	UserByID(ctx context.Context, shop, id string) (shop.User, error)
	// Counters reads named counters; those that were never counted are left out.
	Counters(ctx context.Context, shop string, names []string) (map[string]int64, error)
	Coupon(ctx context.Context, shop, code string) (marketing.CouponData, error)
	// ListCoupons are a user's or a template's, in code order.
	ListCoupons(ctx context.Context, shop string, f CouponFilter, p Page) (items []marketing.CouponData, next string, err error)
	// CountCoupons counts, in whatever state, the coupons of templates. One
	// without any may be left out.
	CountCoupons(ctx context.Context, shop string, templates []string) (map[string]int64, error)
	Promotion(ctx context.Context, shop, id string) (pricing.Promotion, error)
	// ListPromotions is in id order.
	ListPromotions(ctx context.Context, shop string, p Page) (items []pricing.Promotion, next string, err error)
	Template(ctx context.Context, shop, id string) (marketing.Template, error)
	// ListTemplates is in id order.
	ListTemplates(ctx context.Context, shop string, p Page) (items []marketing.Template, next string, err error)
	// EachRuleChange streams every version of every rule in the order in
	// which they came into force; an error of f ends it.
	EachRuleChange(ctx context.Context, shop string, f func(marketing.RuleChange) error) error
}

// CouponFilter says which coupons to list: those of a user or those of a
// template; of both, the user's that are of the template. With a Status only
// those that have it at the time Now, see marketing.CouponData.StatusAt.
type CouponFilter struct {
	User     string
	Template string
	Status   marketing.Status
	Now      time.Time
}

// OrderView is an order with its payments, in the order of their numbers.
type OrderView struct {
	Order    order.Data
	Payments []payment.Data
}

// OrderFilter narrows a list of orders; zero fields do not.
type OrderFilter struct {
	User        string
	Status      order.Status
	CreatedFrom time.Time
	CreatedTo   time.Time // exclusive
}

// Orders reads orders and payments.
type Orders interface {
	Order(ctx context.Context, shop, no string) (OrderView, error)
	ListOrders(ctx context.Context, shop string, f OrderFilter, p Page) (items []OrderView, next string, err error)
	Payment(ctx context.Context, shop, no string) (payment.Data, error)
	// Bought says whether the user has an order that was not closed.
	Bought(ctx context.Context, shop, user string) (bool, error)
	// EachPriced streams the orders that were placed in [from, to), in the
	// order of their numbers: of those that were drafts first, the ones made
	// after from less order.DraftExpiry. What f is given is good until it
	// returns; its error ends the stream.
	EachPriced(ctx context.Context, shop string, from, to time.Time, f func(*PricedOrder) error) error
	// EachBuyer streams, in any order and again for each order, the buyers
	// with an order placed before a time that has not been closed.
	EachBuyer(ctx context.Context, shop string, before time.Time, f func(user string) error) error
}

// PricedOrder is the part of a placed order that pricing it again reads
// it.
type PricedOrder struct {
	No        string
	User      string
	Status    order.Status
	Currency  string
	Payable   int64     // minor units
	PlacedAt  time.Time // see order.Data.Placed
	Submitted bool      // it was a draft, so that its number is older than its price
	ClosedAt  time.Time
	GoodsGone bool
	// Snapshot is JSON with the order's Items, Applied, Basis and Coupons
	// under these names in lower case, and others.
	Snapshot []byte
}

// RefundFilter narrows a list of refunds; zero fields do not.
type RefundFilter struct {
	Status payment.RefundStatus
	Parked bool // only those that wait for a person
}

// Refunds reads refunds.
type Refunds interface {
	Refund(ctx context.Context, shop, no string) (payment.RefundData, error)
	// RefundsOf are an order's, by number.
	RefundsOf(ctx context.Context, shop, orderNo string) ([]payment.RefundData, error)
	ListRefunds(ctx context.Context, shop string, f RefundFilter, p Page) (items []payment.RefundData, next string, err error)
}

// BookEntry is the part of a payment that reconciliation reads: without its
// evidence, for there may be millions.
type BookEntry struct {
	PaymentNo     string
	Order         string
	Channel       string
	TransactionID string
	Amount        int64 // minor units
	Currency      string
	Status        payment.Status
	Merchant      string
	App           string
	CreatedAt     time.Time
	SucceededAt   time.Time
}

// Books reads what reconciliation compares. The Each methods stream, in any
// order; an error of f ends them.
type Books interface {
	// EachSettled are the payments of a channel that succeeded in [from, to).
	EachSettled(ctx context.Context, shop, channel string, from, to time.Time, f func(BookEntry) error) error
	// EntriesByNo are the payments with these numbers, of any channel.
	EntriesByNo(ctx context.Context, shop string, nos []string) ([]BookEntry, error)
	// EachRefund are the refunds that were made before to and were not over
	// before from: all that can have moved money in [from, to).
	EachRefund(ctx context.Context, shop string, from, to time.Time, f func(payment.RefundData) error) error
	// RefundsByNo are the refunds with these numbers.
	RefundsByNo(ctx context.Context, shop string, nos []string) ([]payment.RefundData, error)
	// OrphanNos are those of the numbers of which an authentic callback came
	// that found no payment.
	OrphanNos(ctx context.Context, shop string, paymentNos []string) ([]string, error)

	Reconciliation(ctx context.Context, shop, id string) (rows.Reconciliation, error)
	// ListReconciliations is newest day first; channel "" is any.
	ListReconciliations(ctx context.Context, shop, channel string, p Page) (items []rows.Reconciliation, next string, err error)
	Discrepancy(ctx context.Context, shop, id string) (rows.Discrepancy, error)
	// ListDiscrepancies is newest id first.
	ListDiscrepancies(ctx context.Context, shop string, f DiscrepancyFilter, p Page) (items []rows.Discrepancy, next string, err error)

	// Suspense sums, by channel and currency, the money that succeeded and is
	// neither applied nor refunded. What is zero is left out.
	Suspense(ctx context.Context, shop string) ([]SuspenseRow, error)
}

// SuspenseRow is the suspense account of one channel.
type SuspenseRow struct {
	Channel  string `json:"channel"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`   // minor units
	Payments int64  `json:"payments"` // how many have some
}

// EventQuery says which records of a log to read.
type EventQuery struct {
	After event.Position
	UpTo  event.Position // 0: to the end
	Types []event.Type   // records with an event of one of these; nil: any
	Known []event.Type   // with Types: records with an event that is none of these, too; nil: not
	Limit int
}

// Log reads the event log.
type Log interface {
	// Events are records of a shop, oldest first. Whoever asks for what comes
	// after the last that it was given misses none.
	Events(ctx context.Context, shop string, q EventQuery) ([]event.Record, error)
	// OrderEvents are all records of one order that hold an event with
	// Seq > after or with none, oldest first.
	OrderEvents(ctx context.Context, shop, orderNo string, after int64) ([]event.Record, error)
	// EndOfLog is the position of the last record, 0 of an empty log.
	EndOfLog(ctx context.Context, shop string) (event.Position, error)
	// FormerPosition is the position of the record that an earlier release
	// placed at f; not_found if there is none.
	FormerPosition(ctx context.Context, shop string, f event.Former) (event.Position, error)
	// Cursor is the position up to which a follower is done; began is false
	// before its first step.
	Cursor(ctx context.Context, shop, follower string) (at event.Position, began bool, err error)
	// LogEnds are the ends of all shops' logs that have a record.
	LogEnds(ctx context.Context) (map[string]event.Position, error)
	// Cursors are those of all shops.
	Cursors(ctx context.Context) ([]FollowerCursor, error)
	// ParkedRecords are in the order of their ids; follower "" is any.
	ParkedRecords(ctx context.Context, shop, follower string, p Page) (items []ParkedRecord, next string, err error)
	// ParkedRecord is one of them.
	ParkedRecord(ctx context.Context, shop, id string) (ParkedRecord, error)
	// ParkedOf are those of a follower that are about one of the orders, by
	// position.
	ParkedOf(ctx context.Context, shop, follower string, orders []string) ([]ParkedRecord, error)
	// ParkedCounts counts them in all shops.
	ParkedCounts(ctx context.Context) ([]ParkedCount, error)
	// ChannelMessages are all of an order, oldest first, without bodies.
	ChannelMessages(ctx context.Context, shop, orderNo string) ([]ChannelMessage, error)
	// RefusedCallbacks are the newest that are noted, newest first; channel
	// "" is any.
	RefusedCallbacks(ctx context.Context, shop, channel string, limit int) ([]CallbackNote, error)
	// RepeatedCallbacks says how often callbacks about an order were repeated.
	RepeatedCallbacks(ctx context.Context, shop, orderNo string) ([]CallbackNote, error)
}

// Settings reads shops, keys and channels.
type Settings interface {
	Shops(ctx context.Context) ([]shop.Shop, error)
	ShopByID(ctx context.Context, id string) (shop.Shop, error)
	// KeyByHash finds a key that works in any shop.
	KeyByHash(ctx context.Context, hash []byte) (shop.Key, error)
	ListKeys(ctx context.Context, shop string) ([]shop.Key, error)
	ChannelRow(ctx context.Context, shop, name string) (rows.Channel, error)
	ListChannels(ctx context.Context, shop string) ([]rows.Channel, error)
}

// Work reads what is due.
type Work interface {
	// DueOrders are live orders and drafts whose time is over and that do not
	// close yet, oldest first.
	DueOrders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error)
	// DuePayments are open payments whose next query is due, oldest first.
	DuePayments(ctx context.Context, shop string, now time.Time, limit int) ([]DuePayment, error)
	// DueRefunds are pending refunds whose next try is due, oldest first.
	DueRefunds(ctx context.Context, shop string, now time.Time, limit int) ([]string, error)
	// DueReminders are live orders with a part to announce, oldest first.
	DueReminders(ctx context.Context, shop string, now time.Time, limit int) ([]string, error)
	// DueCoupons are the codes of available coupons whose validity has run
	// out, longest ago first.
	DueCoupons(ctx context.Context, shop string, now time.Time, limit int) ([]string, error)
	// DueJobs are jobs whose next attempt is due, oldest first.
	DueJobs(ctx context.Context, shop string, now time.Time, limit int) ([]Job, error)
	// ParkedJobs are jobs that failed at their last attempt, newest first.
	ParkedJobs(ctx context.Context, shop string, p Page) (items []Job, next string, err error)
	// PaymentAges counts open payments by state, with the age of the oldest.
	PaymentAges(ctx context.Context, shop string, now time.Time) (map[payment.Status]Age, error)
}

// DuePayment is a payment to be queried.
type DuePayment struct {
	No      string
	Channel string
}

// Age is a count and the age of the oldest.
type Age struct {
	Count  int64
	Oldest time.Duration
}

// Admin is what commands of the binary need of a store beside the engine.
type Admin interface {
	// EnsureShop makes the shop if it is not there.
	EnsureShop(ctx context.Context, s shop.Shop) error
	// Secret is a small named value of the installation, made once: the
	// first to put it wins, everyone gets the winner's. Whoever proposes
	// nothing gets nothing while nobody has put it.
	Secret(ctx context.Context, name string, proposed []byte) ([]byte, error)
	// Scan reads a whole shop at one committed moment, for the audit.
	Scan(ctx context.Context, shop string, s unit.Scan) error
	Close() error
}
