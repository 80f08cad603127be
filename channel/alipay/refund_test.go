package alipay

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

func refundFact(by payment.Source, word string) payment.Fact {
	return payment.Fact{
		ID: "refund/REF00000001", Kind: payment.Refunded, Source: by, RefundNo: "REF00000001", Amount: 150, Currency: "CNY",
		Merchant: seller, App: appID, Reported: word, At: time.Date(2026, 11, 22, 14, 59, 55, 0, time.UTC), ReceivedAt: vectorTime.UTC(),
	}
}

// TestRefund shows what a refund comes to, and when it is requested about.
func TestRefund(t *testing.T) {
	repeated := strings.Replace(refundNode, `"fund_change":"Y"`, `"fund_change":"N"`, 1)
	made := refundFact(payment.ByRefund, "REFUND_SUCCESS")
	more := strings.Replace(refundMadeNode, `"1.50"`, `"2.50"`, 1)
	working := strings.Replace(refundMadeNode, "REFUND_SUCCESS", "REFUND_PROCESSING", 1)
	noTrade, busy, system := no("40004", "ACQ.TRADE_NOT_EXIST"), no("40005", ""), no("40004", "ACQ.SYSTEM_ERROR")
	for _, row := range []struct {
		name          string
		refund, query string
		want          payment.Fact
		err           error
	}{
		{"moved money", refundNode, "", refundFact(payment.ByRefund, "fund_change Y"), nil},
		{"repeated", repeated, refundMadeNode, made, nil},
		{"repeated, and the query lags", repeated, okNode, payment.Fact{}, payment.ErrUnknown},
		{"repeated, and the query is busy", repeated, busy, payment.Fact{}, payment.ErrUnknown},
		{"repeated, and it is worked on", repeated, working, payment.Fact{}, payment.ErrUnknown},
		{"fund_change of tomorrow", strings.Replace(refundNode, `"Y"`, `"P"`, 1), refundMadeNode, made, nil},
		{"no fund_change", strings.Replace(refundNode, `"fund_change":"Y",`, ``, 1), okNode, payment.Fact{}, payment.ErrUnknown},
		{"short of money", no("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), "", payment.Fact{}, payment.ErrShort},
		{"nobody knows", system, "", payment.Fact{}, payment.ErrUnknown},
		{"busy", busy, "", payment.Fact{}, payment.ErrBusy},
		{"no such trade", noTrade, "", payment.Fact{}, errAnyRejection},
		{"closed by this very refund", no("40004", "ACQ.TRADE_HAS_CLOSE"), refundMadeNode, made, nil},
		{"closed unpaid", no("40004", "ACQ.TRADE_HAS_CLOSE"), okNode, payment.Fact{}, payment.ErrUnknown},
		{"not paid yet", no("40004", "ACQ.TRADE_STATUS_ERROR"), okNode, payment.Fact{}, payment.ErrUnknown},
		{"finished", no("40004", "ACQ.TRADE_HAS_FINISHED"), okNode, payment.Fact{}, errAnyRejection},
		{"finished, after it was made", no("40004", "ACQ.TRADE_HAS_FINISHED"), refundMadeNode, made, nil},
		{"not allowed", no("40004", "ACQ.TRADE_NOT_ALLOW_REFUND"), okNode, payment.Fact{}, errAnyRejection},
		{"not allowed, and nobody can tell", no("40004", "ACQ.TRADE_NOT_ALLOW_REFUND"), system, payment.Fact{}, payment.ErrUnknown},
		{"not allowed, and it is worked on", no("40004", "ACQ.TRADE_NOT_ALLOW_REFUND"), working, payment.Fact{}, payment.ErrUnknown},
		{"too much", no("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"), okNode, payment.Fact{}, errAnyRejection},
		{"too much, after it was made", no("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"), refundMadeNode, made, nil},
		{"another amount under the number", no("40004", "ACQ.DISCORDANT_REPEAT_REQUEST"), more, payment.Fact{}, errAnyRejection},
		{"other parameters under the number", no("40004", "ACQ.DISCORDANT_REPEAT_REQUEST"), refundMadeNode, payment.Fact{}, errAnyRejection},
		{"other parameters, and nothing there", no("40004", "ACQ.DISCORDANT_REPEAT_REQUEST"), okNode, payment.Fact{}, errAnyRejection},
		{"a bad signature of ours", no("40002", "isv.invalid-signature"), "", payment.Fact{}, errAnyRejection},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGateway(t, func(r seen) answer {
				if r.Method == "alipay.trade.refund" {
					return answer{node: row.refund}
				}
				return answer{node: row.query}
			})
			f, err := g.channel(t, Options{}).Refund(t.Context(), refundRequest())
			if row.err == nil && err != nil || row.err != nil && !is(err, row.err) {
				t.Fatalf("got %v, want %v", err, row.err)
			}
			if diff := cmp.Diff(row.want, f); diff != "" {
				t.Error(diff)
			}
			requested := g.methods()
			if (len(requested) > 1) != (row.query != "") || requested[0] != "refund" {
				t.Errorf("requested %s", requested)
			}
		})
	}
}

