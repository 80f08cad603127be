// The texts of the page, in Chinese and English.

export const texts = {
  zh: {
    title: 'Tandem 咖啡馆', tagline: '演示商店 · 真实下单流程，沙箱支付，不会扣款', language: 'English',
    products: '今日商品', add: '加入 {name}', less: '减少一份 {name}', more: '增加一份 {name}', soldOut: '已售罄', left: '仅剩 {n} 件',
    cart: '购物车', empty: '还没有商品，挑一杯咖啡吧', remove: '移除', each: '单价 {price}', gift: '赠品', free: '免费',
    best: '用最优惠券', chosen: '您的 {of} 张可用券中，这样最省', chosenNear: '您的 {of} 张可用券中，已找到很省的用法', chosenNone: '目前没有适用的优惠券',
    coupon: '优惠券', couponHint: '输入券码', use: '使用', claim: '领一张「{name}」', claimed: '已领取并使用 {code}', couponOff: '不使用优惠券 {code}',
    total: '商品总额', discount: '优惠合计', payable: '应付', saved: '已省 {amount}', why: '优惠明细', perLine: '分摊到每件商品', notYet: '还差一点',
    pricing: '正在试算…', buyNow: '提交订单',
    pay: '付款', payBy: '支付方式', way: { wechatpay: '微信支付', alipay: '支付宝' }, order: '订单号',
    scan: { wechatpay: '用微信扫一扫付款', alipay: '用支付宝扫一扫付款', other: '扫码付款' }, scanSandbox: '这是沙箱：用任意相机扫码，或直接打开手机页面', openPhone: '打开手机支付页面', makingCode: '正在生成二维码…', codeAlt: '支付二维码',
    again: '重新生成二维码', cancel: '取消订单', cancelling: '正在取消…', back: '继续逛逛', details: '订单明细', timeline: '实时进展', leftToPay: '剩余支付时间',
    latency: '从付款到本页显示 {ms} 毫秒，经由 {transport}',
    status: {
      pending_payment: '等待付款', payment_failed: '上次付款没有成功，可以再试一次', partially_paid: '已收到部分款项', paid: '支付成功',
      completed: '订单已完成', refunded: '已全额退款', closed: '订单已关闭', closing: '正在关闭订单…',
    },
    reason: { expired: '超过支付时间，订单已自动关闭', cancelled: '您取消了订单' }, released: '库存与优惠券已退回',
    transport: { connecting: '连接中', websocket: 'WebSocket', sse: 'SSE', polling: '轮询', reconnecting: '重连中', closed: '已断开' }, transportTitle: '消息通道',
    event: {
      'order.placed': '订单已提交', 'order.partially_paid': '收到部分款项', 'order.paid': '支付成功', 'order.payment_failed': '付款未成功',
      'order.drafted': '草稿已保存', 'order.edited': '草稿已修改', 'order.closing': '订单正在关闭', 'order.closed': '订单已关闭', 'order.completed': '订单已完成', 'order.refunded': '已全额退款', 'order.changed': '订单有更新',
      'order.instalment_due': '请支付下一期款项', 'order.instalment_overdue': '本期款项已逾期，请尽快支付',
      'payment.created': '支付单已创建', 'payment.pending': '等待支付', 'payment.succeeded': '已收到付款', 'payment.failed': '本次支付未成功', 'payment.closed': '支付单已关闭', 'payment.anomaly': '付款需要人工核对',
      'refund.created': '退款申请中', 'refund.progressed': '部分退款已到账', 'refund.succeeded': '退款成功', 'refund.failed': '退款未成功，正在处理', 'refund.parked': '退款需要人工处理，请稍候', 'refund.retried': '正在重新退款',
    },
    refund: {
      excess: { pending: '您多付了一笔：{amount} 正在原路退回', done: '您多付了一笔：{amount} 已原路退回' },
      late: { pending: '订单关闭后收到付款：{amount} 正在原路退回', done: '订单关闭后收到付款：{amount} 已原路退回' },
      order: { pending: '退款申请中：{amount}', done: '退款成功：{amount}' },
    },
    skipped: {
      threshold_not_met: '再买 {missing} 即可享受', not_enough_units: '再买 {missing} 件即可享受', nothing_in_scope: '购物车里没有适用的商品', nothing_left_to_discount: '没有可再优惠的金额',
      exclusive_group: '已享受更大的优惠', not_stackable: '不能与其他优惠券同时使用', user_not_eligible: '暂不符合条件', not_started: '活动还没开始', ended: '活动已结束', not_active: '活动未启用',
      first_order_only: '仅限首单', usage_limit_reached: '名额已用完', per_user_limit_reached: '您的次数已用完', budget_spent: '活动预算已用完', gift_out_of_stock: '赠品已赠完', gift_not_found: '赠品暂不可用', too_many_gifts: '赠品件数已达上限',
      coupon_not_found: '没有这张券', coupon_not_yours: '这张券属于其他用户', coupon_locked: '已被一笔未支付的订单占用', coupon_used: '已使用过', coupon_expired: '已过期', coupon_revoked: '已作废', coupon_not_started: '还没到使用时间',
    },
    hint: { threshold_not_met: '再买 {missing} 可享「{name}」', not_enough_units: '再买 {missing} 件可享「{name}」' },
    error: {
      price_changed: '价格刚刚变了，请确认新的金额', out_of_stock: '库存不足，请减少数量', network_error: '网络不太顺畅，请再试一次（不会重复下单）', coupon_unavailable: '这张优惠券现在不可用',
      coupon_not_applicable: '这张优惠券不适用于当前商品', coupon_not_found: '没有这张优惠券', rate_limited: '人有点多，请稍后再试', channel_unavailable: '支付渠道暂时没有回应，请再试一次（不会重复支付）',
      channel_timeout: '支付渠道暂时没有回应，请再试一次（不会重复支付）', channel_rejected: '支付渠道没有受理，请再试一次或换一种支付方式', channel_not_configured: '商店还没有配置支付渠道', order_not_payable: '这笔订单不能再支付', order_not_cancellable: '这笔订单不能取消', validation_failed: '券码或数量不正确',
      promotion_exhausted: '有活动刚刚用完，请确认新的金额', purchase_limit_exceeded: '超过每人限购数量', sku_not_found: '有商品已下架', user_blocked: '该账户不能下单',
      amount_exceeds_due: '金额超过应付', not_found: '没有这笔订单', unauthorized: '本页不能再读取该订单，请刷新', unavailable: '商店暂时没有回应，请稍后再试', internal: '商店出错了，请再试一次',
    },
    trace: '追踪号 {id}',
  },
  en: {
    title: 'Tandem Café', tagline: 'A demo shop · real orders, sandbox payments, no money moves', language: '中文',
    products: 'Products', add: 'Add {name}', less: 'One {name} less', more: 'One more {name}', soldOut: 'Sold out', left: 'Only {n} left',
    cart: 'Your cart', empty: 'Nothing here yet. How about a coffee?', remove: 'Remove', each: '{price} each', gift: 'Gift', free: 'Free',
    best: 'Use my best coupons', chosen: 'Of your {of} coupons for this cart, this saves the most', chosenNear: 'Of your {of} coupons for this cart, this saves a lot', chosenNone: 'None of your coupons applies to this cart',
    coupon: 'Coupon', couponHint: 'Enter a code', use: 'Use', claim: 'Claim “{name}”', claimed: 'Claimed, using {code}', couponOff: 'Do not use coupon {code}',
    total: 'Subtotal', discount: 'Discounts', payable: 'To pay', saved: 'You save {amount}', why: 'Your discounts', perLine: 'Spread over the items', notYet: 'Not yet applied',
    pricing: 'Pricing…', buyNow: 'Place order',
    pay: 'Payment', payBy: 'How to pay', way: { wechatpay: 'WeChat Pay', alipay: 'Alipay' }, order: 'Order',
    scan: { wechatpay: 'Scan with WeChat to pay', alipay: 'Scan with Alipay to pay', other: 'Scan to pay' }, scanSandbox: 'This is a sandbox: scan with any camera, or open the phone page', openPhone: 'Open the phone page', makingCode: 'Making the code…', codeAlt: 'Payment QR code',
    again: 'Get a new code', cancel: 'Cancel order', cancelling: 'Cancelling…', back: 'Back to the shop', details: 'Order details', timeline: 'Live progress', leftToPay: 'Time left to pay',
    latency: '{ms} ms from payment to this page, over {transport}',
    status: {
      pending_payment: 'Waiting for payment', payment_failed: 'The last attempt did not succeed. You can try again', partially_paid: 'Part of the payment has arrived', paid: 'Payment successful',
      completed: 'The order is completed', refunded: 'Refunded in full', closed: 'The order was closed', closing: 'Closing the order…',
    },
    reason: { expired: 'Time ran out, so the order was closed', cancelled: 'You cancelled the order' }, released: 'Stock and coupon have been released',
    transport: { connecting: 'connecting', websocket: 'WebSocket', sse: 'SSE', polling: 'polling', reconnecting: 'reconnecting', closed: 'disconnected' }, transportTitle: 'How messages arrive',
    event: {
      'order.placed': 'Order placed', 'order.partially_paid': 'Part of the payment arrived', 'order.paid': 'Payment successful', 'order.payment_failed': 'The payment did not succeed',
      'order.drafted': 'The draft was saved', 'order.edited': 'The draft was changed', 'order.closing': 'The order is being closed', 'order.closed': 'The order was closed', 'order.completed': 'Order completed', 'order.refunded': 'The order was refunded in full', 'order.changed': 'The order has changed',
      'order.instalment_due': 'The next instalment is due soon', 'order.instalment_overdue': 'An instalment is overdue, please pay it',
      'payment.created': 'Payment created', 'payment.pending': 'Waiting for payment', 'payment.succeeded': 'Payment received', 'payment.failed': 'This attempt did not succeed', 'payment.closed': 'The payment was closed', 'payment.anomaly': 'The payment is being checked',
      'refund.created': 'Refund requested', 'refund.progressed': 'Part of the refund has gone through', 'refund.succeeded': 'Refund successful', 'refund.failed': 'The refund did not succeed, we are looking into it', 'refund.parked': 'The refund takes longer, we are looking into it', 'refund.retried': 'The refund is being tried again',
    },
    refund: {
      excess: { pending: 'You paid more than was due: {amount} is being refunded', done: 'You paid more than was due: {amount} was refunded' },
      late: { pending: 'Paid after the order was closed: {amount} is being refunded', done: 'Paid after the order was closed: {amount} was refunded' },
      order: { pending: 'Refund requested: {amount}', done: 'Refund successful: {amount}' },
    },
    skipped: {
      threshold_not_met: 'Spend {missing} more to get it', not_enough_units: 'Add {missing} more items to get it', nothing_in_scope: 'Does not apply to the items in the cart', nothing_left_to_discount: 'Nothing left to discount',
      exclusive_group: 'Another discount saves you more', not_stackable: 'Cannot be combined with your other coupon', user_not_eligible: 'You do not qualify yet', not_started: 'Has not started', ended: 'Has ended', not_active: 'Not active',
      first_order_only: 'First orders only', usage_limit_reached: 'Fully used up', per_user_limit_reached: 'You have used it as often as allowed', budget_spent: 'Its budget is used up', gift_out_of_stock: 'The gift is out of stock', gift_not_found: 'The gift is not available', too_many_gifts: 'The order already has the most gifts allowed',
      coupon_not_found: 'There is no such code', coupon_not_yours: 'Belongs to somebody else', coupon_locked: 'Used in an order that is not paid yet', coupon_used: 'Has been used', coupon_expired: 'Has expired', coupon_revoked: 'Was withdrawn', coupon_not_started: 'Not valid yet',
    },
    hint: { threshold_not_met: 'Spend {missing} more for “{name}”', not_enough_units: 'Add {missing} more for “{name}”' },
    error: {
      price_changed: 'The price has just changed. Please check the new amount', out_of_stock: 'Not enough in stock. Please take fewer', network_error: 'The connection failed. Please try again; nothing will be ordered twice', coupon_unavailable: 'This coupon cannot be used now',
      coupon_not_applicable: 'This coupon does not apply to these items', coupon_not_found: 'There is no such coupon', rate_limited: 'The shop is busy. Please try again in a moment', channel_unavailable: 'The payment channel did not answer. Please try again; you will not pay twice',
      channel_timeout: 'The payment channel did not answer. Please try again; you will not pay twice', channel_rejected: 'The payment channel refused the payment. Please try again, or pay another way', channel_not_configured: 'The shop has no payment channel yet', order_not_payable: 'This order can no longer be paid', order_not_cancellable: 'This order cannot be cancelled', validation_failed: 'The code or a quantity is not valid',
      promotion_exhausted: 'A promotion has just been used up. Please check the new price', purchase_limit_exceeded: 'That is more than one buyer may order', sku_not_found: 'A product is no longer sold', user_blocked: 'This account cannot place orders',
      amount_exceeds_due: 'That is more than is due', not_found: 'This order does not exist', unauthorized: 'This page can no longer read the order. Please reload', unavailable: 'The shop does not respond. Please try again in a moment', internal: 'Something went wrong in the shop. Please try again',
    },
    trace: 'trace {id}',
  },
};

const key = 'tandem.demo.language';

function preferred() {
  try {
    const kept = localStorage.getItem(key);
    if (texts[kept]) return kept;
  } catch {
    // Without storage the browser's language is used each time.
  }
  return (navigator.language ?? '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let current = preferred();

export const language = () => current;
export const locale = () => (current === 'zh' ? 'zh-CN' : 'en');

export function switchLanguage() {
  current = current === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem(key, current);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

/** The text at a path such as "status/paid"; undefined if there is none. */
export function text(path, values = {}) {
  const found = path.split('/').reduce((at, part) => at?.[part], texts[current]);
  return typeof found === 'string' ? found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '') : undefined;
}

/** The part of a bilingual name in the current language: "手冲咖啡 · Pour-over coffee". */
export function localName(name) {
  const [zh, en] = name.split(' · ');
  return current === 'en' && en ? en : zh;
}
