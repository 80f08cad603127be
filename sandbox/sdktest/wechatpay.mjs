// A merchant's server that uses wechatpay-axios-plugin against the sandbox.
// The SDK is told the base URL by axios' option of that name; nothing else of
// it is changed.
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import plugin from 'wechatpay-axios-plugin'
import { Shop, advance, arm, chinaDay, control, pick, run, settings } from './shop.mjs'

const { Wechatpay, Formatter, Rsa, Aes } = plugin
const merchant = settings.wechatpay
const platformKeys = Object.fromEntries(merchant.platformKeys.map(({ serial, pem }) => [serial, pem]))
const [certificateSerial, publicKeyId] = Object.keys(platformKeys)

// client holds one of the platform's keys and asks to be answered with it.
const client = (serial, ownSerial = merchant.merchantSerial) => new Wechatpay({
  baseURL: settings.baseUrl,
  mchid: merchant.mchId,
  serial: ownSerial,
  privateKey: merchant.merchantPrivateKey,
  certs: { [serial]: platformKeys[serial] },
  headers: { 'Wechatpay-Serial': serial },
})
const byCertificate = client(certificateSerial)
const byPublicKey = client(publicKeyId)

// judge verifies and decrypts a callback with the SDK's tools.
function judge(headers, body) {
  const serial = headers['wechatpay-serial']
  const message = Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], body)
  const fresh = Math.abs(Formatter.timestamp() - headers['wechatpay-timestamp']) <= 300
  if (!fresh || !Rsa.verify(message, headers['wechatpay-signature'], Rsa.from(platformKeys[serial], Rsa.KEY_TYPE_PUBLIC))) {
    return { ok: false, fresh }
  }
  const { id, event_type: type, resource } = JSON.parse(body)
  const inside = Aes.AesGcm.decrypt(resource.ciphertext, merchant.apiV3Key, resource.nonce, resource.associated_data)
  return { ok: true, id, type, of: resource.original_type, inside: JSON.parse(inside) }
}

const shop = await Shop.open(judge, [204], [401, '{"code":"FAIL","message":"bad signature"}'])

const order = (no) => ({
  appid: merchant.appId, mchid: merchant.mchId, description: '茶 & <cup> 100%', out_trade_no: no,
  notify_url: shop.url, amount: { total: 888, currency: 'CNY' }, attach: 'a=1',
})
const query = (wxpay, no) => wxpay.v3.pay.transactions.outTradeNo.$no$.get({ params: { mchid: merchant.mchId }, no })
const close = (wxpay, no) => wxpay.v3.pay.transactions.outTradeNo.$no$.close.post({ mchid: merchant.mchId }, { no })

// refusal is how the SDK reports an answer that it does not accept.
const refusal = (promise) => promise.then(
  () => 'accepted',
  (error) => [error.response?.status ?? null, error.response?.data?.code ?? error.code],
)

