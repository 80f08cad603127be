package order

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// DraftExpiry is how long a draft waits after its last change; then it is
// discarded.
const DraftExpiry = 30 * 24 * time.Hour

// DraftData is what a draft (订单草稿) has beside an order: what was
// requested, from which it is priced again when it is submitted. A draft's items,
// discounts and amounts are those of its last quote, and bind nobody.
type DraftData struct {
	Items     []event.Units     `json:"items"` // gifts are not among them
	Coupons   []string          `json:"coupons,omitempty"`
	ExpiresIn time.Duration     `json:"expiresIn,omitempty"` // from the submit on; 0: DefaultExpiry
	Plan      []Instalment      `json:"plan,omitempty"`      // see CheckPlan
	Skipped   []pricing.Skipped `json:"skipped,omitempty"`   // the last quote's
	EditedAt  time.Time         `json:"editedAt"`            // or made, or priced otherwise
}

// NewDraft makes a draft, with a quote to show to its buyer. It holds no
// stock, no coupon and no limit.
func NewDraft(p Placement) *Order {
	o := &Order{d: Data{No: p.No, User: p.User, Status: Draft, CreatedAt: p.Now, Trace: p.Trace}}
	o.draw(p, event.OrderDrafted)
	return o
}

// Draft is what a draft requests; the caller must not change it. It is refused
// for an order that is not a draft any more.
func (o *Order) Draft() (*DraftData, error) {
	if o.d.Status != Draft {
		return nil, fault.New(fault.OrderFrozen, "order %s is %s: only a draft can be edited or submitted", o.d.No, o.d.Status)
	}
	return o.d.Draft, nil
}

// Edit replaces what the draft requests, and its quote. If both are what they
// were nothing changes.
func (o *Order) Edit(p Placement) error {
	if _, err := o.Draft(); err != nil {
		return err
	}
	with := &Order{d: o.d}
	with.mustMove(EditDraft)
	with.draw(p, event.OrderEdited)
	if !o.shows(with) {
		*o = *with
	}
	return nil
}

func (o *Order) draw(p Placement, t event.Type) {
	o.snapshot(p)
	o.d.Draft = &DraftData{Items: p.Items, Coupons: p.Coupons, ExpiresIn: p.ExpiresIn, Plan: p.Plan, Skipped: p.Quote.Skipped, EditedAt: p.Now}
	o.d.ExpiresAt = p.Now.Add(DraftExpiry)
	o.record(event.Event{Type: t, User: o.d.User, Amount: o.d.Payable})
}

// shows says whether two drafts are the same but for their time.
func (o *Order) shows(other *Order) bool {
	text := func(d Data) []byte {
		draft := *d.Draft
		draft.EditedAt = time.Time{}
		// Plain data of ours always marshals.
		b, _ := json.Marshal([]any{draft, d.Total, d.Discount, d.Items, d.Applied, d.Metadata})
		return b
	}
	return bytes.Equal(text(o.d), text(other.d))
}

// Submit makes an order of the draft, from what it is priced at now; the
// draft itself is left as it is.
func (o *Order) Submit(p Placement) (*Order, error) {
	if _, err := o.Draft(); err != nil {
		return nil, err
	}
	placed := &Order{d: o.d}
	placed.mustMove(SubmitDraft)
	placed.d.Draft, placed.d.SubmittedAt = nil, p.Now
	return placed, placed.place(p)
}
