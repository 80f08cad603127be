package wechatpay

import "github.com/tandem-pay/tandem/sandbox/trade"

// What the tests outside of the package see of it. They are outside since they
// run the whole gateway, which imports this package.

const (
	BillLife          = billLife
	BillPath          = billPath
	BombBlocks        = bombBlocks
	MaxDownloads      = maxDownloads
	ExpiredTradeState = expiredTradeState
)

var (
	NotifySchedule = notifySchedule
	SigningAt      = (*Keys).signing
	PlatformCerts  = (*Keys).platformCerts
)

// Downloads is how many links to bills are remembered.
func (w *Emulator) Downloads() int { return len(w.downloads) }

// MovementsOf are the movements of a day.
func (w *Emulator) MovementsOf(day string) []*trade.Movement {
	w.Book.Lock()
	defer w.Book.Unlock()
	return w.Book.Movements(w, day)
}
