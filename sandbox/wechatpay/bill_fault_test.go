package wechatpay_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/sandbox/wechatpay"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Each fault of bills, aimed at the second trade: what of the true bill
// differs.
func TestFaultsOfBills(t *testing.T) {
	no := func(p parsedBill, no string) (n int) {
		for _, r := range p.rows {
			if r["商户订单号"] == no && r["交易状态"] == "SUCCESS" {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		fault faults.Fault
		check func(t *testing.T, p parsedBill, text []byte, l link)
	}{
		{faults.BillRowMissing, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if no(p, "BILLED0002") != 0 || len(p.rows) != 3 || p.summary["总交易单数"] != "3" {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillRowTwice, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if no(p, "BILLED0002") != 2 || len(p.rows) != 5 {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillRowExtra, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if no(p, "STRAYBILLED0002") != 1 || p.rows[4]["订单金额"] != "1.00" || p.rows[4]["微信订单号"] == p.rows[1]["微信订单号"] {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillAmountAltered, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if p.rows[0]["订单金额"] != "8.88" || p.rows[1]["订单金额"] != "9.88" || p.summary["订单总金额"] != "18.76" {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillFeeAltered, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if p.rows[0]["手续费"] != "0.05000" || p.rows[1]["手续费"] != "0.06000" {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillBadCount, func(t *testing.T, p parsedBill, _ []byte, _ link) {
			if len(p.rows) != 4 || p.summary["总交易单数"] != "5" {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillBadHash, func(t *testing.T, p parsedBill, text []byte, l link) {
			if len(p.rows) != 4 || sha1Of(text) == l.Hash_Value {
				t.Errorf("%v", p)
			}
		}},
		{faults.BillTruncated, nil},
		{faults.BillWrongEncoding, nil},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			b := billBench(t)
			aDay(b)
			b.tomorrow()
			b.MustArmOn("BILLED0002", faults.Bill, c.fault, 1)
			l := b.ask(dayPath)
			text := b.download(l).Body.Bytes()
			if len(b.ArmedFaults()) != 0 {
				t.Error("still armed")
			}
			good := b.ask(dayPath)
			whole := b.download(good).Body.Bytes()
			if sha1Of(whole) != good.Hash_Value || len(parseBill(t, whole).rows) != 4 {
				t.Error("the next bill is wrong as well")
			}
			switch c.fault {
			case faults.BillTruncated:
				if !bytes.HasPrefix(whole, text) || len(text) != len(whole)/2 || l.Hash_Value != good.Hash_Value {
					t.Errorf("%d of %d bytes", len(text), len(whole))
				}
				return
			case faults.BillWrongEncoding:
				plain, err := simplifiedchinese.GBK.NewDecoder().Bytes(text)
				if err != nil || "\xef\xbb\xbf"+string(plain) != string(whole) || sha1Of(text) != l.Hash_Value {
					t.Errorf("%v %s", err, plain)
				}
				return
			}
			if hash := sha1Of(text); c.fault != faults.BillBadHash && hash != l.Hash_Value {
				t.Error("the hash is not that of the file")
			}
			c.check(t, parseBill(t, text), text, l)
		})
	}
}

// Faults of several trades meet in one bill; one whose trade is not in the
// bill changes nothing.
func TestFaultsMeetInOneBill(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	b.MustArmOn("BILLED0001", faults.Bill, faults.BillAmountAltered, 1)
	b.MustArmOn("BILLED0002", faults.Bill, faults.BillRowMissing, 1)
	b.MustArmOn("NOWHERE001", faults.Bill, faults.BillRowTwice, 1)
	p := parseBill(t, b.download(b.ask(dayPath)).Body.Bytes())
	if len(p.rows) != 3 || p.rows[0]["订单金额"] != "9.88" || len(b.ArmedFaults()) != 0 {
		t.Errorf("%v", p)
	}
}

// The bomb is small, and unpacks to far more than a reader may hold.
func TestZipBomb(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	b.MustArm(faults.Bill, faults.BillZipBomb, 1)
	rec := b.download(b.ask(dayPath + "&tar_type=GZIP"))
	packed := rec.Body.Bytes()
	one := packed[:len(packed)/wechatpay.BombBlocks]
	if len(packed) > 2<<20 || !bytes.Equal(packed, bytes.Repeat(one, wechatpay.BombBlocks)) {
		t.Fatalf("%d bytes", len(packed))
	}
	unpack, err := gzip.NewReader(bytes.NewReader(one)) // all would take a while
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, unpack); n*wechatpay.BombBlocks != 1<<30 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// What a shop gets when a download goes wrong on the way.
func TestFaultsOfDownloads(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	for _, c := range []struct {
		fault  faults.Fault
		status int
		broken bool
		size   func(n, whole int) bool
	}{
		{"", 200, false, func(n, whole int) bool { return n == whole }},
		{faults.HalfAnswer, 200, true, func(n, whole int) bool { return n == whole/2 }},
		{faults.HugeAnswer, 200, false, func(n, whole int) bool { return n == whole+wire.HugeAnswer }},
		{faults.Error500NoEffect, 500, false, func(int, int) bool { return true }},
		{faults.RateLimited, 429, false, func(int, int) bool { return true }},
	} {
		l := b.ask(dayPath)
		whole := b.download(l).Body.Len()
		if c.fault != "" {
			b.MustArm(faults.Download, c.fault, 1)
		}
		uri := l.Download_URL[strings.Index(l.Download_URL, "/v3/"):]
		req, err := http.NewRequest("GET", server.URL+uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", b.Authorize("GET", uri, nil))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != c.status || (err != nil) != c.broken || !c.size(int(n), whole) {
			t.Errorf("%s: %d, %d of %d bytes, %v", c.fault, res.StatusCode, n, whole, err)
		}
	}
}
