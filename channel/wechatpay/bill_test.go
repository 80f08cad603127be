package wechatpay

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// depot is a gateway that has one file.
type depot struct {
	*platform
	URL string

	where  string // the download is announced there; "" is here
	hash   string // announced
	handle func(http.ResponseWriter, *http.Request) bool
	send   func(http.ResponseWriter, *http.Request)

	requested, sent atomic.Pointer[seen]
}

func newDepot(t testing.TB, file, packed []byte) *depot {
	sum := sha1.Sum(file)
	d := &depot{platform: newPlatform(t), hash: hex.EncodeToString(sum[:])}
	d.send = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed) }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := &seen{Method: r.Method, URI: r.RequestURI, Header: r.Header}
		if strings.HasPrefix(r.URL.Path, "/v3/billdownload/") {
			d.sent.Store(got)
			d.send(w, r)
			return
		}
		d.requested.Store(got)
		if d.handle != nil && d.handle(w, r) {
			return
		}
		where := d.where
		if where == "" {
			where = d.URL + "/v3/billdownload/file?token=a%2Bb&x=1"
		}
		body := toJSON(t, map[string]string{"hash_type": "SHA1", "hash_value": d.hash, "download_url": where})
		for name, v := range d.sign(r.Header.Get(headerSerial), vectorTime, body) {
			w.Header()[name] = v
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	d.URL = srv.URL
	return d
}

func (d *depot) channel(t testing.TB, opts Options) *Channel {
	cfg := testConfig(t)
	cfg.BaseURL = d.URL
	return channelOf(t, cfg, opts)
}

func readAll(ctx context.Context, c *Channel) (rows []payment.BillRow, sum payment.BillSummary, err error) {
	sum, err = c.Bill(ctx, billDay, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	return rows, sum, err
}

// TestBill downloads a bill from wherever it is announced.
func TestBill(t *testing.T) {
	text := []byte(goodBill())
	for _, row := range []struct {
		name, where string
		sent        []byte
	}{
		{"packed", "", packed(text)},
		{"in two packed parts", "", append(packed(text[:100]), packed(text[100:])...)},
		{"as it is", "", text},
		{"at WeChat Pay's host", "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb&x=1", packed(text)},
		{"at the standby", "https://API2.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb&x=1", packed(text)},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDepot(t, text, row.sent)
			d.where = row.where
			c := d.channel(t, Options{})
			rows, sum, err := readAll(t.Context(), c)
			want := payment.BillSummary{Payments: 1, Refunds: 2, Paid: 900, Refunded: 400, Fee: 3600, Bytes: int64(len(text))}
			if diff := cmp.Diff(want, sum); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			if diff := cmp.Diff(goodRows(), rows); diff != "" {
				t.Error(diff)
			}
			requested, sent := *d.requested.Load(), *d.sent.Load()
			checkRequest(t, requested, vectorTime)
			if requested.URI != "/v3/bill/tradebill?bill_date=2026-11-21&bill_type=ALL&tar_type=GZIP" {
				t.Error(requested.URI)
			}
			// The download is signed as any other request, over what is sent.
			if sent.URI != "/v3/billdownload/file?token=a%2Bb&x=1" || sent.Header.Get("Accept") != "*/*" {
				t.Errorf("%s, Accept %q", sent.URI, sent.Header.Get("Accept"))
			}
			sent.Header.Set("Accept", "application/json")
			sent.Header.Set(headerSerial, pubKeyID)
			checkRequest(t, sent, vectorTime)
		})
	}
}

func TestFundFlow(t *testing.T) {
	text := []byte(goodFunds())
	d := newDepot(t, text, packed(text))
	c := d.channel(t, Options{})
	rows := 0
	sum, err := c.FundFlow(t.Context(), billDay, func(payment.FundRow) error { rows++; return nil })
	want := payment.FundSummary{Rows: 2, Income: 1, Outgo: 1, InSum: 900, OutSum: 5, Bytes: int64(len(text))}
	if diff := cmp.Diff(want, sum); err != nil || diff != "" || rows != 2 {
		t.Errorf("%d rows, %v %s", rows, err, diff)
	}
	if uri := d.requested.Load().URI; uri != "/v3/bill/fundflowbill?bill_date=2026-11-21&account_type=BASIC&tar_type=GZIP" {
		t.Error(uri)
	}
	if c.Zone().String() != "+08:00" {
		t.Errorf("the zone is %s", c.Zone())
	}
}

// errBadBill says that a row wants a *payment.BadBillError.
var errBadBill = errors.New("a BadBillError")

