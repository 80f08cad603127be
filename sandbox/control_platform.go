package sandbox

import (
	"errors"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

func (g *Gateway) listCertificates(rw http.ResponseWriter, _ *http.Request) {
	reply(rw, http.StatusOK, map[string]any{"items": g.wechatpay.Certificates()})
}

func (g *Gateway) rotateCertificate(rw http.ResponseWriter, r *http.Request) {
	body := struct {
		Notice string `json:"notice"`
	}{wechatpay.RotationNotice.String()}
	if !read(rw, r, &body) {
		return
	}
	notice, err := time.ParseDuration(body.Notice)
	if err == nil && notice < 0 {
		err = errors.New(`notice must be a duration like "24h"`)
	}
	if err != nil {
		refuse(rw, err)
		return
	}
	if _, err := g.wechatpay.RotateCertificate(notice); err != nil {
		replyError(rw, http.StatusConflict, "conflict", err)
		return
	}
	g.listCertificates(rw, r)
}

func (g *Gateway) activateCertificate(rw http.ResponseWriter, r *http.Request) {
	if _, err := g.wechatpay.ActivateCertificate(); err != nil {
		replyError(rw, http.StatusConflict, "conflict", err)
		return
	}
	g.listCertificates(rw, r)
}

// showBill lets a person look at a day's bill as it stands, without the
// signature and the waiting of the real call. It uses up no faults.
func (g *Gateway) showBill(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	day, err := time.ParseInLocation(trade.DayLayout, query.Get("date"), trade.China)
	if err != nil {
		refuse(rw, errors.New("date must be like 2006-01-02"))
		return
	}
	date := day.Format(trade.DayLayout)
	of := map[string]protocol{"trade": g.wechatpay, "flow": g.wechatpay, "alipay": g.alipay}[query.Get("kind")]
	if of == nil {
		refuse(rw, errors.New("kind must be trade, flow or alipay"))
		return
	}
	g.book.Lock()
	rows := g.book.Movements(of, date)
	g.book.Unlock()
	file, media := "wechatpay-"+date+".csv", "text/csv; charset=utf-8"
	write := func() error { return g.wechatpay.WriteTradeBill(rw, rows) }
	switch query.Get("kind") {
	case "flow":
		file = "wechatpay-flow-" + date + ".csv"
		write = func() error { return g.wechatpay.WriteFlowBill(rw, rows) }
	case "alipay":
		file, media = "alipay-"+date+".zip", "application/zip"
		write = func() error { return g.alipay.WriteBill(rw, day, rows) }
	}
	rw.Header().Set("Content-Type", media)
	rw.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
	rw.Header().Set("Cache-Control", "no-store")
	if err := write(); err != nil {
		// The status has been sent: all that is left is to break off.
		g.options.Log.Debug("sandbox: bill broken off", "error", err)
		panic(http.ErrAbortHandler)
	}
}
