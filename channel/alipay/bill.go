package alipay

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	sdk "github.com/smartwalle/alipay/v3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/payment"
)

// The limits of a bill's file.
const (
	maxPacked  = 1 << 30 // bytes
	maxBill    = 4 << 30 // bytes, unpacked
	maxRatio   = 250     // unpacked to packed; text packs to a twentieth at best
	maxEntries = 16      // of the archive; Alipay's have 2
)

// Bill reads the bill of trades of one day, row by row.
//
// payment.ErrNoBill: Alipay says that there is none. It says the same of a
// bill that it has not made yet; until ten o'clock of China on the day after,
// that is payment.ErrBillNotReady.
func (c *Channel) Bill(ctx context.Context, day payment.Day, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	var none payment.BillSummary
	_, end := day.Span(chinaTime)
	if c.now().Before(end) {
		return none, payment.ErrBillNotReady
	}
	ctx, cancel := context.WithTimeout(ctx, c.billTimeout)
	defer cancel()
	from, err := c.billURL(ctx, day)
	if errors.Is(err, payment.ErrNoBill) && c.now().Before(end.Add(billHour*time.Hour)) {
		return none, payment.ErrBillNotReady
	}
	if err != nil {
		return none, err
	}
	file, err := os.CreateTemp(c.tempDir, "tandem-bill-*.zip")
	if err != nil {
		return none, fmt.Errorf("a place for the bill: %w", err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	size, err := c.download(ctx, from, file)
	if err != nil {
		return none, err
	}
	detail, err := unpack(file, size)
	if err != nil {
		return none, err
	}
	defer detail.Close()
	return readBill(&patient{ctx, detail}, day, c.seller, emit)
}

// billURL requests the address of the bill of a day.
func (c *Channel) billURL(ctx context.Context, day payment.Day) (*url.URL, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		URL string `json:"bill_download_url"`
	}
	err := c.call(ctx, sdk.BillDownloadURLQuery{BillType: "trade", BillDate: day.String()}, &a)
	if err = only(err, payment.ErrNoBill); err != nil {
		return nil, err
	}
	u, err := url.Parse(a.URL)
	if err != nil || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, unknown(errors.New("bill_download_url is not the URL of a file"))
	}
	host := u.Hostname()
	switch {
	case u.Host == c.gateway.Host:
		u.Scheme = c.gateway.Scheme
	case u.Port() == "" && (strings.HasSuffix(host, ".alipay.com") || strings.HasSuffix(host, ".alipaydev.com")):
		// Alipay writes http; what is fetched is neither signed nor public.
		u.Scheme = "https"
	default:
		return nil, unknown(errors.New("bill_download_url is at a host that is not Alipay's"))
	}
	return u, nil
}

// download fetches the archive into a file.
func (c *Channel) download(ctx context.Context, from *url.URL, file io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return 0, unknown(cause(err))
	}
	req.Header.Set("User-Agent", product)
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, unknown(cause(err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusTooManyRequests:
		return 0, fmt.Errorf("%w: HTTP %d", payment.ErrBusy, resp.StatusCode)
	default:
		return 0, unknown(fmt.Errorf("HTTP %d for the file of the bill", resp.StatusCode))
	}
	// A reader's error is the network's, a writer's the disk's.
	in := &erring{r: resp.Body}
	size, err := io.Copy(file, io.LimitReader(in, maxPacked+1))
	switch {
	case in.err != nil:
		return 0, unknown(cause(in.err))
	case err != nil:
		return 0, fmt.Errorf("the bill could not be kept: %w", err)
	case size > maxPacked:
		return 0, bad(0, "the archive is longer than 1 GiB")
	}
	return size, nil
}

// unpack opens the one file of the archive that has the trades.
func unpack(file io.ReaderAt, size int64) (io.ReadCloser, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, bad(0, "it is not a ZIP archive")
	}
	if len(archive.File) > maxEntries {
		return nil, bad(0, "the archive has too many files")
	}
	var detail *zip.File
	for _, f := range archive.File {
		if !isDetail(f) {
			continue
		}
		if detail != nil {
			return nil, bad(0, "the archive has more than one file of trades")
		}
		detail = f
	}
	switch {
	case detail == nil:
		return nil, bad(0, "the archive has no file of trades (业务明细.csv)")
	case detail.UncompressedSize64 > maxBill:
		return nil, bad(0, "the bill is longer than 4 GiB")
	case detail.UncompressedSize64 > maxRatio*uint64(size): //nolint:gosec // of a file, never negative
		return nil, bad(0, "the archive packs more than a bill can")
	}
	// The reader of archive/zip checks length and CRC, and gives no more than
	// the length that was looked at above.
	r, err := detail.Open()
	if err != nil {
		return nil, bad(0, "the archive cannot be unpacked")
	}
	return r, nil
}

// isDetail says whether a file of the archive has the trades, and not their
// sums alone. Alipay writes names in GBK and does not say so.
func isDetail(f *zip.File) bool {
	name := f.Name
	if f.NonUTF8 {
		var err error
		if name, err = simplifiedchinese.GB18030.NewDecoder().String(name); err != nil {
			return false
		}
	}
	return strings.HasSuffix(name, ".csv") && strings.Contains(name, "业务明细") && !strings.Contains(name, "汇总")
}

// erring remembers the error of a reader.
type erring struct {
	r   io.Reader
	err error
}

func (e *erring) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// patient gives up when its context does.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, unknown(cause(err))
	}
	return p.r.Read(b)
}

func bad(line int64, format string, args ...any) error {
	return &payment.BadBillError{Line: line, Reason: fmt.Sprintf(format, args...)}
}
