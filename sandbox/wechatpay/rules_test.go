package wechatpay_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// One rule, one line: what is changed in a good prepay, and the answer.
func TestPrepayRules(t *testing.T) {
	type object = map[string]any
	set := func(path string, v any) func(object) {
		return func(o object) {
			names := strings.Split(path, ".")
			for _, name := range names[:len(names)-1] {
				if _, has := o[name]; !has {
					o[name] = object{}
				}
				o = o[name].(object)
			}
			if last := names[len(names)-1]; v == nil {
				delete(o, last)
			} else {
				o[last] = v
			}
		}
	}
	both := func(fs ...func(object)) func(object) {
		return func(o object) {
			for _, f := range fs {
				f(o)
			}
		}
	}
	b := newBench(t)
	in := func(d time.Duration) string { return b.Now().Add(d).Format(time.RFC3339) }
	long := func(n int) string { return strings.Repeat("长", n) }
	h5 := set("scene_info", object{"payer_client_ip": "10.0.0.1", "h5_info": object{"type": "Wap"}})

	for _, c := range []struct {
		what, method string
		change       func(object)
		want, field  string
	}{
		{"as it should be", "native", set("attach", "x"), "200", ""},
		{"no attach", "native", set("attach", nil), "200", ""},
		{"no currency", "native", set("amount.currency", nil), "200", ""},
		{"plain http", "native", set("notify_url", "http://127.0.0.1:8080/n"), "200", ""},
		{"one fen", "native", set("amount.total", 1), "200", ""},
		{"description of 127", "native", set("description", long(127)), "200", ""},
		{"attach of 128", "native", set("attach", long(128)), "200", ""},
		{"number of 6 odd characters", "native", set("out_trade_no", "A_-|*9"), "200", ""},
		{"number of 32", "native", set("out_trade_no", strings.Repeat("9", 32)), "200", ""},
		{"expires in a minute", "native", set("time_expire", in(61*time.Second)), "200", ""},
		{"expires in UTC", "native", set("time_expire", b.Now().UTC().Add(time.Hour).Format(time.RFC3339)), "200", ""},
		{"jsapi with openid", "jsapi", set("payer.openid", "o1"), "200", ""},
		{"h5 with scene", "h5", h5, "200", ""},
		{"app", "app", set("attach", "x"), "200", ""},
		{"every other member", "native", both(set("goods_tag", "g"), set("limit_pay", []string{"x"}), set("support_fapiao", true), set("settle_info.profit_sharing", true),
			set("detail", object{"cost_price": 1, "invoice_id": "1", "goods_detail": []object{{"merchant_goods_id": "1", "quantity": 1, "unit_price": 1}}}),
			set("scene_info", object{"payer_client_ip": "::1", "device_id": "d", "store_info": object{"id": "1"}})), "200", ""},

		{"unknown member", "native", set("sub_mchid", "1"), "400 PARAM_ERROR", "/sub_mchid"},
		{"another's case", "native", set("AppId", "1"), "400 PARAM_ERROR", "/AppId"},
		{"unknown member within", "native", set("amount.fee", 1), "400 PARAM_ERROR", "/amount/fee"},
		{"unknown member within a list", "native", set("detail.goods_detail", []object{{"merchant_goods_id": "1", "quantity": 1, "unit_price": 1, "x": 1}}), "400 PARAM_ERROR", "/detail/goods_detail/0/x"},
		{"payer is for jsapi", "native", set("payer.openid", "o1"), "400 PARAM_ERROR", "/payer"},
		{"no appid", "native", set("appid", nil), "400 PARAM_ERROR", "/appid"},
		{"no mchid", "native", set("mchid", nil), "400 PARAM_ERROR", "/mchid"},
		{"another appid", "native", set("appid", "wx0000000000000000"), "400 APPID_MCHID_NOT_MATCH", ""},
		{"another mchid", "native", set("mchid", "1900000001"), "400 APPID_MCHID_NOT_MATCH", ""},
		{"no number", "native", set("out_trade_no", nil), "400 PARAM_ERROR", "/out_trade_no"},
		{"number of 5", "native", set("out_trade_no", "12345"), "400 PARAM_ERROR", "/out_trade_no"},
		{"number of 33", "native", set("out_trade_no", strings.Repeat("9", 33)), "400 PARAM_ERROR", "/out_trade_no"},
		{"number with a dot", "native", set("out_trade_no", "ORDER.1"), "400 PARAM_ERROR", "/out_trade_no"},
		{"number with a newline", "native", set("out_trade_no", "ORDER01\n"), "400 PARAM_ERROR", "/out_trade_no"},
		{"number is a number", "native", set("out_trade_no", 1234567), "400 PARAM_ERROR", "/out_trade_no"},
		{"no description", "native", set("description", nil), "400 PARAM_ERROR", "/description"},
		{"empty description", "native", set("description", ""), "400 PARAM_ERROR", "/description"},
		{"description of 128", "native", set("description", long(128)), "400 PARAM_ERROR", "/description"},
		{"attach of 129", "native", set("attach", long(129)), "400 PARAM_ERROR", "/attach"},
		{"no amount", "native", set("amount", nil), "400 PARAM_ERROR", "/amount"},
		{"no total", "native", set("amount.total", nil), "400 PARAM_ERROR", "/amount/total"},
		{"total of nothing", "native", set("amount.total", 0), "400 PARAM_ERROR", "/amount/total"},
		{"negative total", "native", set("amount.total", -1), "400 PARAM_ERROR", "/amount/total"},
		{"yuan for fen", "native", set("amount.total", 8.88), "400 PARAM_ERROR", "/amount/total"},
		{"total as text", "native", set("amount.total", "888"), "400 PARAM_ERROR", "/amount/total"},
		{"total past int64", "native", set("amount.total", json.Number("9223372036854775808")), "400 PARAM_ERROR", "/amount/total"},
		{"another currency", "native", set("amount.currency", "USD"), "400 PARAM_ERROR", "/amount/currency"},
		{"no notify_url", "native", set("notify_url", nil), "400 PARAM_ERROR", "/notify_url"},
		{"notify_url with a query", "native", set("notify_url", "https://a.test/n?x=1"), "400 PARAM_ERROR", "/notify_url"},
		{"notify_url with an empty query", "native", set("notify_url", "https://a.test/n?"), "400 PARAM_ERROR", "/notify_url"},
		{"notify_url without a host", "native", set("notify_url", "/n"), "400 PARAM_ERROR", "/notify_url"},
		{"notify_url of another scheme", "native", set("notify_url", "ftp://a.test/n"), "400 PARAM_ERROR", "/notify_url"},
		{"notify_url of 256", "native", set("notify_url", "https://a.test/"+strings.Repeat("n", 241)), "400 PARAM_ERROR", "/notify_url"},
		{"expires too soon", "native", set("time_expire", in(59*time.Second)), "400 PARAM_ERROR", "/time_expire"},
		{"expired", "native", set("time_expire", in(-time.Hour)), "400 PARAM_ERROR", "/time_expire"},
		{"expires without an offset", "native", set("time_expire", "2099-01-02T15:04:05"), "400 PARAM_ERROR", "/time_expire"},
		{"expires at a fraction", "native", set("time_expire", "2099-01-02T15:04:05.5+08:00"), "400 PARAM_ERROR", "/time_expire"},
		{"expires on no day", "native", set("time_expire", "2099-02-30T15:04:05+08:00"), "400 PARAM_ERROR", "/time_expire"},
		{"jsapi without payer", "jsapi", set("attach", "x"), "400 PARAM_ERROR", "/payer"},
		{"jsapi without openid", "jsapi", set("payer", object{}), "400 PARAM_ERROR", "/payer/openid"},
		{"jsapi with empty openid", "jsapi", set("payer.openid", ""), "400 PARAM_ERROR", "/payer/openid"},
		{"h5 without scene", "h5", set("attach", "x"), "400 PARAM_ERROR", "/scene_info"},
		{"h5 without address", "h5", set("scene_info.h5_info.type", "Wap"), "400 PARAM_ERROR", "/scene_info/payer_client_ip"},
		{"h5 without type", "h5", both(h5, set("scene_info.h5_info", object{})), "400 PARAM_ERROR", "/scene_info/h5_info/type"},
		{"support_fapiao as text", "native", set("support_fapiao", "true"), "400 PARAM_ERROR", "/support_fapiao"},
		{"limit_pay of numbers", "native", set("limit_pay", []int{1}), "400 PARAM_ERROR", "/limit_pay/0"},
		{"detail as text", "native", set("detail", "x"), "400 PARAM_ERROR", "/detail"},
		{"goods as an object", "native", set("detail.goods_detail", object{}), "400 PARAM_ERROR", "/detail/goods_detail"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := b.in(t)
			o := sandboxtest.Order(rand.Text()[:16])
			c.change(o)
			rec := b.Send("POST", "/v3/pay/transactions/"+c.method, o)
			if got := strings.TrimSpace(sandboxtest.Code(rec)); got != c.want {
				t.Errorf("answer %s, want %s: %s", got, c.want, rec.Body)
			}
			if got := field(rec); got != c.field {
				t.Errorf("field %q, want %q", got, c.field)
			}
		})
	}
}

