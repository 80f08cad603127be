package alipay

import (
	"bytes"
	"net/http"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/payment"
)

// TestGBK: what Alipay writes in GBK is verified as it came, and decoded.
func TestGBK(t *testing.T) {
	c, key := testChannel(t, Options{}), testKey(t, "alipay_platform")
	for _, row := range []struct{ name, charset, subject, want string }{
		{"in UTF-8", "utf-8", "订单", "订单"},
		{"in GBK", "GBK", inGBK(t, "订单 一个"), "订单 一个"},
		{"in GBK, with backslashes and braces within", "gbk", inGBK(t, "乗俓﨑橽"), "乗俓﨑橽"},
		{"in GB2312", "gb2312", inGBK(t, "茶"), "茶"},
		{"in GB18030", "GB18030", inGBK(t, "𠀀"), "𠀀"},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := c.Read(vectorTime, nil, notification(key, set{"charset": row.charset, "subject": row.subject}))
			if err != nil {
				t.Fatal(err)
			}
			if n.Fact.Kind != payment.Paid || !bytes.Contains(n.Plain, []byte(`"subject":"`+row.want+`"`)) {
				t.Errorf("it reads %s", n.Plain)
			}
			node := `{"code":"10000","out_trade_no":"PAY00000001","subject":"` + row.subject + `","trade_status":"TRADE_SUCCESS"}`
			answer := []byte(`{"alipay_trade_query_response":` + node + `,"sign":"` + rsa2(key, node) + `"}`)
			var out struct {
				Subject string `json:"subject"`
				No      string `json:"out_trade_no"`
			}
			header := http.Header{"Content-Type": {"text/html;charset=" + row.charset}}
			if err := c.open(header.Get("Content-Type"), answer, "alipay.trade.query", &out); err != nil {
				t.Fatal(err)
			}
			if out.Subject != row.want || out.No != "PAY00000001" {
				t.Errorf("it reads %+v", out)
			}
			answer[len(answer)/3] ^= 1
			if err := c.open("", answer, "alipay.trade.query", &out); err == nil {
				t.Error("a changed byte was read")
			}
		})
	}
	if _, err := c.Read(vectorTime, nil, notification(key, set{"charset": "utf-8", "subject": inGBK(t, "订单")})); stageOf(t, err) != payment.StageBody {
		t.Errorf("GBK that says to be UTF-8: %v", err)
	}
}

func inGBK(t *testing.T, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
