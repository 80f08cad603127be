// What goes back to the buyer, and why, out of an order as the server reads it.
import { money } from './price.js';
import { word } from './words.js';

const sum = (list, name) => list.reduce((all, one) => all + one[name], 0);

/** One sentence for the money that the order did not take, one for what it gives back. */
export function moneyBack(order) {
  const paid = order.payments.filter((payment) => payment.status === 'succeeded');
  const excess = sum(paid, 'amount') - order.paidAmount;
  const gone = sum(paid, 'refundedAmount') - order.refundedAmount; // of the excess
  const say = (why, how, amount) => word(`refund/${why}/${how}`, { amount: money(amount, order.currency) });
  return [
    excess > 0 && say(order.status === 'closed' ? 'late' : 'more', gone < excess ? 'going' : 'back', excess),
    order.refundingAmount > 0 && say('order', 'going', order.refundingAmount),
    order.refundedAmount > 0 && say('order', 'back', order.refundedAmount),
  ].filter(Boolean);
}
