package audit

// Offence is one row that breaks an invariant.
type Offence struct {
	Invariant int    `json:"invariant"` // see Invariants, from 1
	Subject   string `json:"subject"`   // "order 1…", "sku A"
	Message   string `json:"message"`
}

// Invariants are what the audit checks, by number.
var Invariants = [...]string{
	1: "order: total = Σ items, payable = total - discount, discount = Σ applied discounts = Σ line shares, 0 ≤ payable; a draft holds nothing",
	2: "money: Σ succeeded payments = applied + refunded + in suspense; nothing negative; paid only if applied = payable",
	3: "coupon: locked or used by exactly one live order that names it; no closed order holds one",
	4: "stock: reserved = Σ open orders' units; onHand = Σ adjustments - Σ sold; never below 0",
	5: "limits: counters equal what the orders and coupons that use them say, and are within the limits that these were counted under",
	6: "events: every order's events are numbered without a gap and end at its state",
	7: "refunds: Σ refunds ≤ payment; an order's refunds equal what its lines gave back; every reserved amount has a pending refund",
	8: "evidence: replaying all facts of a payment backwards gives the same state",
	9: "followers: by the rows, the records before a follower's cursor are processed, and those after it are not",
}

// Report is what the audit found.
type Report struct {
	Orders   int64     `json:"orders"`
	Payments int64     `json:"payments"`
	Coupons  int64     `json:"coupons"`
	Skus     int64     `json:"skus"`
	Records  int64     `json:"eventRecords"`
	Suspense int64     `json:"suspense"` // minor units: arrived, neither applied nor refunded
	Pending  int64     `json:"pending"`  // what followers of the log have not come to yet
	Offences []Offence `json:"offences"`
}
