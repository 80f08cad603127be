package wechatpay

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// method is one way to pay, with what its prepay takes and answers.
type method struct {
	name      string
	tradeType string // in transactions
	body      schema
	life      time.Duration // of what the answer holds
	answer    func(t *trade.Trade, base string) any
}

var methods = []method{
	{"native", "NATIVE", prepayBody, codeURLLife, func(t *trade.Trade, _ string) any {
		return map[string]string{"code_url": codeURLPrefix + t.Token}
	}},
	{"jsapi", "JSAPI", with(prepayBody, schema{
		"payer": required(object(schema{"openid": required(text(128))})),
	}), prepayIDLife, answerPrepayID},
	{"app", "APP", prepayBody, prepayIDLife, answerPrepayID},
	{"h5", "MWEB", with(prepayBody, schema{"scene_info": required(object(with(sceneInfo, schema{
		"payer_client_ip": required(text(45)),
		"h5_info": required(object(schema{
			"type": required(text(32)), "app_name": text(64), "app_url": text(128), "bundle_id": text(128), "package_name": text(128),
		})),
	})))}), h5URLLife, func(t *trade.Trade, base string) any {
		// It has a query already: merchants append "&redirect_url=…".
		return map[string]string{"h5_url": base + "/pay/" + t.Token + "?prepay_id=" + details(t).prepayID}
	}},
}

// codeURLPrefix begins every code_url; the token of the phone page follows.
const codeURLPrefix = "weixin://wxpay/bizpayurl?pr="

func answerPrepayID(t *trade.Trade, _ string) any {
	return map[string]string{"prepay_id": details(t).prepayID}
}

var sceneInfo = schema{
	"payer_client_ip": text(45), "device_id": text(32),
	"store_info": object(schema{"id": required(text(32)), "name": text(256), "area_code": text(32), "address": text(512)}),
}

// prepayBody is what all methods have in common.
var prepayBody = schema{
	"appid": required(text(32)), "mchid": required(text(32)),
	"description": required(text(127)), "out_trade_no": required(text(32)),
	"time_expire": text(64), "attach": text(128), "notify_url": required(text(255)), "goods_tag": text(32),
	"limit_pay": {kind: aListOfTexts}, "support_fapiao": {kind: aBoolean},
	"amount": required(object(schema{"total": required(rule{kind: anInteger}), "currency": text(16)})),
	"detail": object(schema{
		"cost_price": {kind: anInteger}, "invoice_id": text(32),
		"goods_detail": listOf(schema{
			"merchant_goods_id": required(text(32)), "wechatpay_goods_id": text(32), "goods_name": text(256),
			"quantity": required(rule{kind: anInteger}), "unit_price": required(rule{kind: anInteger}),
		}),
	}),
	"scene_info":  object(with(sceneInfo, schema{"payer_client_ip": required(text(45))})),
	"settle_info": object(schema{"profit_sharing": {kind: aBoolean}}),
}

// prepayRequest is a checked prepay.
type prepayRequest struct {
	appID, mchID, no, description, notifyURL, attach, openID string
	total                                                    int64
	expires                                                  time.Time
	fingerprint                                              [32]byte
}

var (
	outTradeNoShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)
	timeShape       = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
)

// parsePrepay reads and checks a body of the method, as far as it can be
// checked without a clock.
func parsePrepay(m method, body []byte, strictHTTPS bool) (prepayRequest, *refusal) {
	var p prepayRequest
	got, no := m.body.parse(body)
	if no != nil {
		return p, no
	}
	p.appID, p.mchID, p.no = str(got, "appid"), str(got, "mchid"), str(got, "out_trade_no")
	p.description, p.notifyURL, p.attach = str(got, "description"), str(got, "notify_url"), str(got, "attach")
	if payer, ok := got["payer"].(map[string]any); ok {
		p.openID = str(payer, "openid")
	}
	if !outTradeNoShape.MatchString(p.no) {
		return p, paramError("body", "/out_trade_no", "must be 6 to 32 characters of 0-9 A-Z a-z _ - | *")
	}
	amount := got["amount"].(map[string]any) // required by the schema
	total, _ := amount["total"].(json.Number)
	p.total, _ = strconv.ParseInt(total.String(), 10, 64)
	if p.total < 1 {
		return p, paramError("body", "/amount/total", "must be at least 1")
	}
	if c, has := amount["currency"]; has && c != "CNY" {
		return p, paramError("body", "/amount/currency", "must be CNY")
	}
	if issue := wire.NotifyURLIssue(p.notifyURL, strictHTTPS); issue != "" {
		return p, paramError("body", "/notify_url", issue)
	}
	if s, has := got["time_expire"].(string); has {
		at, err := time.Parse(timeExpireLayout, s)
		if err != nil || !timeShape.MatchString(s) {
			return p, paramError("body", "/time_expire", "must be like 2006-01-02T15:04:05+08:00")
		}
		p.expires = at
	}
	// Re-encoding sorts the names: the order of members and the blanks
	// between them are no difference, everything else is.
	canonical, err := json.Marshal([]any{m.name, got})
	if err != nil {
		return p, paramError("body", "/", err.Error())
	}
	p.fingerprint = sha256.Sum256(canonical)
	return p, nil
}

// prepay opens a trade, or answers again for one that is open.
func (w *Emulator) prepay(m method) operation {
	return func(r *http.Request, body []byte) (any, *refusal) {
		p, no := parsePrepay(m, body, w.StrictHTTPS)
		if no != nil {
			return nil, no
		}
		if p.appID != w.Keys().AppID || p.mchID != w.Keys().MchID {
			return nil, &refuseAppID
		}
		w.Book.Lock()
		defer w.Book.Unlock()
		now := w.Book.Now()
		t := w.Book.ByNo(w, p.no)
		if t == nil {
			if !p.expires.IsZero() && p.expires.Before(now.Add(minExpiryAhead)) {
				return nil, paramError("body", "/time_expire", "must be at least 1 minute ahead")
			}
			t = w.open(m, p, now)
		}
		switch state := t.State(now); {
		case state == trade.Paid:
			return nil, &refusePaid
		case state == trade.Closed || state == trade.Expired:
			return nil, &refuseClosed
		case t.Fingerprint != p.fingerprint:
			return nil, &refuseUsed
		}
		t.LinkUntil = now.Add(m.life)
		return m.answer(t, w.Base(r, "/v3/")), nil
	}
}

// open makes the trade and keeps it. The book's lock is held.
func (w *Emulator) open(m method, p prepayRequest, now time.Time) *trade.Trade {
	d := &tradeDetails{openID: p.openID, attach: p.attach}
	t := &trade.Trade{
		Protocol: w, No: p.no, Method: m.name, Amount: p.total, Description: p.description, NotifyURL: p.notifyURL,
		Fingerprint: p.fingerprint, Created: now, Expires: p.expires, Details: d,
	}
	w.Book.Add(t)
	// A prepay_id ends in the token, so that the phone page is found by it.
	d.prepayID = "wx" + now.In(trade.China).Format("20060102150405") + t.Token
	if d.openID == "" {
		d.openID = "oSandbox" + t.Token
	}
	return t
}