// TestSpoiledDownloads are unknown when they did not come, and bad bills when
// they came and are wrong. They end soon and have no summary.
func TestSpoiledDownloads(t *testing.T) {
	text := []byte(goodBill())
	gz := packed(text)
	write := func(b []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	flipped := bytes.Clone(gz)
	flipped[len(flipped)-5] ^= 1 // of the packed file's own check sum
	altered := bytes.Replace(text, []byte("茶, 两盒"), []byte("茶, 三盒"), 1)
	blanks := bytes.Repeat(packed(bytes.Repeat([]byte(" "), 1<<20)), 100)
	for _, row := range []struct {
		name string
		send func(http.ResponseWriter, *http.Request)
		want error
	}{
		{"nothing", write(nil), errBadBill},
		{"half of the packed file", write(gz[:len(gz)/2]), errBadBill},
		{"a packed file without its end", write(gz[:len(gz)-4]), errBadBill},
		{"a packed file of nothing", write(packed(nil)), errBadBill},
		{"a broken head", write([]byte("\x1f\x8b\x09\x00")), errBadBill},
		{"a wrong check sum", write(flipped), errBadBill},
		{"more behind the packed file", write(append(bytes.Clone(gz), "more"...)), errBadBill},
		{"a word altered, counts and sums as before", write(packed(altered)), errBadBill},
		{"the file's end cut off by whole lines", write(packed(text[:bytes.LastIndex(text, []byte("`3,"))])), errBadBill},
		{"100 MB of blanks", write(blanks), errBadBill},
		{"a page", write([]byte("<html>")), errBadBill},
		{"an error reported with 200", write([]byte(`{"code":"SYSTEM_ERROR"}`)), errBadBill},
		{"half of the answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(gz)))
			_, _ = w.Write(gz[:len(gz)/2])
		}, payment.ErrUnknown},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(gz[:len(gz)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, payment.ErrUnknown},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, payment.ErrUnknown},
		{"silence in the middle", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(gz[:len(gz)/2])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, payment.ErrUnknown},
		{"another status", status(206, string(gz)), payment.ErrUnknown},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/v3/billdownload/2", http.StatusFound)
		}, payment.ErrUnknown},
		{"expired", status(400, `{"code":"INVALID_REQUEST","message":"下载链接过期"}`), payment.ErrUnknown},
		{"forbidden", status(403, `{"code":"NO_AUTH"}`), payment.ErrUnknown},
		{"not found", status(404, ``), payment.ErrUnknown},
		{"busy", status(429, `{"code":"FREQUENCY_LIMITED"}`), payment.ErrBusy},
		{"in trouble", status(500, `{"code":"SYSTEM_ERROR"}`), payment.ErrUnknown},
		{"a long refusal", status(500, strings.Repeat(" ", maxAnswer+1)), payment.ErrUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDepot(t, text, gz)
			d.send = row.send
			_, sum, err := readAll(t.Context(), d.channel(t, Options{Stall: 100 * time.Millisecond}))
			var bad *payment.BadBillError
			if row.want == errBadBill && !errors.As(err, &bad) || row.want != errBadBill && !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if sum != (payment.BillSummary{}) {
				t.Errorf("a summary all the same: %+v", sum)
			}
			if err != nil && strings.Contains(err.Error(), "token") {
				t.Errorf("the error contains the address: %v", err)
			}
		})
	}
}

