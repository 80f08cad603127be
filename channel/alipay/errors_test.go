package alipay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// errAnyRejection says that a row wants a *payment.RejectedError.
var errAnyRejection = errors.New("a RejectedError")

// is compares an error with what a row wants, and with nothing else.
func is(err, want error) bool {
	var r *payment.RejectedError
	if want == errAnyRejection {
		return errors.As(err, &r) && !errors.Is(err, payment.ErrUnknown)
	}
	return errors.Is(err, want) && !errors.As(err, &r) && (want == payment.ErrUnknown || !errors.Is(err, payment.ErrUnknown))
}

// calls are all that ask the gateway.
var calls = []string{"precreate", "query", "close", "refund", "refund query", "bill"}

// makeCall makes one of the calls.
func makeCall(ctx context.Context, c *Channel, call string) error {
	var err error
	switch call {
	case "query":
		_, err = c.Query(ctx, "PAY00000001")
	case "close":
		err = c.Close(ctx, "PAY00000001")
	case "refund":
		_, err = c.Refund(ctx, refundRequest())
	case "refund query":
		_, err = c.QueryRefund(ctx, refundRequest())
	case "bill":
		_, err = c.Bill(ctx, payment.Day{Year: 2026, Month: 11, Date: 20}, func(payment.BillRow) error { return nil })
	default:
		_, err = c.Prepay(ctx, prepayRequest(payment.Precreate))
	}
	return err
}

// TestRefusals goes through the codes. A refund that is refused is looked for;
// in this table a query knows of none.
func TestRefusals(t *testing.T) {
	unknown, busy, paid, shut, none := payment.ErrUnknown, payment.ErrBusy, payment.ErrPaid, payment.ErrClosed, payment.ErrNotExist
	var next string
	g := newGateway(t, func(r seen) answer {
		if r.Biz["out_request_no"] != nil && r.Biz["refund_amount"] == nil && strings.Contains(next, `"aim":"refund"`) {
			return answer{node: okNode}
		}
		return answer{node: next}
	})
	c := g.channel(t, Options{})
	all := func(err error) [6]error { return [6]error{err, err, err, err, err, err} }
	for _, row := range []struct {
		code, sub string
		want      [6]error // of calls
	}{
		{"20000", "isp.unknow-error", all(unknown)},
		{"20000", "aop.unknow-error", all(unknown)},
		{"20000", "", all(unknown)},
		{"20001", "aop.invalid-auth-token", all(errAnyRejection)},
		{"40001", "isv.missing-signature", all(errAnyRejection)},
		{"40002", "isv.invalid-signature", all(errAnyRejection)},
		{"40002", "isv.invalid-app-id", all(errAnyRejection)},
		{"40002", "", all(errAnyRejection)},
		{"40006", "isv.insufficient-isv-permissions", all(errAnyRejection)},
		{"40005", "isv.app-call-limited", all(busy)},
		{"40005", "", all(busy)},
		{"10003", "", all(unknown)},
		{"", "", all(unknown)},
		{"99999", "ACQ.INVALID_PARAMETER", all(unknown)},
		{"40004", "", all(unknown)},
		{"40004", "ACQ.SYSTEM_ERROR", all(unknown)},
		{"40004", "AQC.SYSTEM_ERROR", all(unknown)},
		{"40004", "aop.ACQ.SYSTEM_ERROR", all(unknown)},
		{"40004", "isp.unknow-error", all(unknown)},
		{"40004", "ACQ.INVALID_PARAMETER", all(errAnyRejection)},
		{"40004", "ACQ.ACCESS_FORBIDDEN", all(errAnyRejection)},
		{"40004", "ACQ.TOTAL_FEE_EXCEED", all(errAnyRejection)},
		{"40004", "ACQ.PARTNER_ERROR", all(errAnyRejection)},
		{"40004", "ACQ.A_CODE_OF_TOMORROW", all(errAnyRejection)},
		{"40004", "ACQ.CONTEXT_INCONSISTENT", all(unknown)},
		{"40004", "ACQ.TRADE_HAS_SUCCESS", [6]error{paid, unknown, unknown, unknown, unknown, unknown}},
		{"40004", "ACQ.TRADE_HAS_CLOSE", [6]error{shut, unknown, unknown, unknown, unknown, unknown}},
		{"40004", "ACQ.TRADE_NOT_EXIST", [6]error{unknown, none, none, errAnyRejection, none, unknown}},
		{"40004", "ACQ.TRADE_STATUS_ERROR", all(unknown)},
		{"40004", "ACQ.REASON_TRADE_STATUS_INVALID", all(unknown)},
		{"40004", "ACQ.REASON_ILLEGAL_STATUS", all(unknown)},
		{"40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", [6]error{unknown, unknown, unknown, payment.ErrShort, unknown, unknown}},
		{"40004", "ACQ.DISCORDANT_REPEAT_REQUEST", all(errAnyRejection)},
		{"40004", "ACQ.TRADE_HAS_FINISHED", all(errAnyRejection)},
		{"40004", "ACQ.TRADE_NOT_ALLOW_REFUND", all(errAnyRejection)},
		{"40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR", all(errAnyRejection)},
		{"40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", all(errAnyRejection)},
		{"40004", "isp.bill_not_exist", [6]error{unknown, unknown, unknown, unknown, unknown, payment.ErrNoBill}},
		{"40004", "BILL_NOT_EXIST", [6]error{unknown, unknown, unknown, unknown, unknown, payment.ErrNoBill}},
		{"40004", "isp.invalid_arguments", all(unknown)},
	} {
		t.Run(row.code+" "+row.sub, func(t *testing.T) {
			for i, call := range calls {
				next = no(row.code, row.sub)
				if call == "refund" {
					next = strings.Replace(next, "{", `{"aim":"refund",`, 1)
				}
				err := makeCall(t.Context(), c, call)
				if !is(err, row.want[i]) {
					t.Errorf("%s: got %v, want %v", call, err, row.want[i])
				}
				var r *payment.RejectedError
				if errors.As(err, &r) && row.sub != "ACQ.TRADE_NOT_EXIST" &&
					(r.Code != row.sub && (row.sub != "" || r.Code != row.code) || r.Message != "说明") {
					t.Errorf("%s: not the channel's words: %+v", call, r)
				}
			}
		})
	}
}

