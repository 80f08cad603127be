// The demo shop: a cart, its price as the server explains it, and an order.
import { bindButton, createCheckout } from '../sdk/tandem.js';
import { $, complaint, h, speak } from './dom.js';
import { createPaying } from './paying.js';
import { hints, lines, money, reasons, totals } from './price.js';
import { drawShelf } from './shelf.js';
import { named, switchLanguage, word } from './words.js';

const root = new URL('.', location.href).href.replace(/\/$/, '');
const checkout = createCheckout({ baseUrl: root, quoteUrl: `${root}/demo/quotes`, orderUrl: `${root}/demo/orders` });

const remembered = 'tandem.demo.cart';
const state = {
  shelf: null,
  items: {}, // quantity by sku
  coupons: [], // codes
  quote: null, // of the cart as it is; null while a newer one is being made
  drawn: null, // the last quote, shown until the next comes
  note: '', // what there is to say beside the cart
  chosen: null, // how the best coupons were chosen, while nothing else was
};

const cart = () => ({
  items: Object.entries(state.items).map(([sku, quantity]) => ({ sku, quantity })),
  couponCodes: state.coupons,
});

function changed() {
  try {
    sessionStorage.setItem(remembered, JSON.stringify({ items: state.items, coupons: state.coupons }));
  } catch {
    // Then a reload begins with an empty cart.
  }
  state.quote = null;
  state.chosen = null;
  state.note = '';
  draw();
  price();
}

async function price() {
  if (Object.keys(state.items).length === 0) {
    state.drawn = null;
    draw();
    return;
  }
  try {
    state.drawn = state.quote = await checkout.quote(cart());
  } catch (error) {
    if (error.code === 'superseded') return;
    state.note = complaint(error);
  }
  draw();
}

function draw() {
  const { drawn, quote } = state;
  const filled = Object.keys(state.items).length > 0;
  $('empty').hidden = filled;
  $('filled').hidden = $('bar').hidden = !filled;
  $('filled').toggleAttribute('data-stale', !quote);
  $('alert').textContent = state.note;
  if (drawn) {
    $('lines').replaceChildren(...lines(drawn));
    $('explained').replaceChildren(...reasons(drawn));
    $('totals').replaceChildren(...totals(drawn));
    $('hints').replaceChildren(...hints(drawn));
    $('due').textContent = money(drawn.payableAmount, drawn.currency);
    $('saved').textContent = drawn.discountAmount > 0 ? word('saved', { amount: money(drawn.discountAmount, drawn.currency) }) : '';
  }
  const using = state.coupons.length > 0;
  $('coupon').hidden = using;
  $('using').hidden = !using;
  $('using').replaceChildren(...state.coupons.map((code) => h('li', {}, h('span', {}, code),
    h('button', { type: 'button', class: 'plain', 'aria-label': word('couponOff', { code }), onclick: () => setCoupons(state.coupons.filter((c) => c !== code)) }, '×'))));
  $('chosen').textContent = said(state.chosen);
  const offered = state.shelf?.coupon;
  $('claim').hidden = !offered || using;
  if (offered) $('claim').textContent = word('claim', { name: named(offered.name) });
  $('buy').textContent = word(quote ? 'buyNow' : 'pricing');
  if (!$('buy').hasAttribute('aria-busy')) $('buy').disabled = !quote;
}

function drawAll() {
  speak();
  if (state.shelf) drawShelf(state.shelf, state.items, setQuantity);
  draw();
  paying.draw();
}

function setQuantity(sku, quantity) {
  if (quantity > 0) state.items[sku] = quantity;
  else delete state.items[sku];
  changed();
}

function setCoupons(codes) {
  state.coupons = codes;
  $('code').value = '';
  changed();
}

/** What is said of the choice of the best coupons. */
function said(chosen) {
  if (!chosen) return '';
  if (chosen.couponCodes.length === 0) return word('chosenNone');
  return word(chosen.stopped ? 'chosenNear' : 'chosen', { of: chosen.of });
}

/** Shows what went wrong, and prices again what the refusal was about. */
function refused(error) {
  state.note = complaint(error);
  draw();
  if (error.status === 409 || error.status === 422 || error.status === 404) {
    const note = state.note;
    state.quote = null;
    price().then(() => {
      state.note = note;
      draw();
    });
  }
}

async function buy() {
  state.note = '';
  draw();
  const order = await checkout.placeOrder(cart(), { expectedPayableAmount: state.quote.payableAmount });
  paying.open(order);
}

/** Has the server choose from all that the buyer holds, or may claim. */
async function best() {
  await claimed();
  let quote;
  try {
    quote = await checkout.quote({ ...cart(), couponCodes: 'best' });
  } catch (error) {
    if (error.code === 'superseded') return; // by another wish of the buyer's
    throw error;
  }
  setCoupons(quote.best.couponCodes);
  state.drawn = quote;
  state.chosen = quote.best;
  draw();
}

async function claim() {
  setCoupons([(await claimed()).code]);
}

async function claimed() {
  const res = await fetch(`${root}/demo/coupons`, { method: 'POST', headers: { Accept: 'application/json' } });
  const answer = await res.json();
  if (!res.ok) throw answer; // a problem document has what complaint reads
  return answer;
}

const paying = createPaying({
  checkout, root,
  ways: async () => (await shelf()).ways,
  phone: () => state.shelf?.phone,
  onPaid() {
    // Bought: the next wish begins with an empty cart.
    state.items = {};
    state.coupons = [];
    changed();
    if (state.shelf) drawShelf(state.shelf, state.items, setQuantity);
  },
  onClosed: () => price(), // its coupon and stock are free again
});

bindButton($('buy'), buy, { enabled: () => state.quote !== null, onError: refused });
bindButton($('claim'), claim, { onError: refused });
bindButton($('best'), best, { onError: refused });
$('coupon').addEventListener('submit', (event) => {
  event.preventDefault();
  const code = $('code').value.trim();
  if (code) setCoupons([code]);
});
$('language').addEventListener('click', () => {
  switchLanguage();
  drawAll();
});

let loading = null;

/** The shelf, asked for once; after a failure whoever needs it asks again. */
function shelf() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  let res, answer;
  try {
    res = await fetch(`${root}/demo/products`);
    answer = await res.json();
  } catch {
    throw { code: 'network_error' }; // complaint reads it like a problem document
  }
  if (!res.ok) throw answer;
  state.shelf = answer;
  return answer;
}

async function begin() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(remembered)) ?? {};
    state.items = kept.items ?? {};
    state.coupons = kept.coupons ?? [];
  } catch {
    // Nothing kept.
  }
  drawAll();
  // An order whose answer a reload cut off, or one that waits for its money.
  const cutOff = checkout.resume();
  if (cutOff) cutOff.then((order) => paying.open(order), refused);
  else paying.restore();
  try {
    await shelf();
  } catch (error) {
    state.note = complaint(error);
    draw();
    return;
  }
  // What is no longer sold cannot be priced.
  for (const sku of Object.keys(state.items)) {
    if (!state.shelf.items.some((product) => product.sku === sku)) delete state.items[sku];
  }
  drawAll();
  paying.draw();
  price();
}

begin();
