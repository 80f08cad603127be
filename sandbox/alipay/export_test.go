package alipay

// What the tests outside of the package see of it. They are outside since they
// run the whole gateway, which imports this package.

const (
	BillPath    = billPath
	SummaryHead = summaryHead
)

type Params = params

func (p params) Message(leaveOut ...string) string { return p.message(leaveOut...) }

func (p params) Encode() string { return p.encode() }
