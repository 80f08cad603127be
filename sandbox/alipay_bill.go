package sandbox

import (
	"net/http"
	"net/url"
	"time"
)

// alipayBillPath is where bills are downloaded. The real ones are on another
// host than the gateway, and need no signature either.
const alipayBillPath = "/sandbox/alipay/bill"

// alipayBill is a bill that may be downloaded by whoever has its link.
type alipayBill struct {
	token  string
	days   []time.Time // midnights in China, one or a month's
	until  time.Time
	faults []Armed
}

// alipayBillLinks is how many links are remembered; the oldest makes room.
const alipayBillLinks = 100

// billURL makes a link to a bill: of a day, or of a month.
func (a *alipay) billURL(r *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	var kind, date string
	if no := biz.texts(alipayText{&kind, "bill_type", 20, true}, alipayText{&date, "bill_date", 10, true}); no != nil {
		return nil, no
	}
	if kind != "trade" {
		return nil, alipayNoArguments("bill_type must be trade: the sandbox keeps no other")
	}
	days, last, err := alipayBillDays(date)
	if err != nil {
		return nil, alipayNoArguments("bill_date must be like 2006-01-02 or 2006-01")
	}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	now := a.g.now()
	switch midnight := last.AddDate(0, 0, 1); {
	case a.g.earlyBills:
	case now.Before(midnight):
		return nil, alipayNoArguments("bill_date is not over")
	case now.Before(midnight.Add(alipayBillReady)):
		return nil, alipayNoBill
	}
	if len(a.movements(days)) == 0 {
		return nil, alipayNoBill
	}
	bill := alipayBill{
		token: a.g.random.text(32, alnum), days: days, until: now.Add(alipayBillLife), faults: a.g.strikeAll(OpBill, billFaults...),
	}
	if a.bills = append(a.bills, bill); len(a.bills) > alipayBillLinks {
		a.bills = append([]alipayBill(nil), a.bills[1:]...)
	}
	return struct {
		alipayHead
		BillDownloadURL string `json:"bill_download_url"`
	}{alipayOK, baseAsked(r, alipayPath) + alipayBillPath + "?" + url.Values{"token": {bill.token}, "date": {date}}.Encode()}, nil
}

// movements are what moved on the days. g.mu is held.
func (a *alipay) movements(days []time.Time) (all []*movement) {
	for _, day := range days {
		all = append(all, a.g.movements(a, day.Format(dayLayout))...)
	}
	return all
}

// alipayBillDays are the days of a bill_date, and the last of them.
func alipayBillDays(date string) (days []time.Time, last time.Time, err error) {
	if day, err := time.ParseInLocation(time.DateOnly, date, china); err == nil {
		return []time.Time{day}, day, nil
	}
	first, err := time.ParseInLocation("2006-01", date, china)
	if err != nil {
		return nil, last, err
	}
	for day := first; day.Month() == first.Month(); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days, days[len(days)-1], nil
}

// downloadBill streams the ZIP.
func (a *alipay) downloadBill(rw http.ResponseWriter, r *http.Request) {
	a.g.mu.Lock()
	hit := a.g.strike(OpDownload, "", answerFaults...)
	var bill *alipayBill
	for i := range a.bills {
		if a.bills[i].token == r.URL.Query().Get("token") && !a.g.now().After(a.bills[i].until) {
			found := a.bills[i]
			bill = &found
		}
	}
	var moves []*movement
	if bill != nil {
		moves = a.movements(bill.days)
	}
	now := a.g.now()
	a.g.mu.Unlock()
	switch hit.Fault {
	case Error500NoEffect, Error500WithEffect:
		http.Error(rw, "系统繁忙", http.StatusInternalServerError)
		return
	case RateLimited:
		http.Error(rw, "系统繁忙", http.StatusTooManyRequests)
		return
	case TimeoutAfterCommit, TimeoutNoEffect:
		a.g.wechat.hang(rw, r, hit.Delay)
	case Slow:
		a.g.wechat.wait(r, hit.Delay)
	}
	if bill == nil {
		http.Error(rw, "下载链接已失效: the link has expired or never existed", http.StatusForbidden)
		return
	}
	if hit.Fault == HugeAnswer && writeBlanks(rw, hugeAnswer) != nil {
		return
	}
	rw.Header().Set("Content-Type", "application/zip")
	rw.Header().Set("Content-Disposition", `attachment; filename="bill.zip"`)
	rw.Header().Set("Cache-Control", "no-store")
	if err := bill.write(rw, a.g.keys.Alipay.SellerID, moves, now, hit.Fault); err != nil {
		// The status has been sent: all that is left is to break off.
		a.g.log.Debug("sandbox: bill broken off", "error", err)
		cutOff(rw)
	}
}
