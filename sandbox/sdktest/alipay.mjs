// A merchant's server that uses Alipay's official alipay-sdk against the
// sandbox. The SDK is told the gateway by its option of that name; nothing
// else of it is changed.
import { AlipaySdk } from 'alipay-sdk'
import { Shop, advance, arm, chinaDay, control, pick, run, settings } from './shop.mjs'

const merchant = settings.alipay
const config = {
  appId: merchant.appId,
  privateKey: merchant.appPrivateKey,
  keyType: 'PKCS8',
  alipayPublicKey: merchant.alipayPublicKey,
  gateway: merchant.gatewayUrl,
}
const sdk = new AlipaySdk({ ...config })
const exec = (method, bizContent, more) => sdk.exec(method, { bizContent, ...more }, { validateSign: true })

// judge verifies a callback by both of the SDK's methods. The first decodes
// the values once more, which only does for those without a percent sign.
function judge(headers, body) {
  const form = Object.fromEntries(new URLSearchParams(body))
  const v2 = sdk.checkNotifySignV2({ ...form })
  return { ok: v2, v1: form.subject.includes('%') ? null : sdk.checkNotifySign({ ...form }), form }
}

const shop = await Shop.open(judge, [200, 'success'], [200, 'failure'])

const order = (no, subject = '茶 & <cup>') => ({ out_trade_no: no, total_amount: '8.88', subject })
const precreate = (no, subject) => exec('alipay.trade.precreate', order(no, subject), { notify_url: shop.url })
const query = (no) => exec('alipay.trade.query', { out_trade_no: no })

// refusal is how the SDK reports an answer that it does not accept.
const refusal = (promise) => promise.then(
  () => 'accepted',
  ({ name, message }) => [name, message.split(/[,，:]/)[0]],
)