// TestRefundSends shows the requests, which a repeat repeats.
func TestRefundSends(t *testing.T) {
	g := newGateway(t, func(r seen) answer {
		if r.Method == "alipay.trade.refund" {
			return answer{node: refundNode}
		}
		return answer{node: refundMadeNode}
	})
	c := g.channel(t, Options{})
	ours := map[string]any{"out_trade_no": "PAY00000001", "out_request_no": "REF00000001"}
	theirs := map[string]any{"trade_no": "2026", "out_request_no": "REF00000001"}
	plus := func(m map[string]any, more ...any) map[string]any {
		out := map[string]any{}
		for k, v := range m {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i].(string)] = more[i+1]
		}
		return out
	}
	known, silent := refundRequest(), refundRequest()
	known.TransactionID = "2026"
	silent.Reason = strings.Repeat("长", 300) + "\xff"
	for _, row := range []struct {
		name      string
		r         payment.RefundRequest
		sent      map[string]any
		requested map[string]any
	}{
		{"by our number", refundRequest(), plus(ours, "refund_amount", "1.50", "refund_reason", "不要了"), ours},
		{"by Alipay's number", known, plus(theirs, "refund_amount", "1.50", "refund_reason", "不要了"), theirs},
		{"with a long reason", silent, plus(ours, "refund_amount", "1.50", "refund_reason", strings.Repeat("长", 256)), ours},
	} {
		for range 2 {
			if _, err := c.Refund(t.Context(), row.r); err != nil {
				t.Fatal(err)
			}
			checkSigned(t, g.last().Params)
			if diff := cmp.Diff(row.sent, bizOf(t, g.last().Params)); diff != "" {
				t.Errorf("%s: %s", row.name, diff)
			}
			got, err := c.QueryRefund(t.Context(), row.r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(refundFact(payment.ByQuery, "REFUND_SUCCESS"), got); diff != "" {
				t.Errorf("%s: %s", row.name, diff)
			}
			checkSigned(t, g.last().Params)
			if diff := cmp.Diff(plus(row.requested, "query_options", []any{"gmt_refund_pay"}), bizOf(t, g.last().Params)); diff != "" {
				t.Errorf("%s: %s", row.name, diff)
			}
		}
	}
}

// TestQueryRefund reads every state.
func TestQueryRefund(t *testing.T) {
	worked := refundFact(payment.ByQuery, "REFUND_PROCESSING")
	worked.ID, worked.Kind = "refund/REF00000001/open", payment.Open
	more := refundFact(payment.ByQuery, "REFUND_SUCCESS")
	more.Amount = 250
	for _, row := range []struct {
		name, node string
		want       payment.Fact
		err        error
	}{
		{"made", refundMadeNode, refundFact(payment.ByQuery, "REFUND_SUCCESS"), nil},
		{"made with another amount", strings.Replace(refundMadeNode, `"1.50"`, `"2.5"`, 1), more, nil},
		{"worked on", strings.Replace(refundMadeNode, "REFUND_SUCCESS", "REFUND_PROCESSING", 1), worked, nil},
		{"never heard of", okNode, payment.Fact{}, payment.ErrNotExist},
		{"of no trade", no("40004", "ACQ.TRADE_NOT_EXIST"), payment.Fact{}, payment.ErrNotExist},
		{"failed", strings.Replace(refundMadeNode, "REFUND_SUCCESS", "REFUND_FAIL", 1), payment.Fact{}, payment.ErrUnknown},
	} {
		got, err := newGateway(t, always(row.node)).channel(t, Options{}).QueryRefund(t.Context(), refundRequest())
		if !errors.Is(err, row.err) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}
