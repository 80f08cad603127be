// Says what is refunded to the buyer, and why, from an order as the server returns it.
import { money } from './price.js';
import { text } from './texts.js';

const sum = (list, name) => list.reduce((total, item) => total + item[name], 0);

/** One sentence for money that was paid in excess of the order, and one each for refunds in progress and done. */
export function refundTexts(order) {
  const paid = order.payments.filter((payment) => payment.status === 'succeeded');
  const excess = sum(paid, 'amount') - order.paidAmount;
  const excessRefunded = sum(paid, 'refundedAmount') - order.refundedAmount;
  const sentence = (why, how, amount) => text(`refund/${why}/${how}`, { amount: money(amount, order.currency) });
  return [
    excess > 0 && sentence(order.status === 'closed' ? 'late' : 'excess', excessRefunded < excess ? 'pending' : 'done', excess),
    order.refundingAmount > 0 && sentence('order', 'pending', order.refundingAmount),
    order.refundedAmount > 0 && sentence('order', 'done', order.refundedAmount),
  ].filter(Boolean);
}
