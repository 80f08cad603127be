// A price with its reasons: the lines, every discount with what it took off
// each line, and every rule that did not apply with what is missing.
import { formatAmount } from '../sdk/tandem.js';
import { h } from './dom.js';
import { language, locale, named, word } from './words.js';

export const money = (minor, currency = 'CNY') => formatAmount(minor, currency, locale());

/** The lines of a quote or an order. */
export function lines(quote) {
  return quote.items.map((item) => h('li', {},
    h('span', { class: 'quantity' }, `${item.quantity}×`),
    h('span', { class: 'what' }, named(item.name), item.gift && h('em', {}, word('gift')),
      item.quantity > 1 && h('small', {}, word('each', { price: money(item.unitPrice, quote.currency) }))),
    h('span', { class: 'price' },
      item.discountAmount > 0 && h('s', {}, money(item.totalAmount, quote.currency)),
      h('b', {}, money(item.payableAmount, quote.currency)))));
}

/** Why the price is what it is. */
export function reasons(quote) {
  const off = (amount) => `−${money(amount, quote.currency)}`;
  const applied = quote.appliedDiscounts.map((discount) => h('li', { 'data-source': discount.source },
    h('div', {}, h('span', {}, named(discount.name), discount.code && h('code', {}, discount.code)), h('b', {}, off(discount.amount))),
    h('small', {}, ...discount.lines.filter((share) => share.amount > 0)
      .flatMap((share, i) => [i > 0 && ' · ', h('span', {}, `${named(quote.items[share.line].name)} ${off(share.amount)}`)]))));
  const skipped = (quote.skippedDiscounts ?? []).map((skip) => h('li', { 'data-reason': skip.reason },
    h('span', {}, skip.name ? named(skip.name) : skip.code),
    h('small', {}, word(`skipped/${skip.reason}`, { missing: missing(skip, quote.currency) }) ?? (language() === 'zh' ? skip.detailZh : skip.detail))));
  return [
    applied.length > 0 && h('h3', {}, word('why')),
    applied.length > 0 && h('ul', { class: 'applied' }, ...applied),
    skipped.length > 0 && h('h3', {}, word('notYet')),
    skipped.length > 0 && h('ul', { class: 'skipped' }, ...skipped),
  ].filter(Boolean);
}

const missing = (skip, currency) => (skip.reason === 'not_enough_units' ? String(skip.missing) : money(skip.missing ?? 0, currency));

/** Subtotal, discounts, and what is left to pay. */
export function totals(quote) {
  const row = (name, text, kind) => h('div', { class: kind }, h('dt', {}, name), h('dd', {}, text));
  return [
    row(word('total'), money(quote.totalAmount, quote.currency)),
    quote.discountAmount > 0 && row(word('discount'), `−${money(quote.discountAmount, quote.currency)}`, 'off'),
    row(word('payable'), money(quote.payableAmount, quote.currency), 'sum'),
  ].filter(Boolean);
}