func field(rec *httptest.ResponseRecorder) string {
	var no struct{ Detail struct{ Field string } }
	_ = json.Unmarshal(rec.Body.Bytes(), &no)
	return no.Detail.Field
}

func TestMalformedBodies(t *testing.T) {
	b := newBench(t)
	good := string(sandboxtest.Encode(t, sandboxtest.Order("MALFORMED1")))
	for what, c := range map[string]struct{ body, want string }{
		"nothing":           {"", "400 PARAM_ERROR"},
		"not JSON":          {"appid=1", "400 PARAM_ERROR"},
		"a list":            {"[]", "400 PARAM_ERROR"},
		"null":              {"null", "400 PARAM_ERROR"},
		"two objects":       {good + good, "400 PARAM_ERROR"},
		"not UTF-8":         {strings.Replace(good, "沙箱", "\xff\xfe", 1), "400 PARAM_ERROR"},
		"just small enough": {good + strings.Repeat(" ", wire.MaxBody-len(good)), "200 "},
		"one byte too many": {good + strings.Repeat(" ", wire.MaxBody-len(good)+1), "413 PARAM_ERROR"},
	} {
		if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/native", c.body)); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

func TestStrictHTTPS(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.StrictHTTPS = true })
	o := sandboxtest.Order("HTTPSONLY1")
	o["notify_url"] = "http://127.0.0.1/n"
	if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/native", o)); got != "400 PARAM_ERROR" {
		t.Error(got)
	}
}

