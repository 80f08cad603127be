// What the page says, in Chinese and English.

const words = {
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
      more: { going: '您多付了一笔：{amount} 正在原路退回', back: '您多付了一笔：{amount} 已原路退回' },
      late: { going: '订单关闭后收到付款：{amount} 正在原路退回', back: '订单关闭后收到付款：{amount} 已原路退回' },
      order: { going: '退款申请中：{amount}', back: '退款成功：{amount}' },
    },
    skipped: {
      threshold_not_met: '再买 {missing} 即可享受', not_enough_units: '再买 {missing} 件即可享受', nothing_in_scope: '购物车里没有适用的商品', nothing_left_to_discount: '没有可再优惠的金额',
      exclusive_group: '已享受更大的优惠', not_stackable: '不能与其他优惠券同时使用', user_not_eligible: '暂不符合条件', not_started: '活动还没开始', ended: '活动已结束', not_active: '活动未启用',
      first_order_only: '仅限首单', usage_limit_reached: '名额已用完', per_user_limit_reached: '您的次数已用完', budget_spent: '活动预算已用完', gift_out_of_stock: '赠品已赠完', gift_not_found: '赠品已赠完', too_many_gifts: '赠品件数已达上限',
      coupon_not_found: '没有这张券', coupon_not_yours: '这张券属于其他用户', coupon_locked: '已被一笔未支付的订单占用', coupon_used: '已使用过', coupon_expired: '已过期', coupon_revoked: '已作废', coupon_not_started: '还没到使用时间',
    },
    hint: { threshold_not_met: '再买 {missing} 可享「{name}」', not_enough_units: '再买 {missing} 件可享「{name}」' },
    error: {
      price_changed: '价格刚刚变了，请确认新的金额', out_of_stock: '库存不足，请减少数量', network_error: '网络不太顺畅，请再试一次（不会重复下单）', coupon_unavailable: '这张优惠券现在不可用',
      coupon_not_applicable: '这张优惠券不适用于当前商品', coupon_not_found: '没有这张优惠券', rate_limited: '人有点多，请稍后再试', channel_unavailable: '支付渠道暂时没有回应，请再试一次（不会重复支付）',
      channel_timeout: '支付渠道暂时没有回应，请再试一次（不会重复支付）', channel_rejected: '支付渠道没有受理，请再试一次或换一种支付方式', channel_not_configured: '商店还没有配置支付渠道', order_not_payable: '这笔订单不能再支付', order_not_cancellable: '这笔订单不能取消', validation_failed: '券码或数量不正确',
    },
    trace: '追踪号 {id}',
  },
  en: {
    title: 'Tandem Café', tagline: 'A demo shop · real orders, sandbox payments, no money moves', language: '中文',
    products: 'On the shelf', add: 'Add {name}', less: 'One {name} less', more: 'One more {name}', soldOut: 'Sold out', left: 'Only {n} left',
    cart: 'Your cart', empty: 'Nothing here yet. How about a coffee?', remove: 'Remove', each: '{price} each', gift: 'Gift', free: 'Free',
    best: 'Use my best coupons', chosen: 'Of your {of} coupons for this cart, this saves the most', chosenNear: 'Of your {of} coupons for this cart, this saves a lot', chosenNone: 'None of your coupons is for this cart',
    coupon: 'Coupon', couponHint: 'Enter a code', use: 'Use', claim: 'Claim “{name}”', claimed: 'Claimed, using {code}', couponOff: 'Do not use coupon {code}',
    total: 'Subtotal', discount: 'Discounts', payable: 'To pay', saved: 'You save {amount}', why: 'Your discounts', perLine: 'Spread over the items', notYet: 'Within reach',
    pricing: 'Pricing…', buyNow: 'Place order',
    pay: 'Payment', payBy: 'How to pay', way: { wechatpay: 'WeChat Pay', alipay: 'Alipay' }, order: 'Order',
    scan: { wechatpay: 'Scan with WeChat to pay', alipay: 'Scan with Alipay to pay', other: 'Scan to pay' }, scanSandbox: 'This is a sandbox: scan with any camera, or open the phone page', openPhone: 'Open the phone page', makingCode: 'Making the code…', codeAlt: 'Payment QR code',
    again: 'Get a new code', cancel: 'Cancel order', cancelling: 'Cancelling…', back: 'Back to the shop', details: 'Order details', timeline: 'Live progress', leftToPay: 'Time left to pay',
    latency: '{ms} ms from payment to this page, over {transport}',
    status: {
      pending_payment: 'Waiting for payment', payment_failed: 'The last attempt did not succeed. You can try again', partially_paid: 'Part of the payment has arrived', paid: 'Payment successful',
      completed: 'The order is completed', refunded: 'Refunded in full', closed: 'The order was closed', closing: 'Closing the order…',
    },
    reason: { expired: 'Time ran out, so the order closed by itself', cancelled: 'You cancelled the order' }, released: 'Stock and coupon have been released',
    transport: { connecting: 'connecting', websocket: 'WebSocket', sse: 'SSE', polling: 'polling', reconnecting: 'reconnecting', closed: 'disconnected' }, transportTitle: 'How messages arrive',
    event: {
      'order.placed': 'Order placed', 'order.partially_paid': 'Part of the payment arrived', 'order.paid': 'Payment successful', 'order.payment_failed': 'The payment did not succeed',
      'order.drafted': 'The draft was saved', 'order.edited': 'The draft was changed', 'order.closing': 'The order is being closed', 'order.closed': 'The order was closed', 'order.completed': 'Order completed', 'order.refunded': 'The order was refunded in full', 'order.changed': 'The order has changed',
      'order.instalment_due': 'The next instalment is due soon', 'order.instalment_overdue': 'An instalment is overdue, please pay it',
      'payment.created': 'Payment created', 'payment.pending': 'Waiting for payment', 'payment.succeeded': 'Payment received', 'payment.failed': 'This attempt did not succeed', 'payment.closed': 'The payment was closed', 'payment.anomaly': 'The payment is being checked',
      'refund.created': 'Refund requested', 'refund.progressed': 'Part of the refund has gone through', 'refund.succeeded': 'Refund successful', 'refund.failed': 'The refund did not succeed, we are looking into it', 'refund.parked': 'The refund takes longer, we are looking into it', 'refund.retried': 'The refund is being tried again',
    },
    refund: {
      more: { going: 'You paid more than was due: {amount} is going back to you', back: 'You paid more than was due: {amount} has gone back to you' },
      late: { going: 'Paid after the order was closed: {amount} is going back to you', back: 'Paid after the order was closed: {amount} has gone back to you' },
      order: { going: 'Refund requested: {amount}', back: 'Refund successful: {amount}' },
    },
    skipped: {
      threshold_not_met: '{missing} more to get it', not_enough_units: '{missing} more items to get it', nothing_in_scope: 'Nothing in the cart that it is for', nothing_left_to_discount: 'Nothing left to discount',
      exclusive_group: 'Another one gives you more', not_stackable: 'Does not combine with your other coupon', user_not_eligible: 'Not for you yet', not_started: 'Has not begun', ended: 'Has ended', not_active: 'Not active',
      first_order_only: 'For a first order only', usage_limit_reached: 'All taken', per_user_limit_reached: 'You have used it', budget_spent: 'All given', gift_out_of_stock: 'The gift is gone', gift_not_found: 'The gift is gone', too_many_gifts: 'No more gifts with this order',
      coupon_not_found: 'There is no such code', coupon_not_yours: 'Belongs to somebody else', coupon_locked: 'Held by an order that is not paid yet', coupon_used: 'Has been used', coupon_expired: 'Has expired', coupon_revoked: 'Was withdrawn', coupon_not_started: 'Not valid yet',
    },
    hint: { threshold_not_met: '{missing} more for “{name}”', not_enough_units: 'Add {missing} more for “{name}”' },
    error: {
      price_changed: 'The price has just changed. Please check the new amount', out_of_stock: 'Not enough in stock. Please take fewer', network_error: 'The network is shaky. Try again, it will not order twice', coupon_unavailable: 'This coupon cannot be used now',
      coupon_not_applicable: 'This coupon is not for these items', coupon_not_found: 'There is no such coupon', rate_limited: 'It is busy. Please try again in a moment', channel_unavailable: 'The payment channel did not answer. Try again, it will not pay twice',
      channel_timeout: 'The payment channel did not answer. Try again, it will not pay twice', channel_rejected: 'The payment channel did not take it. Try again, or pay another way', channel_not_configured: 'The shop has no payment channel yet', order_not_payable: 'This order can no longer be paid', order_not_cancellable: 'This order cannot be cancelled', validation_failed: 'The code or a quantity is not right',
    },
    trace: 'trace {id}',
  },
};

const key = 'tandem.demo.language';

function preferred() {
  try {
    const kept = localStorage.getItem(key);
    if (words[kept]) return kept;
  } catch {
    // No storage: the browser's language each time.
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
    // It holds until the page is left.
  }
}

/** A word by its path ("status/paid"); undefined if there is none. */
export function word(path, values = {}) {
  const found = path.split('/').reduce((at, part) => at?.[part], words[current]);
  return typeof found === 'string' ? found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '') : undefined;
}

/** The reader's half of a name that has both: "手冲咖啡 · Pour-over coffee". */
export function named(name) {
  const [zh, en] = name.split(' · ');
  return current === 'en' && en ? en : zh;
}
