package alipay

import (
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// billPath is where bills are downloaded. The real ones are on another host
// than the gateway, and need no signature either.
const billPath = "/sandbox/alipay/bill"

// bill is a bill that may be downloaded by whoever has its link.
type bill struct {
	token  string
	days   []time.Time // midnights in China, one or a month's
	until  time.Time
	faults []faults.Armed
}

func (b *bill) has(fault faults.Fault) bool { return faults.Has(b.faults, fault) }

// maxLinks is how many links are remembered; the oldest makes room.
const maxLinks = 100

// billURL makes a link to a bill: of a day, or of a month.
func (a *Emulator) billURL(r *http.Request, _ params, biz bizContent) (any, *failure) {
	var kind, date string
	if no := biz.texts(member{&kind, "bill_type", 20, true}, member{&date, "bill_date", 10, true}); no != nil {
		return nil, no
	}
	if kind != "trade" {
		return nil, wrongArguments("bill_type must be trade: the sandbox keeps no other")
	}
	days, err := billDays(date)
	if err != nil {
		return nil, wrongArguments("bill_date must be like 2006-01-02 or 2006-01")
	}
	a.Book.Lock()
	defer a.Book.Unlock()
	now := a.Book.Now()
	switch midnight := days[len(days)-1].AddDate(0, 0, 1); {
	case a.EarlyBills:
	case now.Before(midnight):
		return nil, wrongArguments("bill_date is not over")
	case now.Before(midnight.Add(billReady)):
		return nil, noBill
	}
	if len(a.movements(days)) == 0 {
		return nil, noBill
	}
	link := bill{
		token: a.Random.Text(32, random.Alnum), days: days, until: now.Add(billLife),
		faults: a.Book.Faults.TakeAll(faults.Bill, faults.OfBills...),
	}
	if a.links = append(a.links, link); len(a.links) > maxLinks {
		a.links = append([]bill(nil), a.links[1:]...)
	}
	return struct {
		head
		BillDownloadURL string `json:"bill_download_url"`
	}{ok, wire.RequestBase(r, Path) + billPath + "?" + url.Values{"token": {link.token}, "date": {date}}.Encode()}, nil
}

// movements are what moved on the days. The book's lock is held.
func (a *Emulator) movements(days []time.Time) []*trade.Movement {
	names := make([]string, len(days))
	for i, day := range days {
		names[i] = day.Format(trade.DayLayout)
	}
	return a.Book.Movements(a, names...)
}

// billDays are the days of a bill_date.
func billDays(date string) (days []time.Time, err error) {
	if day, err := time.ParseInLocation(time.DateOnly, date, trade.China); err == nil {
		return []time.Time{day}, nil
	}
	first, err := time.ParseInLocation("2006-01", date, trade.China)
	if err != nil {
		return nil, err
	}
	for day := first; day.Month() == first.Month(); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days, nil
}

// downloadBill streams the ZIP.
func (a *Emulator) downloadBill(rw http.ResponseWriter, r *http.Request) {
	a.Book.Lock()
	fault := a.Book.Faults.Take(faults.Download, "", faults.OfAnswers...)
	now := a.Book.Now()
	var found *bill
	for i := range a.links {
		if a.links[i].token == r.URL.Query().Get("token") && !now.After(a.links[i].until) {
			link := a.links[i]
			found = &link
		}
	}
	var rows []*trade.Movement
	if found != nil {
		rows = a.movements(found.days)
	}
	a.Book.Unlock()
	a.Serve(rw, r, fault, wire.Call{
		Do:     func() {}, // a download changes nothing
		Broken: func() { http.Error(rw, "系统繁忙", http.StatusInternalServerError) },
		Busy:   func() { http.Error(rw, "系统繁忙", http.StatusTooManyRequests) },
		Answer: func(fault faults.Fault) {
			if found == nil {
				http.Error(rw, "下载链接已失效: the link has expired or never existed", http.StatusForbidden)
				return
			}
			if wire.WriteBlanks(rw, wire.Blanks(fault)) != nil {
				return
			}
			rw.Header().Set("Content-Type", "application/zip")
			rw.Header().Set("Content-Disposition", `attachment; filename="bill.zip"`)
			rw.Header().Set("Cache-Control", "no-store")
			if err := found.write(rw, a.keys.SellerID, rows, now, fault); err != nil {
				// The status has been sent: all that is left is to break off.
				a.Log.Debug("sandbox: bill broken off", "error", err)
				wire.CutOff(rw)
			}
		},
	})
}

// WriteBill writes the bill of a day, a midnight in China, of these movements.
func (a *Emulator) WriteBill(to io.Writer, day time.Time, rows []*trade.Movement) error {
	return (&bill{days: []time.Time{day}}).write(to, a.keys.SellerID, rows, a.Book.Now(), "")
}
