// Shows the products and the promotions.
import { $, h } from './dom.js';
import { picture } from './pictures.js';
import { money } from './price.js';
import { localName, text } from './texts.js';

const maxQuantity = 99; // of one product in a cart

/** Shows the catalogue; calls change(sku, quantity) when the buyer changes a quantity. */
export function drawCatalogue(catalogue, items, change) {
  $('offers').replaceChildren(...catalogue.promotions.map((offer) => h('li', {}, localName(offer.name))));
  $('products').replaceChildren(...catalogue.items.map((product) => card(product, items[product.sku] ?? 0, catalogue.currency, change)));
}

function card(product, quantity, currency, change) {
  const name = localName(product.name);
  const limit = Math.min(maxQuantity, product.available);
  const image = h('div', { class: 'picture' });
  image.innerHTML = picture(product.sku); // a constant of this page, not data from the server
  const count = h('output', {});
  const step = (by) => () => {
    quantity = Math.max(0, Math.min(limit, quantity + by));
    show();
    change(product.sku, quantity);
  };
  const less = h('button', { type: 'button', 'data-step': 'less', 'aria-label': text('less', { name }), onclick: step(-1) }, '−');
  const more = h('button', { type: 'button', 'data-step': 'more', onclick: step(1) }, '+');
  const stepper = h('div', { class: 'stepper', role: 'group', 'aria-label': name }, less, count, more);
  function show() {
    const focused = document.activeElement === less;
    count.textContent = quantity;
    stepper.dataset.quantity = quantity;
    less.hidden = count.hidden = quantity === 0;
    more.disabled = quantity >= limit;
    more.setAttribute('aria-label', text(quantity === 0 ? 'add' : 'more', { name }));
    if (focused && quantity === 0) more.focus(); // or the focus would be lost with the button
  }
  show();
  return h('li', { class: 'card product', 'data-sku': product.sku },
    image,
    h('h3', {}, name),
    h('p', { class: 'cost' }, money(product.price, currency)),
    limit === 0 ? h('p', { class: 'few' }, text('soldOut')) : product.available < 10 && h('p', { class: 'few' }, text('left', { n: product.available })),
    stepper);
}