await run(async (step) => {
  await step('precreate', async () => pick(await precreate('ALI_NODE_1'), 'code', 'outTradeNo', 'qrCode'))
  await step('query before the scan', async () => pick(await query('ALI_NODE_1'), 'code', 'subCode', 'tradeNo'))
  await step('close before the scan', async () =>
    pick(await exec('alipay.trade.close', { out_trade_no: 'ALI_NODE_1' }), 'code', 'subCode'))
  await step('scan', async () => (await control('POST', 'trades/ALI_NODE_1/scan')).state)
  await step('query after the scan', async () => pick(await query('ALI_NODE_1'), 'tradeStatus', 'totalAmount'))
  await step('pay', async () => (await control('POST', 'trades/ALI_NODE_1/pay')).state)
  let trade
  await step('callback', async () => {
    const { ok, v1, form } = await shop.told(({ form }) => form.out_trade_no === 'ALI_NODE_1')
    trade = form
    return [v1, ok, ...pick(form, 'trade_status', 'total_amount', 'subject'), form.app_id === merchant.appId, form.seller_id === merchant.sellerId]
  })
  await step('query of what is paid', async () => {
    const answer = await query('ALI_NODE_1')
    return [...pick(answer, 'tradeStatus', 'buyerPayAmount', 'fundBillList.0.amount'), answer.tradeNo === trade.trade_no, typeof answer.traceId]
  })
  await step('precreate again', async () => pick(await precreate('ALI_NODE_1'), 'code', 'subCode'))
  await step('close of what is paid', async () =>
    pick(await exec('alipay.trade.close', { trade_no: trade.trade_no }), 'code', 'subCode'))

  const refund = () => exec('alipay.trade.refund', { trade_no: trade.trade_no, refund_amount: '3.00', out_request_no: 'ALI_NODE_R1', refund_reason: '退货' })
  await step('refund', async () => pick(await refund(), 'fundChange', 'refundFee'))
  await step('the same refund again', async () => pick(await refund(), 'fundChange', 'refundFee'))
  await step('refund callback', async () => {
    const { ok, form } = await shop.told(({ form }) => form.gmt_refund)
    return [ok, ...pick(form, 'trade_status', 'refund_fee', 'out_biz_no')]
  })
  await step('refund query', async () =>
    pick(await exec('alipay.trade.fastpay.refund.query', { out_trade_no: 'ALI_NODE_1', out_request_no: 'ALI_NODE_R1' }), 'refundStatus', 'refundAmount', 'totalAmount'))
  await step('query of a refund that never was', async () =>
    pick(await exec('alipay.trade.fastpay.refund.query', { out_trade_no: 'ALI_NODE_1', out_request_no: 'ALI_NODE_R2' }), 'code', 'refundStatus'))
  await step('too large a refund', async () =>
    pick(await exec('alipay.trade.refund', { trade_no: trade.trade_no, refund_amount: '6.00', out_request_no: 'ALI_NODE_R2' }), 'code', 'subCode'))

  await step('close', async () => {
    await precreate('ALI_NODE_2')
    await control('POST', 'trades/ALI_NODE_2/scan')
    return [...pick(await exec('alipay.trade.close', { out_trade_no: 'ALI_NODE_2' }), 'code'), (await query('ALI_NODE_2')).tradeStatus]
  })

  await step('page opened by its link', async () => {
    const link = sdk.pageExecute('alipay.trade.page.pay', 'GET', {
      bizContent: { ...order('ALI_NODE_PAGE', '茶 100%'), product_code: 'FAST_INSTANT_TRADE_PAY' },
      notify_url: shop.url, return_url: 'https://shop.example.test/done',
    })
    const page = await fetch(link, { headers: { 'Accept-Language': 'en' } })
    return [page.status, new URL(page.url).pathname, (await page.text()).includes('8.88'), (await query('ALI_NODE_PAGE')).tradeStatus]
  })
  await step('page paid', async () => {
    await control('POST', 'trades/ALI_NODE_PAGE/pay')
    const { ok, v1, form } = await shop.told(({ form }) => form.out_trade_no === 'ALI_NODE_PAGE')
    return [v1, ok, ...pick(form, 'trade_status', 'subject')]
  })
  await step('app opened by its order string', async () => {
    const orderString = sdk.sdkExecute('alipay.trade.app.pay', {
      bizContent: { ...order('ALI_NODE_APP'), product_code: 'QUICK_MSECURITY_PAY' }, notify_url: shop.url,
    })
    return pick(await control('POST', 'alipay/app', { orderString }), 'outTradeNo', 'method')
  })

  await step('corrupt signature', async () => {
    await arm('query', 'corrupt_signature')
    return refusal(query('ALI_NODE_1'))
  })
  await step('server error', async () => {
    await arm('query', 'error_500_no_effect')
    return refusal(query('ALI_NODE_1'))
  })
  await step('corrupt callback, then the true one', async () => {
    await arm('callback', 'corrupt_signature', 'ALI_NODE_APP')
    await control('POST', 'trades/ALI_NODE_APP/pay')
    const forged = await shop.told(({ ok }) => !ok)
    await advance('5m')
    const { ok, form } = await shop.told(({ form }) => form.out_trade_no === 'ALI_NODE_APP')
    return [forged.v1, forged.ok, ok, form.trade_status]
  })
  await step('another merchant\'s key', async () => {
    // The gateway cannot know whom it refuses, and does not sign that.
    const stranger = new AlipaySdk({ ...config, privateKey: settings.wechatpay.merchantPrivateKey })
    return pick(await stranger.exec('alipay.trade.query', { bizContent: { out_trade_no: 'ALI_NODE_1' } }), 'code', 'subCode')
  })
  await step('an unknown method', async () =>
    pick(await sdk.exec('alipay.no.such', { bizContent: {} }), 'code', 'subCode'))

  const day = chinaDay(`${trade.gmt_payment.replace(' ', 'T').slice(0, 19)}+08:00`)
  const bill = () => exec('alipay.data.dataservice.bill.downloadurl.query', { bill_type: 'trade', bill_date: day })
  await step('bill too early', async () => pick(await bill(), 'code', 'subCode'))
  // The bill of a day is ready at ten on the next, so this is enough whatever
  // the time of the day.
  await advance('34h')
  await step('bill', async () => {
    const file = await fetch((await bill()).billDownloadUrl)
    const zip = Buffer.from(await file.arrayBuffer())
    return [file.status, file.headers.get('content-type'), zip.subarray(0, 4).toString('latin1')]
  })
}, () => shop.close())