// TestAnswersThatProveNothing spoils the answers of every call.
func TestAnswersThatProveNothing(t *testing.T) {
	good := map[string]string{
		"precreate": precreated, "query": paidNode, "close": closedNode, "refund": refundNode, "refund query": refundMadeNode,
		"bill": `{"code":"10000","msg":"Success","bill_download_url":"https://dwbillcenter.alipay.com/x"}`,
	}
	other := rsa2(testKey(t, "attacker"), precreated)
	for _, row := range []struct {
		name  string
		spoil func(*answer)
		want  error
	}{
		{"unsigned", func(a *answer) { a.sign = "-" }, payment.ErrUnknown},
		{"with an empty sign", func(a *answer) { a.sign = `" "` }, payment.ErrUnknown},
		{"with the sign of another", func(a *answer) { a.sign = other }, payment.ErrUnknown},
		{"with a sign that is no base64", func(a *answer) { a.sign = "!" }, payment.ErrUnknown},
		{"of another call", func(a *answer) { a.name = "alipay_trade_pay_response" }, payment.ErrUnknown},
		{"under error_response", func(a *answer) { a.name = "error_response" }, payment.ErrUnknown},
		{"empty", func(a *answer) { a.raw = " " }, payment.ErrUnknown},
		{"a page", func(a *answer) { a.raw = "<html>502</html>" }, payment.ErrUnknown},
		{"a list", func(a *answer) { a.raw = "[]" }, payment.ErrUnknown},
		{"null", func(a *answer) { a.raw = "null" }, payment.ErrUnknown},
		{"a node that is none", func(a *answer) { a.node = `"10000"` }, payment.ErrUnknown},
		{"a node of a list", func(a *answer) { a.node = `["10000"]` }, payment.ErrUnknown},
		{"a code that is a number", func(a *answer) { a.node = `{"code":10000}` }, payment.ErrUnknown},
		{"deep", func(a *answer) { a.raw = strings.Repeat("[", 100_000) }, payment.ErrUnknown},
		{"long", func(a *answer) { a.node += strings.Repeat(" ", maxAnswer) }, payment.ErrUnknown},
		{"500", func(a *answer) { a.status = 500 }, payment.ErrUnknown},
		{"403", func(a *answer) { a.status = 403 }, payment.ErrUnknown},
		{"201", func(a *answer) { a.status = 201 }, payment.ErrUnknown},
		{"302", func(a *answer) { a.status = 302 }, payment.ErrUnknown},
		{"307", func(a *answer) { a.status = 307 }, payment.ErrUnknown},
		{"429", func(a *answer) { a.status = 429 }, payment.ErrBusy},
		{"busy, unsigned", func(a *answer) { a.raw = `{"error_response":` + no("40005", "isv.app-call-limited") + `}` }, payment.ErrBusy},
		{"no, unsigned", func(a *answer) { a.raw = `{"error_response":` + no("40002", "isv.invalid-app-id") + `}` }, payment.ErrUnknown},
		{"no of the business, unsigned", func(a *answer) { a.node, a.sign = no("40004", "ACQ.TRADE_HAS_CLOSE"), "-" }, payment.ErrUnknown},
		{"busy, wrongly signed", func(a *answer) { a.node, a.sign = no("40005", ""), other }, payment.ErrUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, call := range calls {
				a := answer{node: good[call]}
				g := newGateway(t, func(seen) answer { return a })
				c := g.channel(t, Options{Transport: onlyTo(g.URL)})
				if err := makeCall(t.Context(), c, call); err != nil && call != "bill" {
					t.Fatalf("%s unspoiled: %v", call, err)
				}
				row.spoil(&a)
				err := makeCall(t.Context(), c, call)
				if !is(err, row.want) {
					t.Errorf("%s: got %v, want %v", call, err, row.want)
				}
			}
		})
	}
}