// wire is a gateway without a net, for tests that move time themselves.
type wire struct {
	*platform
	t    testing.TB
	file func(ctx context.Context) io.Reader
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v3/billdownload/") {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(w.file(r.Context()))}, nil
	}
	sum := sha1.Sum([]byte(goodBill()))
	body := strings.Replace(billAnswered("https://api.mch.weixin.qq.com/v3/billdownload/file?token=1"),
		strings.Repeat("0", 40), hex.EncodeToString(sum[:]), 1)
	return &http.Response{
		StatusCode: 200, Header: w.sign(pubKeyID, vectorTime, []byte(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// reading is a reader made of a function.
type reading func(p []byte) (int, error)

func (r reading) Read(p []byte) (int, error) { return r(p) }

// TestBillEnds: a download that trickles ends when its time is up, one that
// stands still sooner, and one whose rows are worked on slowly is neither.
func TestBillEnds(t *testing.T) {
	// trickle gives a byte at a time, with a pause before each.
	trickle := func(pause time.Duration) func(context.Context) io.Reader {
		return func(ctx context.Context) io.Reader {
			left := []byte(goodBill())
			return reading(func(p []byte) (int, error) {
				select {
				case <-ctx.Done():
					return 0, ctx.Err()
				case <-time.After(pause):
				}
				if len(left) == 0 {
					return 0, io.EOF
				}
				p[0], left = left[0], left[1:]
				return 1, nil
			})
		}
	}
	for _, row := range []struct {
		name  string
		file  func(context.Context) io.Reader
		row   time.Duration // that the work on a row takes
		after time.Duration // when the caller goes; 0: he stays
		want  error         // nil: none
		cause error
		ends  time.Duration
	}{
		{"steadily", trickle(time.Millisecond), 0, 0, nil, nil, time.Duration(len(goodBill())+1) * time.Millisecond},
		{"slowly", trickle(29 * time.Second), 0, 0, payment.ErrUnknown, context.DeadlineExceeded, 15 * time.Minute},
		{"standing still", trickle(31 * time.Second), 0, 0, payment.ErrUnknown, errStall, 30 * time.Second},
		{"worked on slowly", trickle(0), 4 * time.Minute, 0, nil, nil, 12 * time.Minute},
		{"worked on for too long", trickle(29 * time.Second), 6 * time.Minute, 0, payment.ErrUnknown, context.DeadlineExceeded, 15 * time.Minute},
		{"the caller goes", trickle(time.Second), 0, time.Minute, payment.ErrUnknown, context.Canceled, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testChannel(t, Options{Transport: wire{newPlatform(t), t, row.file}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.after > 0 {
					time.AfterFunc(row.after, cancel)
				}
				start := time.Now()
				_, err := c.Bill(ctx, billDay, func(payment.BillRow) error {
					<-time.After(row.row)
					return nil
				})
				if !errors.Is(err, row.want) || !errors.Is(err, row.cause) {
					t.Errorf("got %v, want %v and %v", err, row.want, row.cause)
				}
				if took := time.Since(start); took != row.ends {
					t.Errorf("it took %s, want %s", took, row.ends)
				}
			})
		})
	}
}

// TestTooLarge has the limits of a file in small.
func TestTooLarge(t *testing.T) {
	big := bigBill(100)
	for _, limit := range []int64{int64(len(big)), int64(len(big)) - 1} {
		u, err := unpack(bytes.NewReader(packed(big)), limit)
		if err != nil {
			t.Fatal(err)
		}
		_, err = readTrades(u, func(payment.BillRow) error { return nil })
		if fits := limit == int64(len(big)); fits != (err == nil) || !fits && !errors.Is(err, errTooLarge) {
			t.Errorf("limit %d of %d: %v", limit, len(big), err)
		}
	}
	w := &watched{r: bytes.NewReader(big), watch: time.NewTimer(time.Hour), pause: time.Hour, left: 10}
	if n, err := io.Copy(io.Discard, w); n != 10 || !errors.Is(err, errTooLarge) || w.err != nil {
		t.Errorf("%d bytes, %v, %v", n, err, w.err)
	}
}

// TestBillInBoundedMemory reads 11 MB and looks at what is live meanwhile.
func TestBillInBoundedMemory(t *testing.T) {
	const n = 40_000
	text := []byte(lines(tradeHeader, strings.Repeat(paidRow+"\r\n", n-1)+paidRow, tradeTotalHeader,
		"`40000,`360000.00,`0.00,`0.00,`2160.00000,`360000.00,`0.00"))
	size := int64(len(text))
	d := newDepot(t, text, packed(text))
	c := d.channel(t, Options{})
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, rows := live(), uint64(0), 0
	sum, err := c.Bill(t.Context(), billDay, func(payment.BillRow) error {
		if rows++; rows%10_000 == 0 {
			most = max(most, live())
		}
		return nil
	})
	if err != nil || rows != n || sum.Bytes != size {
		t.Fatalf("%d rows, %+v, %v", rows, sum, err)
	}
	// Half a megabyte for the file, the rest for the connection and its server.
	if most > before+3<<20 {
		t.Errorf("%d bytes were live, %d before", most, before)
	}
}

// TestBillRefusals goes through the codes of the calls about bills.
func TestBillRefusals(t *testing.T) {
	var next answer
	c := newGateway(t, func(seen) answer { return next }).channel(t, Options{})
	for _, row := range []struct {
		status int
		code   string
		want   error
	}{
		{400, "NO_STATEMENT_EXIST", payment.ErrNoBill},
		{404, "NO_STATEMENT_EXIST", payment.ErrNoBill},
		{400, "NO_STATEMENT_EXISTS", payment.ErrNoBill},
		{400, "STATEMENT_CREATING", payment.ErrBillNotReady},
		{404, "RESOURCE_NOT_EXISTS", payment.ErrUnknown},
		{404, "ORDER_NOT_EXIST", payment.ErrUnknown},
		{400, "ORDERPAID", payment.ErrUnknown},
		{400, "PARAM_ERROR", errAnyRejection},
		{400, "INVALID_REQUEST", errAnyRejection},
		{401, "SIGN_ERROR", errAnyRejection},
		{403, "NO_AUTH", errAnyRejection},
		{429, "FREQUENCY_LIMITED", payment.ErrBusy},
		{500, "SYSTEM_ERROR", payment.ErrUnknown},
		{404, "", payment.ErrUnknown},
	} {
		next = answer{status: row.status, body: `{"code":"` + row.code + `","message":"说明"}`}
		for _, call := range []string{"bill", "funds"} {
			if err := makeCall(t.Context(), c, call); !is(err, row.want) {
				t.Errorf("%s, %d %s: got %v, want %v", call, row.status, row.code, err, row.want)
			}
		}
	}
}
