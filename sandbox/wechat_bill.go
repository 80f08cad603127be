package sandbox

import (
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// ticket lets a bill be downloaded. It does not change. It holds the day's
// movements as they were when the bill was asked for, 8 bytes each, so that
// the file that is downloaded is the one whose hash was told.
type ticket struct {
	token string
	until time.Time
	file  billFile
	rows  []*movement
	gzip  bool
	hits  []Armed
	size  int64 // bytes of the file as it is, unpacked
}

func (t *ticket) has(fault Fault) bool {
	return slices.ContainsFunc(t.hits, func(a Armed) bool { return a.Fault == fault })
}

// tickets are those that have not expired, the oldest first.
type tickets []*ticket

// maxTickets bounds them; the oldest makes room.
const maxTickets = 64

// add keeps t and drops what has expired. Gateway.mu is held.
func (all *tickets) add(t *ticket, now time.Time) {
	*all = slices.DeleteFunc(*all, func(old *ticket) bool { return now.After(old.until) })
	if len(*all) >= maxTickets {
		*all = slices.Delete(*all, 0, 1)
	}
	*all = append(*all, t)
}

const billPath = "/v3/billdownload/file"

func (w *wechat) tradeBill(r *http.Request, _ []byte) (any, *refusal) {
	query := r.URL.Query()
	kind := query.Get("bill_type")
	if kind == "" {
		kind = "ALL"
	}
	columns := tradeBills[kind]
	if columns == nil {
		return nil, paramError("query", "bill_type", "must be ALL, SUCCESS or REFUND")
	}
	return w.bill(r, query, OpBill, tradeBillFile{w.g.keys, columns}, func(m *movement) bool {
		return kind == "ALL" || (kind == "REFUND") == (m.refund != nil)
	})
}

func (w *wechat) flowBill(r *http.Request, _ []byte) (any, *refusal) {
	query := r.URL.Query()
	account := query.Get("account_type")
	switch account {
	case "":
		account = "BASIC"
	case "BASIC", "OPERATION", "FEES":
	default:
		return nil, paramError("query", "account_type", "must be BASIC, OPERATION or FEES")
	}
	return w.bill(r, query, OpFlowBill, flowBillFile{w.g.keys}, func(*movement) bool { return account == "BASIC" })
}

// bill makes a ticket for the file. It is written once right away, to
// nowhere, for its hash: a second for a million rows.
func (w *wechat) bill(r *http.Request, query url.Values, op Op, file billFile, wanted func(*movement) bool) (any, *refusal) {
	day, err := time.ParseInLocation(dayLayout, query.Get("bill_date"), china)
	if err != nil {
		return nil, paramError("query", "bill_date", "must be like 2006-01-02")
	}
	pack := query.Get("tar_type")
	if pack != "" && pack != "GZIP" {
		return nil, paramError("query", "tar_type", "must be GZIP or absent")
	}
	var no *refusal
	w.g.mu.Lock()
	now := w.g.now().In(china)
	switch ready := time.Date(day.Year(), day.Month(), day.Day()+1, billReadyAt, 0, 0, 0, china); {
	case day.After(now):
		no = paramError("query", "bill_date", "is in the future")
	case day.Before(now.AddDate(0, -billMonths, -1)):
		no = paramError("query", "bill_date", "is more than three months ago")
	case now.Before(ready) && !w.g.earlyBills:
		no = &refuseBillLater
	}
	if no != nil {
		w.g.mu.Unlock()
		return nil, no
	}
	rows := slices.DeleteFunc(w.g.movements(w, day.Format(dayLayout)), func(m *movement) bool { return !wanted(m) })
	var hits []Armed
	if len(rows) > 0 {
		hits = w.g.strikeAll(op, billFaults...)
	}
	t := &ticket{token: w.g.random.text(64, alnum), until: now.Add(billLife), file: file, gzip: pack != "", hits: hits}
	w.g.mu.Unlock()
	if len(rows) == 0 {
		return nil, &refuseNoBill
	}
	t.rows = alter(rows, hits)
	sum := &counting{Hash: sha1.New()}
	if err := t.write(sum); err != nil {
		return nil, &refuseSystem
	}
	t.size = sum.n
	if t.has(BillBadHash) {
		_, _ = sum.Write([]byte("another file"))
	}
	w.g.mu.Lock()
	w.bills.add(t, now)
	w.g.mu.Unlock()
	return map[string]string{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum.Sum(nil)),
		"download_url": w.g.base(r, "/v3/") + billPath + "?token=" + t.token,
	}, nil
}

// counting is a hash that knows how much it has seen.
type counting struct {
	hash.Hash
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.Hash.Write(p)
}

// alter makes of the rows what the faults want: in place, and with copies of
// the rows that differ.
func alter(rows []*movement, hits []Armed) []*movement {
	for _, hit := range hits {
		i := slices.IndexFunc(rows, func(m *movement) bool { return hit.OutTradeNo == "" || m.trade.no == hit.OutTradeNo })
		if i < 0 {
			continue // the trade that it waits for is not of this day
		}
		odd := *rows[i]
		switch hit.Fault {
		case BillRowMissing:
			rows = slices.Delete(rows, i, i+1)
			continue
		case BillRowTwice:
			rows = slices.Insert(rows, i, rows[i])
			continue
		case BillRowExtra:
			// As somebody else's payment might look that got into this bill.
			stray, id := *odd.trade, *odd.payment
			stray.no, id.transactionID = "STRAY"+clip(stray.no, 27), "42009"+id.transactionID[5:]
			rows = append(rows, &movement{at: odd.at, trade: &stray, payment: &id, amount: 100, fee: feeOf(100), balance: odd.balance})
			continue
		case BillAmountAltered:
			odd.amount += 100
		case BillFeeAltered:
			odd.fee++
		default: // of the whole file
			continue
		}
		rows[i] = &odd
	}
	return rows
}

// download looks the ticket up; sendBill sends the file. One ticket may be
// used often until it expires.
func (w *wechat) download(r *http.Request, _ []byte) (any, *refusal) {
	token := r.URL.Query().Get("token")
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	now := w.g.now()
	for _, t := range w.bills {
		if t.token == token && !now.After(t.until) {
			return t, nil
		}
	}
	return nil, &refuseLink
}

// sendBill streams the file: it is never held as a whole, and the answer is
// not signed.
func (w *wechat) sendBill(rw http.ResponseWriter, t *ticket, hit Fault) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if t.gzip || t.has(BillZipBomb) {
		rw.Header().Set("Content-Type", "application/x-gzip")
	}
	if hit == HugeAnswer && writeBlanks(rw, hugeAnswer) != nil {
		return
	}
	if err := t.send(rw, hit == HalfAnswer); err != nil {
		w.g.log.Debug("sandbox: bill broken off", "error", err)
		panic(http.ErrAbortHandler)
	}
	if hit == HalfAnswer {
		cutOff(rw)
	}
}

// firstBytes writes the first left bytes and swallows the rest.
type firstBytes struct {
	to   io.Writer
	left int64
}

func (f *firstBytes) Write(p []byte) (int, error) {
	n := min(int64(len(p)), f.left)
	f.left -= n
	if _, err := f.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
