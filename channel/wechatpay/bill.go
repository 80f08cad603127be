package wechatpay

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

const (
	// maxBill bounds a bill, packed and unpacked: more than ten million rows.
	maxBill = 4 << 30
	// standbyHost is WeChat Pay's second address.
	standbyHost = "api2.mch.weixin.qq.com"
)

// billMeans is what codes mean to the calls about bills. Whether a day without
// a bill is a day without trades is for the caller to judge, who knows whether
// there should have been any.
var billMeans = noState(map[string]error{
	codeNoBill:          payment.ErrNoBill,
	codeNoBills:         payment.ErrNoBill,
	codeBillLater:       payment.ErrBillNotReady,
	codeNotExist:        payment.ErrUnknown,
	"RESOURCENOTEXISTS": payment.ErrUnknown,
})

// Zone is China's: WeChat Pay's days and times have no other.
func (c *Channel) Zone() *time.Location { return chinaTime }

// Bill reads the trade bill of one day: all payments and refunds. WeChat Pay
// has it from ten o'clock of the next day on, for three months.
func (c *Channel) Bill(ctx context.Context, day payment.Day, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	var sum payment.BillSummary
	size, err := c.statement(ctx, "/v3/bill/tradebill?bill_date="+day.String()+"&bill_type=ALL&tar_type=GZIP",
		func(in io.Reader) (err error) { sum, err = readTrades(in, emit); return err })
	if err != nil {
		return payment.BillSummary{}, err
	}
	sum.Bytes = size
	return sum, nil
}

// FundFlow reads the movements of the basic account on one day.
func (c *Channel) FundFlow(ctx context.Context, day payment.Day, emit func(payment.FundRow) error) (payment.FundSummary, error) {
	var sum payment.FundSummary
	size, err := c.statement(ctx, "/v3/bill/fundflowbill?bill_date="+day.String()+"&account_type=BASIC&tar_type=GZIP",
		func(in io.Reader) (err error) { sum, err = readFunds(in, emit); return err })
	if err != nil {
		return payment.FundSummary{}, err
	}
	sum.Bytes = size
	return sum, nil
}

// statement requests the address of a file, downloads it and has it read.
func (c *Channel) statement(ctx context.Context, uri string, read func(io.Reader) error) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.whole)
	defer cancel()
	where, sum, err := c.address(ctx, uri)
	if err != nil {
		return 0, err
	}
	return c.download(ctx, where, sum, read)
}

// address requests the address and the hash of a file. The answer is signed, and
// with it the file is as good as signed: its own download is not.
func (c *Channel) address(ctx context.Context, uri string) (*url.URL, []byte, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	body, err := c.get(ctx, c.client, uri, billMeans)
	if err != nil {
		return nil, nil, err
	}
	var said struct {
		HashType    string `json:"hash_type"`
		HashValue   string `json:"hash_value"`
		DownloadURL string `json:"download_url"`
	}
	if json.Unmarshal(body, &said) != nil {
		return nil, nil, unknown(errNotProtocol)
	}
	sum, err := hex.DecodeString(said.HashValue)
	if err != nil || len(sum) != sha1.Size || !strings.EqualFold(said.HashType, "SHA1") {
		return nil, nil, unknown(errors.New("the bill comes without a SHA1"))
	}
	where, err := url.Parse(said.DownloadURL)
	if err != nil || !c.isOurs(where) {
		return nil, nil, unknown(errors.New("the bill is to be downloaded from elsewhere"))
	}
	return where, sum, nil
}

// isOurs says whether a download is at the configured host, or at WeChat Pay's
// own, for which the transport then puts the configured one. Our signature
// goes nowhere else.
func (c *Channel) isOurs(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	known := host == strings.ToLower(c.transport.base.Host) || host == standbyHost || "https://"+host == DefaultBaseURL
	return known && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && strings.HasPrefix(u.Path, "/v3/")
}

// download reads a file from end to end, and gives its unpacked size.
func (c *Channel) download(ctx context.Context, where *url.URL, sum []byte, read func(io.Reader) error) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return 0, unknown(errNotProtocol)
	}
	// The transport of the net shall not unpack by itself: it has no limit.
	req.Header.Set("Accept-Encoding", "identity")
	watch := time.AfterFunc(c.stall, func() { cancel(errStall) })
	defer watch.Stop()
	resp, err := c.transport.send(req, "*/*")
	if err != nil {
		return 0, unknown(whyBroken(ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		if err := bounded(resp); err != nil {
			return 0, unknown(whyBroken(ctx, err))
		}
		err := refusal(resp, billMeans)
		if rejected := new(payment.RejectedError); errors.As(err, &rejected) {
			// Of this address, which lives for minutes; the next may do.
			err = unknown(errors.New("the download was refused: " + rejected.Code))
		}
		return 0, err
	}
	watch.Stop()

	net := &watched{r: resp.Body, watch: watch, pause: c.stall, left: maxBill}
	file, err := unpack(net, maxBill)
	if err == nil {
		err = read(file)
	}
	// What the net broke off is not a bad bill, only one that did not come.
	if net.err != nil {
		return 0, unknown(whyBroken(ctx, net.err))
	}
	if lost := new(lostError); errors.As(err, &lost) {
		return 0, &payment.BadBillError{Line: lost.line, Reason: lost.Error()}
	}
	if err != nil {
		return 0, err
	}
	if string(file.sum.Sum(nil)) != string(sum) {
		return 0, &payment.BadBillError{Reason: "its SHA1 is not the one that was announced"}
	}
	return file.size, nil
}

// whyBroken is why a download did not come to its end.
func whyBroken(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		err = why
	}
	if errors.Is(err, errStall) || errors.Is(err, errTooLong) {
		return err
	}
	return cause(&url.Error{Err: err})
}

var errStall = errors.New("the download stood still for too long")

// watched reads from the net: it gives up when nothing comes, and remembers
// what went wrong. The watch stands still while rows are worked on.
type watched struct {
	r     io.Reader
	watch *time.Timer
	pause time.Duration
	left  int64
	err   error // other than io.EOF
}

func (w *watched) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errTooLarge
	}
	w.watch.Reset(w.pause)
	n, err := w.r.Read(p[:min(int64(len(p)), w.left)])
	w.watch.Stop()
	w.left -= int64(n)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

var errTooLarge = errors.New("it is larger than 4 GiB")

// unpacked reads the file as it was before it was packed.
type unpacked struct {
	r    io.Reader
	sum  hash.Hash
	size int64
	max  int64
}

// unpack looks whether the file is packed, as was requested.
func unpack(in io.Reader, limit int64) (*unpacked, error) {
	u := &unpacked{sum: sha1.New(), max: limit}
	b := bufio.NewReaderSize(in, 32<<10)
	u.r = b
	if magic, _ := b.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, &lostError{err: err}
		}
		u.r = z
	}
	return u, nil
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.sum.Write(p[:n])
	if u.size += int64(n); u.size > u.max {
		return 0, errTooLarge
	}
	return n, err
}
