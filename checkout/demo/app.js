// The demo shop: a cart, its price with an explanation from the server, and an order.
import { bindButton, createCheckout } from '../sdk/tandem.js';
import { $, errorText, h, applyLanguage } from './dom.js';
import { createPaying } from './paying.js';
import { hints, lines, money, reasons, totals } from './price.js';
import { drawCatalogue } from './catalogue.js';
import { localName, switchLanguage, text } from './texts.js';

const root = new URL('.', location.href).href.replace(/\/$/, '');
const checkout = createCheckout({ baseUrl: root, quoteUrl: `${root}/demo/quotes`, orderUrl: `${root}/demo/orders` });

const storageKey = 'tandem.demo.cart';
const state = {
  catalogue: null, // the products, promotions and ways to pay
  items: {}, // quantity by sku
  coupons: [], // codes
  quote: null, // of the cart as it is; null while a new one is requested
  drawn: null, // the last quote, shown until the next arrives
  note: '', // an error message beside the cart
  chosen: null, // how the best coupons were chosen, until the cart changes
};

const cart = () => ({
  items: Object.entries(state.items).map(([sku, quantity]) => ({ sku, quantity })),
  couponCodes: state.coupons,
});

function changed() {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify({ items: state.items, coupons: state.coupons }));
  } catch {
    // Without storage a reload begins with an empty cart.
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
    state.note = errorText(error);
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
    $('saved').textContent = drawn.discountAmount > 0 ? text('saved', { amount: money(drawn.discountAmount, drawn.currency) }) : '';
  }
  const using = state.coupons.length > 0;
  $('coupon').hidden = using;
  $('using').hidden = !using;
  $('using').replaceChildren(...state.coupons.map((code) => h('li', {}, h('span', {}, code),
    h('button', { type: 'button', class: 'plain', 'aria-label': text('couponOff', { code }), onclick: () => setCoupons(state.coupons.filter((c) => c !== code)) }, '×'))));
  $('chosen').textContent = chosenText(state.chosen);
  const offered = state.catalogue?.coupon;
  $('claim').hidden = !offered || using;
  if (offered) $('claim').textContent = text('claim', { name: localName(offered.name) });
  $('buy').textContent = text(quote ? 'buyNow' : 'pricing');
  if (!$('buy').hasAttribute('aria-busy')) $('buy').disabled = !quote;
}

function drawAll() {
  applyLanguage();
  if (state.catalogue) drawCatalogue(state.catalogue, state.items, setQuantity);
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

/** Describes how the best coupons were chosen. */
function chosenText(chosen) {
  if (!chosen) return '';
  if (chosen.couponCodes.length === 0) return text('chosenNone');
  return text(chosen.stopped ? 'chosenNear' : 'chosen', { of: chosen.of });
}

/** Shows why something was refused, and prices the cart again if its price may have changed. */
function refused(error) {
  state.note = errorText(error);
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

/** Claims the coupon on offer, and lets the server choose among all coupons of the buyer. */
async function best() {
  await claimCoupon();
  let quote;
  try {
    quote = await checkout.quote({ ...cart(), couponCodes: 'best' });
  } catch (error) {
    if (error.code === 'superseded') return; // by a later action of the buyer
    throw error;
  }
  setCoupons(quote.best.couponCodes);
  state.drawn = quote;
  state.chosen = quote.best;
  draw();
}

async function claim() {
  setCoupons([(await claimCoupon()).code]);
}

async function claimCoupon() {
  const res = await fetch(`${root}/demo/coupons`, { method: 'POST', headers: { Accept: 'application/json' } });
  const answer = await res.json();
  if (!res.ok) throw answer; // a problem document has the members that errorText reads
  return answer;
}

const paying = createPaying({
  checkout, root,
  ways: async () => (await loadCatalogue()).ways,
  phone: () => state.catalogue?.phone,
  onPaid() {
    // The next order begins with an empty cart.
    state.items = {};
    state.coupons = [];
    changed();
    if (state.catalogue) drawCatalogue(state.catalogue, state.items, setQuantity);
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

/** Loads the catalogue once; after a failure the next call loads it again. */
function loadCatalogue() {
  loading ??= fetchCatalogue().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchCatalogue() {
  let res, answer;
  try {
    res = await fetch(`${root}/demo/products`);
    answer = await res.json();
  } catch {
    throw { code: 'network_error' }; // errorText reads it like a problem document
  }
  if (!res.ok) throw answer;
  state.catalogue = answer;
  return answer;
}

async function begin() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(storageKey)) ?? {};
    state.items = stored.items ?? {};
    state.coupons = stored.coupons ?? [];
  } catch {
    // Nothing is stored.
  }
  drawAll();
  // Continue an order whose answer was lost in a reload, or one that waits for payment.
  const interrupted = checkout.resume();
  if (interrupted) interrupted.then((order) => paying.open(order), refused);
  else paying.restore();
  try {
    await loadCatalogue();
  } catch (error) {
    state.note = errorText(error);
    draw();
    return;
  }
  // Products that are no longer sold cannot be priced.
  for (const sku of Object.keys(state.items)) {
    if (!state.catalogue.items.some((product) => product.sku === sku)) delete state.items[sku];
  }
  drawAll();
  paying.draw();
  price();
}

begin();
