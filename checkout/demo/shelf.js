// The products and what is on offer.
import { $, h } from './dom.js';
import { picture } from './pictures.js';
import { money } from './price.js';
import { named, word } from './words.js';

const most = 99; // of one product in a cart

/** Draws the shelf; change(sku, quantity) is called when a buyer wants another quantity. */
export function drawShelf(shelf, items, change) {
  $('offers').replaceChildren(...shelf.promotions.map((offer) => h('li', {}, named(offer.name))));
  $('products').replaceChildren(...shelf.items.map((product) => card(product, items[product.sku] ?? 0, shelf.currency, change)));
}

function card(product, quantity, currency, change) {
  const name = named(product.name);
  const limit = Math.min(most, product.available);
  const image = h('div', { class: 'picture' });
  image.innerHTML = picture(product.sku); // our own constant, nothing of the server's
  const count = h('output', {});
  const step = (by) => () => {
    quantity = Math.max(0, Math.min(limit, quantity + by));
    show();
    change(product.sku, quantity);
  };
  const less = h('button', { type: 'button', 'data-step': 'less', 'aria-label': word('less', { name }), onclick: step(-1) }, '−');
  const more = h('button', { type: 'button', 'data-step': 'more', onclick: step(1) }, '+');
  const stepper = h('div', { class: 'stepper', role: 'group', 'aria-label': name }, less, count, more);
  function show() {
    const focused = document.activeElement === less;
    count.textContent = quantity;
    stepper.dataset.quantity = quantity;
    less.hidden = count.hidden = quantity === 0;
    more.disabled = quantity >= limit;
    more.setAttribute('aria-label', word(quantity === 0 ? 'add' : 'more', { name }));
    if (focused && quantity === 0) more.focus(); // or the focus would be lost with the button
  }
  show();
  return h('li', { class: 'card product', 'data-sku': product.sku },
    image,
    h('h3', {}, name),
    h('p', { class: 'cost' }, money(product.price, currency)),
    limit === 0 ? h('p', { class: 'few' }, word('soldOut')) : product.available < 10 && h('p', { class: 'few' }, word('left', { n: product.available })),
    stepper);
}