// What a trade's state does to each call: one line per state.
func TestStateRules(t *testing.T) {
	b := newBench(t)
	withExpiry := func(no string) map[string]any {
		o := sandboxtest.Order(no)
		o["time_expire"] = b.Now().Add(10 * time.Minute).In(trade.China).Format(time.RFC3339)
		return o
	}
	bodies := map[string]map[string]any{}
	place := func(no string) {
		bodies[no] = withExpiry(no)
		if rec := b.Send("POST", "/v3/pay/transactions/native", bodies[no]); rec.Code != 200 {
			t.Fatal(rec.Body)
		}
	}
	for _, no := range []string{"is-open", "is-failed", "is-paid", "is-closed", "is-failed-paid"} {
		place(no)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	closing := func(no string) string {
		return sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/out-trade-no/"+no+"/close", map[string]any{"mchid": b.Keys.MchID}))
	}
	must(b.Fail("is-failed"))
	must(b.Pay("is-paid"))
	must(b.Fail("is-failed-paid"))
	must(b.Pay("is-failed-paid"))
	if got := closing("is-closed"); got != "204 " {
		t.Fatal(got)
	}

	for _, c := range []struct{ no, queried, same, changed, pay string }{
		{"is-open", "NOTPAY", "200 ", "403 OUT_TRADE_NO_USED", ""},
		{"is-failed", "PAYERROR", "200 ", "403 OUT_TRADE_NO_USED", ""},
		{"is-paid", "SUCCESS", "400 ORDERPAID", "400 ORDERPAID", trade.ErrPaid.Error()},
		{"is-failed-paid", "SUCCESS", "400 ORDERPAID", "400 ORDERPAID", trade.ErrPaid.Error()},
		{"is-closed", "CLOSED", "400 ORDER_CLOSED", "400 ORDER_CLOSED", trade.ErrClosed.Error()},
	} {
		if got := b.Query(c.no).TradeState; got != c.queried {
			t.Errorf("%s: query says %s, want %s", c.no, got, c.queried)
		}
		if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/native", bodies[c.no])); got != c.same {
			t.Errorf("%s: the same prepay: %s, want %s", c.no, got, c.same)
		}
		changed := withExpiry(c.no)
		changed["amount"] = map[string]any{"total": 889, "currency": "CNY"}
		if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/native", changed)); got != c.changed {
			t.Errorf("%s: a changed prepay: %s, want %s", c.no, got, c.changed)
		}
		if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/app", bodies[c.no])); got != c.changed {
			t.Errorf("%s: a prepay of another method: %s, want %s", c.no, got, c.changed)
		}
		if err := b.Pay(c.no); err != nil && err.Error() != c.pay || err == nil && c.pay != "" {
			t.Errorf("%s: pay: %v, want %q", c.no, err, c.pay)
		}
	}

	// To the last moment of time_expire, and past it.
	place("is-timed")
	until, err := time.Parse(time.RFC3339, bodies["is-timed"]["time_expire"].(string))
	must(err)
	b.Clock.Advance(until.Sub(b.Now()))
	if got := b.Query("is-timed").TradeState; got != "NOTPAY" {
		t.Errorf("in its last moment: %s", got)
	}
	b.Clock.Advance(time.Nanosecond)
	if got := b.Query("is-timed").TradeState; got != wechatpay.ExpiredTradeState {
		t.Errorf("after it: %s", got)
	}
	if err := b.Pay("is-timed"); err != trade.ErrExpired {
		t.Errorf("pay: %v", err)
	}
	if err := b.Fail("is-timed"); err != trade.ErrExpired {
		t.Errorf("fail: %v", err)
	}
	if got := sandboxtest.Code(b.Send("POST", "/v3/pay/transactions/native", bodies["is-timed"])); got != "400 ORDER_CLOSED" {
		t.Errorf("the same prepay: %s", got)
	}
	for _, c := range []struct{ no, want string }{
		{"is-timed", "204 "}, {"is-closed", "204 "}, {"is-paid", "400 ORDERPAID"}, {"is-nowhere", "404 ORDER_NOT_EXIST"},
	} {
		if got := closing(c.no); got != c.want {
			t.Errorf("close of %s: %s, want %s", c.no, got, c.want)
		}
	}
	if err := b.Fail("is-paid"); err != trade.ErrPaid {
		t.Errorf("fail of a paid trade: %v", err)
	}
	if err := b.Fail("is-closed"); err != trade.ErrClosed {
		t.Errorf("fail of a closed trade: %v", err)
	}
	if err := b.Pay("is-nowhere"); err != trade.ErrNoTrade {
		t.Errorf("pay of no trade: %v", err)
	}
}