await run(async (step) => {
  await step('prepay', async () => {
    const { data } = await byCertificate.v3.pay.transactions.native.post(order('WX_NODE_1'))
    return data.code_url
  })
  await step('prepay by public key', async () => {
    const { data, headers } = await byPublicKey.v3.pay.transactions.native.post(order('WX_NODE_2'))
    return [data.code_url, headers.get('Wechatpay-Serial') === publicKeyId]
  })
  await step('answered by a key that the shop does not hold', () =>
    refusal(byCertificate.v3.pay.transactions.outTradeNo.$no$.get({
      params: { mchid: merchant.mchId }, no: 'WX_NODE_1', headers: { 'Wechatpay-Serial': publicKeyId },
    })))
  await step('prepay of jsapi', async () => {
    const { data } = await byPublicKey.v3.pay.transactions.jsapi.post({ ...order('WX_NODE_JS'), payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } })
    return data.prepay_id
  })
  await step('query of what is open', async () =>
    pick((await query(byPublicKey, 'WX_NODE_1')).data, 'trade_state', 'transaction_id', 'amount.total'))
  await step('pay', async () => pick(await control('POST', 'trades/WX_NODE_1/pay'), 'state', 'amount'))
  await step('callback', async () => {
    const { type, of, inside } = await shop.told(({ inside }) => inside?.out_trade_no === 'WX_NODE_1')
    return [type, of, ...pick(inside, 'trade_state', 'trade_type', 'amount.total', 'attach'),
      inside.mchid === merchant.mchId, inside.appid === merchant.appId]
  })
  let transaction
  await step('query of what is paid', async () => {
    transaction = (await query(byCertificate, 'WX_NODE_1')).data
    return pick(transaction, 'trade_state', 'amount.payer_total', 'transaction_id')
  })
  await step('query by their number', async () => {
    const { data } = await byCertificate.v3.pay.transactions.id._id_.get({ params: { mchid: merchant.mchId }, id: transaction.transaction_id })
    return data.out_trade_no
  })
  await step('close', async () => (await close(byPublicKey, 'WX_NODE_2')).status)
  await step('query of what is closed', async () => (await query(byPublicKey, 'WX_NODE_2')).data.trade_state)
  await step('close of what is paid', () => refusal(close(byCertificate, 'WX_NODE_1')))
  await step('query of what never was', () => refusal(query(byCertificate, 'WX_NODE_0')))
  await step('a wrong field', () => refusal(byCertificate.v3.pay.transactions.native.post({ ...order('WX_NODE_3'), total: 1 })))
  await step('a wrong serial', () => refusal(query(client(publicKeyId, '5'.repeat(40)), 'WX_NODE_1')))

  await step('corrupt signature', async () => {
    await arm('query', 'corrupt_signature')
    return refusal(query(byCertificate, 'WX_NODE_1'))
  })
  await step('signature test', async () => {
    await arm('query', 'signtest_signature')
    return refusal(query(byPublicKey, 'WX_NODE_1'))
  })
  await step('no signature', async () => {
    await arm('close', 'unsigned')
    return refusal(close(byPublicKey, 'WX_NODE_2'))
  })
  await step('server error', async () => {
    await arm('query', 'error_500_no_effect')
    return refusal(query(byCertificate, 'WX_NODE_1'))
  })
  await step('corrupt callback, then the true one', async () => {
    await arm('callback', 'corrupt_signature', 'WX_NODE_JS')
    await control('POST', 'trades/WX_NODE_JS/pay')
    const forged = await shop.told(({ ok }) => !ok)
    await advance('16s')
    const { inside } = await shop.told(({ inside }) => inside?.out_trade_no === 'WX_NODE_JS')
    return [forged.ok, forged.fresh, ...pick(inside, 'trade_type', 'payer.openid')]
  })

  const refund = { out_trade_no: 'WX_NODE_1', out_refund_no: 'WX_NODE_R1', reason: '退货', notify_url: shop.url, amount: { refund: 300, total: 888, currency: 'CNY' } }
  await step('refund', async () => {
    const { data } = await byCertificate.v3.refund.domestic.refunds.post(refund)
    return pick(data, 'status', 'amount.refund', 'out_refund_no')
  })
  await step('too large a refund', () =>
    refusal(byCertificate.v3.refund.domestic.refunds.post({ ...refund, out_refund_no: 'WX_NODE_R2', amount: { ...refund.amount, refund: 600 } })))
  await step('refund callback', async () => {
    await advance('3s')
    const { type, of, inside } = await shop.told(({ of }) => of === 'refund')
    return [type, of, ...pick(inside, 'refund_status', 'amount.refund', 'out_refund_no')]
  })
  await step('refund query', async () => {
    const { data } = await byPublicKey.v3.refund.domestic.refunds._no_.get({ no: 'WX_NODE_R1' })
    return pick(data, 'status', 'amount.refund', 'amount.total', 'channel')
  })

  await step('certificates', async () => {
    const { data } = await byCertificate.v3.certificates.get()
    return data.data.map(({ serial_no: serial, encrypt_certificate: box }) =>
      serial === certificateSerial && Aes.AesGcm.decrypt(box.ciphertext, merchant.apiV3Key, box.nonce, box.associated_data) === platformKeys[serial])
  })

  const day = chinaDay(transaction.success_time)
  const ask = (more) => byCertificate.v3.bill.tradebill.get({ params: { bill_date: day, bill_type: 'ALL', ...more } })
  await step('bill too early', () => refusal(ask()))
  // The bill of a day is ready at ten on the next, so this is enough whatever
  // the time of the day.
  await advance('34h')
  for (const [name, more, unpack] of [['bill', {}, (file) => file], ['packed bill', { tar_type: 'GZIP' }, gunzipSync]]) {
    await step(name, async () => {
      const { data: told } = await ask(more)
      const params = Object.fromEntries(new URL(told.download_url).searchParams)
      const { data } = await byCertificate.v3.billdownload.file.get({ params, responseType: 'arraybuffer' })
      const file = unpack(data)
      const { rows, summary } = Formatter.castCsvBill(file)
      return [
        told.hash_type, createHash('sha1').update(file).digest('hex') === told.hash_value,
        rows.map((row) => pick(row, '商户订单号', '交易状态', '订单金额', '申请退款金额').join(' ')).sort(),
        ...pick(summary, '总交易单数', '订单总金额'),
      ]
    })
  }
  await step('a callback after the clock was moved', async () => {
    await byPublicKey.v3.pay.transactions.native.post(order('WX_NODE_4'))
    await control('POST', 'trades/WX_NODE_4/pay')
    return (await shop.told(({ inside }) => inside?.out_trade_no === 'WX_NODE_4')).ok
  })
}, () => shop.close())