// onlyTo is a transport that reaches one gateway alone.
func onlyTo(gateway string) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(gateway, r.URL.Scheme+"://"+r.URL.Host) {
			return nil, errors.New("nobody is there")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnswersThatSayTooLittle(t *testing.T) {
	for _, row := range []struct{ call, node string }{
		{"precreate", okNode},
		{"precreate", strings.Replace(precreated, "PAY00000001", "PAY00000002", 1)},
		{"precreate", strings.Replace(precreated, `"qr_code":"https`, `"qr_code":["https`, 1)},
		{"query", okNode},
		{"refund", okNode},
		{"refund", strings.Replace(refundNode, "PAY00000001", "PAY00000002", 1)},
		{"refund query", strings.Replace(refundMadeNode, "PAY00000001", "PAY00000002", 1)},
		{"refund query", strings.Replace(refundMadeNode, "REF00000001", "REF00000002", 1)},
		{"refund query", strings.Replace(refundMadeNode, "REFUND_SUCCESS", "REFUND_PERHAPS", 1)},
		{"refund query", strings.Replace(refundMadeNode, `"1.50"`, `"0.00"`, 1)},
		{"refund query", strings.Replace(refundMadeNode, `"1.50"`, `"-1.50"`, 1)},
		{"bill", okNode},
		{"bill", `{"code":"10000","bill_download_url":"ftp://dwbillcenter.alipay.com/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"https://evil.example/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"https://evilalipay.com/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"https://alipay.com.evil.example/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"https://me@dwbillcenter.alipay.com/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"https://dwbillcenter.alipay.com:8443/x"}`},
		{"bill", `{"code":"10000","bill_download_url":"http://[::1"}`},
	} {
		c := newGateway(t, always(row.node)).channel(t, Options{})
		if err := makeCall(t.Context(), c, row.call); !is(err, payment.ErrUnknown) {
			t.Errorf("%s answered %s: %v", row.call, row.node, err)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	g := newGateway(t, func(seen) answer { <-release; return answer{raw: "{}"} })
	defer close(release)
	slow := g.channel(t, Options{Timeout: 30 * time.Millisecond})
	cfg := testConfig(t)
	cfg.GatewayURL = "http://127.0.0.1:1/gateway.do"
	nobody := channelOf(t, cfg, Options{})
	for _, call := range calls {
		if err := makeCall(t.Context(), slow, call); !is(err, payment.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, silence: %v", call, err)
		}
		if err := makeCall(t.Context(), nobody, call); !is(err, payment.ErrUnknown) {
			t.Errorf("%s, nobody there: %v", call, err)
		}
	}
}

// TestErrorsTellNoSecrets looks for what must not be in a log.
func TestErrorsTellNoSecrets(t *testing.T) {
	const secret = "s3cret-of-the-answer"
	for name, a := range map[string]answer{
		"refusal": {status: 500, raw: secret},
		"page":    {raw: "<html>" + secret},
		"spoiled": {node: `{"code":"10000","qr_code":"` + secret + `"}`, sign: secret},
		"not as said": {node: `{"code":"10000","out_trade_no":["` + secret + `"],"refund_status":["` + secret + `"],` +
			`"fund_change":["` + secret + `"],"bill_download_url":["` + secret + `"]}`},
		"a bill elsewhere": {node: `{"code":"10000","bill_download_url":"https://` + secret + `"}`},
	} {
		g := newGateway(t, func(seen) answer { return a })
		for _, call := range calls {
			err := makeCall(t.Context(), g.channel(t, Options{}), call)
			if err == nil && call == "close" {
				continue // it needs no member of the answer
			}
			if err == nil && name == "a bill elsewhere" || errors.Is(err, payment.ErrNotExist) {
				continue
			}
			if err == nil {
				t.Fatalf("%s %s: no error", name, call)
			}
			for _, hidden := range []string{secret, "biz_content", "http://", "sign="} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("%s %s contains %q: %v", name, call, hidden, err)
				}
			}
		}
	}
}

func TestForeignWordsAreCut(t *testing.T) {
	long := strings.Repeat("长", 300)
	node := `{"code":"40004","msg":"no","sub_code":"ACQ.X` + strings.Repeat("Y", 99) + `","sub_msg":"a\nb` + long + `"}`
	var r *payment.RejectedError
	if !errors.As(makeCall(t.Context(), newGateway(t, always(node)).channel(t, Options{}), "close"), &r) {
		t.Fatal("not rejected")
	}
	if want := "a b" + long[:253*3]; r.Message != want || len(r.Code) != 64 {
		t.Errorf("code %q, message %q", r.Code, r.Message)
	}
}