func TestQueryAndCloseRules(t *testing.T) {
	b := newBench(t)
	b.Paid("QUERIED1")
	id := b.Query("QUERIED1").TransactionID
	no, byID, mine := "/v3/pay/transactions/out-trade-no/", "/v3/pay/transactions/id/", "?mchid="+b.Keys.MchID
	for _, c := range []struct{ method, uri, body, want string }{
		{"GET", no + "QUERIED1" + mine, "", "200 "},
		{"GET", byID + id + mine, "", "200 "},
		{"GET", no + "QUERIED1", "", "400 PARAM_ERROR"},
		{"GET", byID + id, "", "400 PARAM_ERROR"},
		{"GET", no + "QUERIED1?mchid=%zz", "", "400 PARAM_ERROR"},
		{"GET", no + "QUERIED1?mchid=1", "", "400 MCH_NOT_EXISTS"},
		{"GET", no + "QUERIED2" + mine, "", "404 ORDER_NOT_EXIST"},
		{"GET", byID + "4200000000000" + mine, "", "404 ORDER_NOT_EXIST"},
		{"GET", "/v3/nothing", "", "404 RESOURCE_NOT_EXISTS"},
		{"GET", "/v3/pay/transactions/native", "", "404 RESOURCE_NOT_EXISTS"},
		{"POST", no + "QUERIED1/close", `{}`, "400 PARAM_ERROR"},
		{"POST", no + "QUERIED1/close", `{"mchid":"1"}`, "400 MCH_NOT_EXISTS"},
		{"POST", no + "QUERIED1/close", `{"mchid":"1","x":1}`, "400 PARAM_ERROR"},
		{"POST", no + "QUERIED1/close", ``, "400 PARAM_ERROR"},
	} {
		if got := sandboxtest.Code(b.Send(c.method, c.uri, c.body)); got != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.method, c.uri, c.body, got, c.want)
		}
	}
}

// Before payment a query answers no more than this; afterwards everything.
func TestWhatAQueryTells(t *testing.T) {
	b := newBench(t)
	b.Place("TELLING1")
	members := func() string {
		rec := b.Send("GET", "/v3/pay/transactions/out-trade-no/TELLING1?mchid="+b.Keys.MchID, nil)
		var got map[string]any
		_ = json.Unmarshal(rec.Body.Bytes(), &got)
		return strings.Join(wire.SortedNames(got), " ")
	}
	if got, want := members(), "amount appid mchid out_trade_no trade_state trade_state_desc"; got != want {
		t.Errorf("before payment: %s", got)
	}
	if err := b.Pay("TELLING1"); err != nil {
		t.Fatal(err)
	}
	if got, want := members(), "amount appid attach bank_type mchid out_trade_no payer success_time trade_state trade_state_desc trade_type transaction_id"; got != want {
		t.Errorf("after payment: %s", got)
	}
	if tx := b.Query("TELLING1"); !strings.HasSuffix(tx.SuccessTime, "+08:00") || len(tx.TransactionID) != 28 || tx.Amount.PayerTotal != 888 {
		t.Errorf("%+v", tx)
	}
}
