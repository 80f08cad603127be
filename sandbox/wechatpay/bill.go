package wechatpay

import (
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// download is a bill that a link leads to. It does not change. It holds the
// day's movements as they were when the shop requested the bill, 8 bytes each,
// so that the file is the one whose hash was answered.
type download struct {
	token  string
	until  time.Time
	file   billFile
	rows   []*trade.Movement
	gzip   bool
	faults []faults.Armed
	size   int64 // bytes of the file as it is, unpacked
}

func (d *download) has(fault faults.Fault) bool { return faults.Has(d.faults, fault) }

// downloads are those that have not expired, the oldest first.
type downloads []*download

// maxDownloads bounds them; the oldest makes room.
const maxDownloads = 64

// add keeps d and drops what has expired. The book's lock is held.
func (all *downloads) add(d *download, now time.Time) {
	*all = slices.DeleteFunc(*all, func(old *download) bool { return now.After(old.until) })
	if len(*all) >= maxDownloads {
		*all = slices.Delete(*all, 0, 1)
	}
	*all = append(*all, d)
}

const billPath = "/v3/billdownload/file"

func (w *Emulator) tradeBill(r *http.Request, _ []byte) (any, *refusal) {
	query := r.URL.Query()
	kind := query.Get("bill_type")
	if kind == "" {
		kind = "ALL"
	}
	columns := tradeBills[kind]
	if columns == nil {
		return nil, paramError("query", "bill_type", "must be ALL, SUCCESS or REFUND")
	}
	return w.bill(r, query, faults.Bill, tradeBillFile{w.Keys(), columns}, func(m *trade.Movement) bool {
		return kind == "ALL" || (kind == "REFUND") == (m.Refund != nil)
	})
}

func (w *Emulator) flowBill(r *http.Request, _ []byte) (any, *refusal) {
	query := r.URL.Query()
	account := query.Get("account_type")
	switch account {
	case "":
		account = "BASIC"
	case "BASIC", "OPERATION", "FEES":
	default:
		return nil, paramError("query", "account_type", "must be BASIC, OPERATION or FEES")
	}
	return w.bill(r, query, faults.FlowBill, flowBillFile{w.Keys()}, func(*trade.Movement) bool { return account == "BASIC" })
}

// bill makes a link to the file. The file is written once right away, to
// nowhere, for its hash: a second for a million rows.
func (w *Emulator) bill(
	r *http.Request, query url.Values, op faults.Op, file billFile, includes func(*trade.Movement) bool,
) (any, *refusal) {
	day, err := time.ParseInLocation(trade.DayLayout, query.Get("bill_date"), trade.China)
	if err != nil {
		return nil, paramError("query", "bill_date", "must be like 2006-01-02")
	}
	pack := query.Get("tar_type")
	if pack != "" && pack != "GZIP" {
		return nil, paramError("query", "tar_type", "must be GZIP or absent")
	}
	d, no := w.collect(day, op, includes)
	if no != nil {
		return nil, no
	}
	d.file, d.gzip = file, pack != ""
	d.rows = trade.Alter(d.rows, d.faults)
	sum := &counting{Hash: sha1.New()}
	if err := d.write(sum); err != nil {
		return nil, &refuseSystem
	}
	d.size = sum.n
	if d.has(faults.BillBadHash) {
		_, _ = sum.Write([]byte("another file"))
	}
	w.Book.Lock()
	w.downloads.add(d, w.Book.Now())
	w.Book.Unlock()
	return map[string]string{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum.Sum(nil)),
		"download_url": w.Base(r, "/v3/") + billPath + "?token=" + d.token,
	}, nil
}

// collect takes the day's movements and the faults of the bill.
func (w *Emulator) collect(day time.Time, op faults.Op, includes func(*trade.Movement) bool) (*download, *refusal) {
	w.Book.Lock()
	defer w.Book.Unlock()
	now := w.Book.Now().In(trade.China)
	switch ready := time.Date(day.Year(), day.Month(), day.Day()+1, billReadyAt, 0, 0, 0, trade.China); {
	case day.After(now):
		return nil, paramError("query", "bill_date", "is in the future")
	case day.Before(now.AddDate(0, -billMonths, -1)):
		return nil, paramError("query", "bill_date", "is more than three months ago")
	case now.Before(ready) && !w.EarlyBills:
		return nil, &refuseBillLater
	}
	rows := slices.DeleteFunc(w.Book.Movements(w, day.Format(trade.DayLayout)), func(m *trade.Movement) bool { return !includes(m) })
	if len(rows) == 0 {
		return nil, &refuseNoBill
	}
	taken := w.Book.Faults.TakeAll(op, faults.OfBills...)
	return &download{token: w.Random.Text(64, random.Alnum), until: now.Add(billLife), rows: rows, faults: taken}, nil
}

// counting is a hash that counts what it is given.
type counting struct {
	hash.Hash
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.Hash.Write(p)
}

// download looks the file up; sendBill sends it. One link may be used often
// until it expires.
func (w *Emulator) download(r *http.Request, _ []byte) (any, *refusal) {
	token := r.URL.Query().Get("token")
	w.Book.Lock()
	defer w.Book.Unlock()
	now := w.Book.Now()
	for _, d := range w.downloads {
		if d.token == token && !now.After(d.until) {
			return d, nil
		}
	}
	return nil, &refuseLink
}

// sendBill streams the file: it is never held as a whole, and the answer is
// not signed.
func (w *Emulator) sendBill(rw http.ResponseWriter, d *download, fault faults.Fault) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if d.gzip || d.has(faults.BillZipBomb) {
		rw.Header().Set("Content-Type", "application/x-gzip")
	}
	if wire.WriteBlanks(rw, wire.Blanks(fault)) != nil {
		return
	}
	half := fault == faults.HalfAnswer
	if err := d.send(rw, half); err != nil {
		w.Log.Debug("sandbox: bill broken off", "error", err)
		panic(http.ErrAbortHandler)
	}
	if half {
		wire.CutOff(rw)
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

// WriteTradeBill writes the bill of trades of these movements.
func (w *Emulator) WriteTradeBill(to io.Writer, rows []*trade.Movement) error {
	return (&download{file: tradeBillFile{w.Keys(), tradeBills["ALL"]}, rows: rows}).write(to)
}

// WriteFlowBill writes the bill of the account of these movements.
func (w *Emulator) WriteFlowBill(to io.Writer, rows []*trade.Movement) error {
	return (&download{file: flowBillFile{w.Keys()}, rows: rows}).write(to)
}
