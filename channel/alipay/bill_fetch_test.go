package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// archive packs files as Alipay does: names in GBK, and not marked.
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: string(gbk(files[i])), NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(gbk(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	detailName = seller + "0156_20261120_业务明细.csv"
	sumName    = seller + "0156_20261120_业务明细(汇总).csv"
)

// billGate answers with a link to itself, and there with a file.
type billGate struct {
	*gateway
	status    int
	file      []byte
	cut       bool
	link      string // instead of the file's
	requested string // the link that was followed
}

func newBillGate(t testing.TB, file []byte) *billGate {
	b := &billGate{file: file}
	b.gateway = newGateway(t, func(seen) answer {
		if b.link == "" {
			b.link = strings.TrimSuffix(b.URL, "/gateway.do") + "/bill?token=s3cret"
		}
		return answer{node: `{"code":"10000","msg":"Success","bill_download_url":"` + b.link + `"}`}
	})
	return b
}

// RoundTrip answers for the host of the files.
func (b *billGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		return http.DefaultTransport.RoundTrip(r)
	}
	b.requested = r.URL.String()
	var body io.Reader = bytes.NewReader(b.file)
	if b.cut {
		body = io.MultiReader(bytes.NewReader(b.file[:len(b.file)/2]), broken{})
	}
	status := b.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// bill reads the bill of the day, and looks that nothing of it is left behind.
func (b *billGate) bill(t *testing.T, ctx context.Context, now time.Time) ([]payment.BillRow, payment.BillSummary, error) {
	t.Helper()
	dir := t.TempDir()
	c := b.channel(t, Options{Transport: b, TempDir: dir, Clock: func() time.Time { return now }})
	var rows []payment.BillRow
	s, err := c.Bill(ctx, billDay, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it leaves %s behind", left[0].Name())
	}
	if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "://")) {
		t.Errorf("the error contains the link: %v", err)
	}
	return rows, s, err
}

func TestBill(t *testing.T) {
	b := newBillGate(t, archive(t, sumName, "#支付宝业务汇总查询\n", detailName, goodBill()))
	rows, s, err := b.bill(t, t.Context(), vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Error(diff)
	}
	want := wantSummary
	want.Bytes = int64(len(gbk(goodBill())))
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	requested := b.last()
	checkSigned(t, requested.Params)
	if diff := cmp.Diff(map[string]any{"bill_type": "trade", "bill_date": "2026-11-20"}, bizOf(t, requested.Params)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(b.requested, "/bill?token=s3cret") || !strings.HasPrefix(b.requested, "http://127.0.0.1:") {
		t.Errorf("followed %s", b.requested)
	}
}

// TestBillFrom follows links to Alipay's own hosts, over TLS whatever they say.
func TestBillFrom(t *testing.T) {
	for link, want := range map[string]string{
		"http://dwbillcenter.alipay.com/downloadBillFile.resource?a=1&b=2": "https://dwbillcenter.alipay.com/downloadBillFile.resource?a=1&b=2",
		"https://dwbillcenter.alipay.com/x":                                "https://dwbillcenter.alipay.com/x",
		"http://dwbillcenter.dl.alipaydev.com/x":                           "https://dwbillcenter.dl.alipaydev.com/x",
	} {
		b := newBillGate(t, archive(t, detailName, goodBill()))
		b.link = link
		if _, _, err := b.bill(t, t.Context(), vectorTime); err != nil || b.requested != want {
			t.Errorf("%s: followed %s, %v", link, b.requested, err)
		}
	}
}

// TestBillRefuses spoils the archive.
func TestBillRefuses(t *testing.T) {
	whole := archive(t, detailName, goodBill())
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/3] ^= 0x40
	many := make([]string, 0, 40)
	for i := range 17 {
		many = append(many, fmt.Sprintf("%d.txt", i), "x")
	}
	zeros := strings.Repeat("0", 1<<20)
	for _, row := range []struct {
		name string
		set  func(*billGate)
		want error // nil: a BadBillError
	}{
		{"nothing", func(b *billGate) { b.file = nil }, nil},
		{"a page", func(b *billGate) { b.file = []byte("<html>the link has expired</html>") }, nil},
		{"cut short", func(b *billGate) { b.file = whole[:len(whole)-9] }, nil},
		{"damaged", func(b *billGate) { b.file = damaged }, nil},
		{"no files", func(b *billGate) { b.file = archive(t) }, nil},
		{"many files", func(b *billGate) { b.file = archive(t, many...) }, nil},
		{"the sums alone", func(b *billGate) { b.file = archive(t, sumName, goodBill()) }, nil},
		{"two files of trades", func(b *billGate) { b.file = archive(t, detailName, goodBill(), "b_"+detailName, goodBill()) }, nil},
		{"a file that is not the bill's", func(b *billGate) { b.file = archive(t, "业务明细.exe", goodBill()) }, nil},
		{"a bomb", func(b *billGate) { b.file = archive(t, detailName, zeros) }, nil},
		{"a bad bill in it", func(b *billGate) { b.file = archive(t, detailName, billText(rowPaid)) }, nil},
		{"a connection that breaks", func(b *billGate) { b.cut = true }, payment.ErrUnknown},
		{"403", func(b *billGate) { b.status = 403 }, payment.ErrUnknown},
		{"302", func(b *billGate) { b.status = 302 }, payment.ErrUnknown},
		{"500", func(b *billGate) { b.status = 500 }, payment.ErrUnknown},
		{"429", func(b *billGate) { b.status = 429 }, payment.ErrBusy},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBillGate(t, whole)
			row.set(b)
			_, s, err := b.bill(t, t.Context(), vectorTime)
			var bad *payment.BadBillError
			if row.want == nil && !errors.As(err, &bad) || row.want != nil && !errors.Is(err, row.want) || s != (payment.BillSummary{}) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestBillNotThere: "there is none" is accepted when there should be one.
func TestBillNotThere(t *testing.T) {
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, chinaTime) }
	for _, row := range []struct {
		now       time.Time
		want      error
		requested bool
	}{
		{at(20, 12, 0), payment.ErrBillNotReady, false},
		{at(20, 23, 59), payment.ErrBillNotReady, false},
		{at(21, 0, 0), payment.ErrBillNotReady, true},
		{at(21, 9, 59), payment.ErrBillNotReady, true},
		{at(21, 10, 0), payment.ErrNoBill, true},
		{at(30, 0, 0), payment.ErrNoBill, true},
	} {
		g := newGateway(t, always(no("40004", "isp.bill_not_exist")))
		c := g.channel(t, Options{Clock: func() time.Time { return row.now }})
		_, err := c.Bill(t.Context(), billDay, nil)
		if !errors.Is(err, row.want) || (len(g.methods()) > 0) != row.requested {
			t.Errorf("at %s: %v", row.now, err)
		}
	}
}

// TestBillEnds when its time is over, however slow whoever takes the rows is.
func TestBillEnds(t *testing.T) {
	var big strings.Builder
	for range 2000 {
		big.WriteString(strings.Replace(rowPaid, "测试", fmt.Sprint(time.Now().UnixNano()), 1) + "\n")
	}
	b := newBillGate(t, archive(t, detailName, billText(strings.TrimSuffix(big.String(), "\n"))))
	c := b.channel(t, Options{Transport: b, TempDir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	_, err := c.Bill(ctx, billDay, func(payment.BillRow) error { rows++; cancel(); return nil })
	if !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.Canceled) || rows > 1000 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
