// Package sandbox is a payment gateway to develop and test against: it speaks
// a payment channel's own wire protocol, with real signatures and real
// encryption, so that a shop's code runs unchanged but for the base URL.
//
// WeChat Pay API v3 (direct merchant) is in the files named wechat*.go, the v2
// gateway of Alipay's open platform (public-key mode) in alipay*.go. The rest
// is neutral and knows no protocol: trades and their states (trade.go),
// refunds (refund.go), the movements of money that bills are made of
// (ledger.go), deliveries of callbacks (delivery.go), faults on demand
// (fault.go) and by chance (chaos.go), the clock (clock.go), the buyer's phone
// page (page.go) and the control API with its pages (control.go,
// control_more.go). A protocol implements the protocol interface and adds its
// routes.
//
// It promises:
//
//   - A request is judged by its raw bytes: the signature covers the path and
//     query as they came, without the prefix under which the gateway is
//     mounted, and the body before any parsing.
//   - Every 2xx answer is signed, an empty one too, with the key that the
//     request names, but for the bills themselves, whose hash was told before.
//     Errors are not signed, and prove nothing about money. At
//     Alipay the answers of the business are signed, failures (40004) too, and
//     those of the gateway itself are not.
//   - A trade is paid at most once, and never after it was closed or has
//     expired, unless a fault that says otherwise is armed.
//   - A payment is told by callback at once and, until the shop answers 200
//     or 204, again on the documented schedule; each try carries the same id
//     and resource under a fresh timestamp, nonce and signature. Alipay wants
//     the text "success" instead, and nothing around it.
//   - At Alipay no trade exists before the buyer has opened it: what nobody
//     scanned can neither be queried nor closed, and can still be paid.
//   - A refund is accepted, succeeds Options.RefundDelay later (at Alipay
//     within the call), and is told of in the same way, unless a fault decides
//     otherwise. The same number with
//     the same parameters is the same refund, with others it is refused; the
//     refunds of a payment never exceed it.
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
// oldest of all when none is finished. It delivers to any notify_url, of
// whatever host: keep it on a loopback or a private network. The control API
// and the pages have no log-in for the same reason. It does not imitate quotas,
// risk control, merchant set-up, partners or shares of a payment, and it does
// not insist on the Accept, Content-Type and User-Agent of requests.
//
// The merchant's account begins at nothing, is never too low for a refund
// unless a fault says so, and may fall below zero. Coupons are the platform's
// alone. Refunds appear in the bill of the day on which they succeeded, never
// as processing. A trade that makes room takes its refunds and its rows of the
// bill along, so that MaxTrades must cover the days that are to be reconciled.
//
// What it costs, on one core: an RSA-2048 signature most of a millisecond, so
// that about a thousand calls a second are answered. A movement holds 300
// bytes beside its trade. A WeChat bill of a million rows takes a second to
// ask for, since the hash must be told before the file exists, 40 ms of it
// with everybody else waiting, and two thirds of a second to download, 2.4 s
// packed; it is written row by row, and a link holds 8 bytes a row for five
// minutes. A huge answer and a bomb are made of small pieces and cost no
// memory here.
//
// What the protocols' documents leave open is decided in one table each,
// wechat_facts.go and alipay_facts.go. Of Alipay's bills there is that of
// trades alone; amounts are in yuan, and calculated in fen.
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
//   - Alipay's app.pay: POST /sandbox/alipay/app {"orderString"}, or AlipayApp,
//     plays the wallet that opens the order.
//
// A program sends POST /sandbox/trades/{out_trade_no}/pay, or calls Pay; to
// open a trade and not pay it, …/scan or Scan. A number that both protocols
// know is WeChat's, unless it is led by the channel: "alipay:NO1". The
// trades, their refunds, callbacks and buttons for what may happen to them are
// at GET /sandbox/.
//
// # Going wrong
//
// Arm makes the next operations of a kind go wrong, ArmOn those of one trade;
// POST /sandbox/faults {"op", "fault", "count", "delay", "outTradeNo"} does the
// same, GET /sandbox/faults says what there is, and GET /sandbox/arm is the
// page for people. Chaos, or POST /sandbox/chaos {"seed", "rate", "faults"},
// strikes by chance, the same again for the same seed and the same sequence of
// operations. POST /sandbox/refunds/{no}/succeed, /abnormal and /close end a
// refund, POST /sandbox/certificates {"notice":"24h"} rotates the platform
// certificate, and GET /sandbox/bills?date=&kind= shows the bill of a day as it
// stands.
package sandbox
