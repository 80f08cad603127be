// Package sandbox is a payment gateway to develop and test against: it speaks
// the wire protocols of payment channels, with real signatures and real
// encryption, so that a shop's code runs unchanged but for the base URL.
//
// This package wires the gateway: its HTTP paths, the delivery of callbacks,
// the buyer's phone page, the control API with its pages, and the keys. Below
// it, each package knows only those under it:
//
//	wechatpay  WeChat Pay API v3 (direct merchant)
//	alipay     the v2 gateway of Alipay's open platform (public-key mode)
//	wire       what both protocols do alike on the wire
//	trade      trades, payments, refunds, bills' movements, notices: no protocol
//	faults     what can be made to go wrong, on demand and by chance
//
// It promises:
//
//   - A request is judged by its raw bytes: the signature covers the path and
//     query as they came, without the prefix under which the gateway is
//     mounted, and the body before any parsing.
//   - A trade is paid at most once, and never after it was closed or has
//     expired, unless an armed fault allows it.
//   - A payment is reported by callback at once and, until the shop accepts
//     it, again on the documented schedule. Each try carries the same content
//     under a fresh signature. WeChat Pay accepts the status 200 or 204, Alipay
//     the text "success" with nothing around it.
//   - A refund is accepted, succeeds Options.RefundDelay later (at Alipay
//     within the call), and is reported in the same way, unless a fault decides
//     otherwise. The same number with the same parameters is the same refund,
//     with others it is refused; the refunds of a payment never exceed it.
//   - Every payment and every refund that succeeded is in the bill of its day,
//     in China, once, with its fee.
//   - A new platform certificate is listed at once and signs a day later; the
//     old ones go on verifying.
//   - Time is Options.Clock; only the timeout of Options.Client is real. When
//     that clock jumps, what became due meanwhile is sent in the order in
//     which it became due: by DeliverDue one after another, by Run handed in
//     that order to a few workers.
//
// And it has limits. Everything is in memory and gone with the process. It
// keeps Options.MaxTrades trades; the oldest finished one makes room, or the
// oldest of all when none is finished, and takes its refunds and its rows of
// the bill along: MaxTrades must cover the days that are to be reconciled. It
// delivers to any notify_url, of whatever host, and the control API and the
// pages have no log-in: keep it on a loopback or a private network. It does not
// imitate quotas, risk control, merchant set-up, partners or shares of a
// payment, and it does not insist on the Accept, Content-Type and User-Agent of
// requests. The merchant's account begins at nothing, is never too low for a
// refund unless a fault makes it so, and may fall below zero. Coupons are the
// platform's alone.
//
// What it costs, on one core: an RSA-2048 signature most of a millisecond, so
// that about a thousand calls a second are answered. A movement holds 300
// bytes beside its trade. A request for a WeChat bill of a million rows takes a
// second, since the hash is answered before the file exists, 40 ms of it with
// everybody else waiting, and its download two thirds of a second, 2.4 s
// packed; it is written row by row, and a link holds 8 bytes a row for five
// minutes. A huge answer and a ZIP bomb are made of small pieces and take no
// memory here.
//
// # Paying
//
// In the real world a buyer scans a code or taps a button within the wallet.
// Here a person opens the phone page:
//
//   - native: GET /sandbox/scan?code_url=<the code_url> leads to it;
//   - h5: the h5_url is the page; it returns to redirect_url afterwards;
//   - jsapi, app: GET /sandbox/scan?prepay_id=<the prepay_id>;
//   - Alipay's precreate: GET /sandbox/scan?code=<the qr_code>;
//   - Alipay's page.pay and wap.pay: the signed URL or form leads to it, and
//     it returns to return_url with signed parameters afterwards;
//   - Alipay's app.pay: POST /sandbox/alipay/app {"orderString"}, or
//     Alipay().OpenApp, plays the wallet that opens the order.
//
// A program sends POST /sandbox/trades/{out_trade_no}/pay, or calls Pay; to
// open a trade and not pay it, …/scan or Scan. A number that both protocols
// know is WeChat Pay's, unless it is prefixed by the channel: "alipay:NO1". The
// trades, their refunds, callbacks and buttons for what may happen to them are
// at GET /sandbox/.
//
// # Going wrong
//
// Arm makes the next operations of a kind go wrong, ArmOn those of one trade;
// POST /sandbox/faults {"op", "fault", "count", "delay", "outTradeNo"} does the
// same, GET /sandbox/faults lists the faults, and GET /sandbox/arm is the page
// for people. Chaos, or POST /sandbox/chaos {"seed", "rate", "faults"}, chooses
// by chance, the same again for the same seed and the same sequence of
// operations. POST /sandbox/refunds/{no}/succeed, /abnormal and /close end a
// refund, POST /sandbox/certificates {"notice":"24h"} rotates the platform
// certificate, and GET /sandbox/bills?date=&kind= shows the bill of a day as it
// stands.
package sandbox
