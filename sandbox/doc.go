// Package sandbox is a payment gateway to develop and test against: it speaks
// a payment channel's own wire protocol, with real signatures and real
// encryption, so that a shop's code runs unchanged but for the base URL.
//
// WeChat Pay API v3 (direct merchant) is in the files named wechat*.go, the v2
// gateway of Alipay's open platform (public-key mode) in alipay*.go. The rest
// is neutral and knows no protocol: trades and their states
// (trade.go), deliveries of callbacks (delivery.go), faults on demand
// (fault.go), the clock (clock.go), the buyer's phone page (page.go) and the
// control API with its page of trades (control.go). A protocol implements the
// protocol interface and adds its routes.
//
// It promises:
//
//   - A request is judged by its raw bytes: the signature covers the path and
//     query as they came, without the prefix under which the gateway is
//     mounted, and the body before any parsing.
//   - Every 2xx answer is signed, an empty one too, with the key that the
//     request names. Errors are not signed, and prove nothing about money. At
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
// risk control, merchant set-up, refunds or bills, and it does not insist on
// the Accept, Content-Type and User-Agent of requests. An RSA-2048 signature costs
// most of a millisecond, so one core answers about a thousand calls a second.
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
// trades, their callbacks and buttons to pay, fail and resend are at
// GET /sandbox/.
package sandbox
