// Shows a price and explains it: the lines, every discount with its share of
// each line, and every rule that did not apply with what is missing.
import { formatAmount } from '../sdk/tandem.js';
import { h } from './dom.js';
import { language, locale, localName, text } from './texts.js';

export const money = (minor, currency = 'CNY') => formatAmount(minor, currency, locale());

/** The lines of a quote or an order. */
export function lines(quote) {
  return quote.items.map((item) => h('li', { 'data-sku': item.sku, 'data-gift': item.gift },
    h('span', { class: 'quantity' }, `${item.quantity}×`),
    h('span', { class: 'what' }, localName(item.name), item.gift && h('em', {}, text('gift')),
      item.quantity > 1 && h('small', {}, text('each', { price: money(item.unitPrice, quote.currency) }))),
    h('span', { class: 'price' },
      item.discountAmount > 0 && h('s', {}, money(item.totalAmount, quote.currency)),
      h('b', {}, item.gift && item.payableAmount === 0 ? text('free') : money(item.payableAmount, quote.currency)))));
}

/** The discounts that applied, and those that did not. */
export function reasons(quote) {
  const off = (amount) => `−${money(amount, quote.currency)}`;
  const applied = quote.appliedDiscounts.map((discount) => h('li', { 'data-source': discount.source },
    h('div', {}, h('span', {}, localName(discount.name), discount.code && h('code', {}, discount.code)), h('b', {}, off(discount.amount))),
    h('small', {}, ...discount.lines.filter((share) => share.amount > 0)
      .flatMap((share, i) => [i > 0 && ' · ', h('span', {}, `${localName(quote.items[share.line].name)} ${off(share.amount)}`)]))));
  const skipped = (quote.skippedDiscounts ?? []).map((skip) => h('li', { 'data-reason': skip.reason },
    h('span', {}, skip.name ? localName(skip.name) : skip.code),
    h('small', {}, why(skip, quote.currency))));
  return [
    applied.length > 0 && h('h3', {}, text('why')),
    applied.length > 0 && h('ul', { class: 'applied' }, ...applied),
    skipped.length > 0 && h('h3', {}, text('notYet')),
    skipped.length > 0 && h('ul', { class: 'skipped' }, ...skipped),
  ].filter(Boolean);
}

/** Why a rule did not apply, in the reader's language. In Chinese the server's text is preferred. */
function why(skip, currency) {
  if (language() === 'zh' && skip.detailZh) return skip.detailZh.replaceAll(skip.name, localName(skip.name));
  return text(`skipped/${skip.reason}`, { missing: missing(skip, currency) }) ?? skip.detail;
}

const maxHints = 2; // shown at once

/** What a buyer could add to get another discount; the one with the least missing first. */
export function hints(quote) {
  const near = (quote.skippedDiscounts ?? []).filter((skip) => skip.missing > 0 && text(`hint/${skip.reason}`));
  near.sort((a, b) => a.missing - b.missing);
  return near.slice(0, maxHints).map((skip) => h('li', { 'data-reason': skip.reason, 'data-id': skip.id },
    text(`hint/${skip.reason}`, { missing: missing(skip, quote.currency), name: localName(skip.name) })));
}

const missing = (skip, currency) => (skip.reason === 'not_enough_units' ? String(skip.missing) : money(skip.missing ?? 0, currency));

/** Subtotal, discounts, and what is left to pay. */
export function totals(quote) {
  const row = (name, amount, kind) => h('div', { class: kind }, h('dt', {}, name), h('dd', {}, amount));
  return [
    row(text('total'), money(quote.totalAmount, quote.currency)),
    quote.discountAmount > 0 && row(text('discount'), `−${money(quote.discountAmount, quote.currency)}`, 'off'),
    row(text('payable'), money(quote.payableAmount, quote.currency), 'sum'),
  ].filter(Boolean);
}
