/**
 * The Tandem checkout SDK: quote, place, pay and listen from a browser, with
 * no dependencies and no build step.
 *
 *     import { createCheckout, bindButton } from '/sdk/tandem.js';
 *     const checkout = createCheckout({ baseUrl: '', quoteUrl: '/shop/quotes', orderUrl: '/shop/orders' });
 *     bindButton(button, async () => {
 *       const order = await checkout.placeOrder(cart, { expectedPayableAmount: shown });
 *       const payment = await checkout.pay(order, { channel: 'wechatpay', method: 'native' });
 *       showCode(payment.action.codeUrl);
 *       checkout.watch(order, { onChange: (change) => show(change.status) });
 *     });
 *
 * Quoting and placing need the shop's secret key, so they go to your own
 * backend (quoteUrl, orderUrl), which passes body and Idempotency-Key on and
 * the answer back. Paying, cancelling and listening go to Tandem (baseUrl)
 * with the client token that came with the order.
 *
 * One intent, one key: a key is made when a buyer first asks for a thing, and
 * every repeat of that wish carries it (a second click, a retry after a lost
 * answer, a reload of the page) until the answer is certain. So no sequence
 * of faults makes two orders of one wish.
 */
import { send, sleep, TandemError } from './request.js';
import { watchOrder } from './watch.js';

export { TandemError };

/**
 * Makes a checkout. The types and the meaning of every option are in
 * tandem.d.ts, which editors find beside this file.
 *
 * @param {import('./tandem.d.ts').Options} [options]
 * @returns {import('./tandem.d.ts').Checkout}
 */
export function createCheckout(options = {}) {
  const env = {
    base: (options.baseUrl ?? '').replace(/\/$/, ''),
    // Called through a function: a browser's fetch wants to be called on window.
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    WebSocket: 'WebSocket' in options ? options.WebSocket : globalThis.WebSocket,
    attempts: 6, // of one request, in all
    backoff: 300, // ms; doubles with each retry
    backoffCap: 8_000,
    patience: 60_000, // ms: a longer Retry-After is told to the caller, not waited for
    timeout: 20_000, // ms for one attempt
    quoteDelay: 150, // ms for which a cart must rest before it is quoted
    intentLife: 10 * 60_000, // ms for which an unanswered order is worth repeating
    socketTries: 3, // failed attempts in a row before events are tried, and of those before polling
    connectTime: 8_000, // ms in which a connection must have said something
    silence: 60_000, // ms without a sign of life after which an event stream is dead
    steady: 10_000, // ms after which a connection counts as good, and its loss as the first
    retrySocket: 60_000, // ms of polling before the better ways are tried again
    ...options.timing,
  };
  const quoteUrl = options.quoteUrl ?? `${env.base}/v1/quotes`;
  const orderUrl = options.orderUrl ?? `${env.base}/v1/orders`;
  const of = (order, rest = '') => `${env.base}/v1/orders/${encodeURIComponent(order.orderNo)}${rest}`;
  const intents = new Intents(options.storage ?? safeStorage());

  let supersede = () => {};

  /** Prices a cart once it rests; a newer call rejects the older with `superseded`. */
  function quote(cart) {
    supersede();
    return new Promise((resolve, reject) => {
      const abort = new AbortController();
      const run = () => send(env, quoteUrl, { method: 'POST', body: JSON.stringify(cart), signal: abort.signal, attempts: 3 }).then((a) => resolve(a.body), reject);
      const timer = setTimeout(run, env.quoteDelay);
      supersede = () => {
        clearTimeout(timer);
        reject(new TandemError({ code: 'superseded', detail: 'a newer cart is being quoted' }));
        abort.abort();
      };
    });
  }

  const place = (intent) => send(env, orderUrl, { method: 'POST', key: intent.key, body: intent.body }).then((a) => a.body);

  /** Places an order, once for each intent, however often it is called or has to try. */
  function placeOrder(cart, { expectedPayableAmount } = {}) {
    return intents.run('order', { ...cart, expectedPayableAmount }, place, { life: env.intentLife });
  }

  /** Goes on with an order whose answer a reload cut off; null when there is none. */
  function resume() {
    const left = intents.left('order');
    return left ? intents.run('order', JSON.parse(left.body), place, { life: env.intentLife }) : null;
  }

  /** Opens a payment; the same wish again is the same payment for as long as it is open. */
  function pay(order, wish) {
    // Each wish has its own place: a buyer who looks at another way of paying
    // and comes back finds the same payment there.
    const slot = `pay/${order.orderNo}/${canonical(wish)}`;
    const ask = (intent) => send(env, of(order, '/payments'), { method: 'POST', token: order.clientToken, key: intent.key, body: intent.body });
    const open = (a) => a.body.status === 'created' || a.body.status === 'pending';
    // The intent outlives its answer for as long as the payment is open:
    // whoever asks again for the same gets the same payment, not a second one
    // beside it.
    const once = () => intents.run(slot, wish, ask, { keep: open });
    // One that succeeded answers for its wish, unless it was an instalment
    // and the order waits for the next.
    const stands = async (a) => open(a) || !a.replayed
      || (a.body.status === 'succeeded' && (await get(order)).status !== 'partially_paid');
    return once().then(async (a) => (await stands(a) ? a : once())).then((a) => a.body);
  }

  /** Cancels an order that is not paid. */
  function cancel(order, { reason } = {}) {
    return intents.run(`cancel/${order.orderNo}`, { reason }, (intent) =>
      send(env, of(order, '/cancel'), { method: 'POST', token: order.clientToken, key: intent.key, body: intent.body }).then((a) => a.body));
  }

  const get = (order) => send(env, of(order), { token: order.clientToken }).then((a) => a.body);
  /** Tells every change of an order, each once, until it is closed. */
  const watch = (order, listener) => watchOrder(env, of(order), order, listener);
  return { quote, placeOrder, resume, pay, cancel, get, watch, bindButton };
}

/**
 * Runs an action on click, one at a time: the button is disabled and
 * aria-busy until the action is done, and for quiet ms at least.
 *
 * @param {HTMLButtonElement} button
 * @param {(event: Event) => unknown} action
 * @param {{quiet?: number, enabled?: () => boolean, onError?: (error: unknown) => void}} [options]
 * @returns {() => void} takes the button off again
 */
export function bindButton(button, action, { quiet = 500, enabled = () => true, onError = reportError } = {}) {
  let busy = false;
  const onClick = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    const since = Date.now();
    const focused = button.ownerDocument.activeElement === button;
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    try {
      await action(event);
    } catch (error) {
      onError(error);
    } finally {
      // The second half of a double click may come after a quick answer.
      await sleep(Math.max(0, quiet - (Date.now() - since)));
      busy = false;
      button.removeAttribute('aria-busy');
      button.disabled = !enabled();
      // A disabled button loses the focus; who uses a keyboard wants it back.
      if (focused && button.ownerDocument.activeElement === button.ownerDocument.body) button.focus();
    }
  };
  button.addEventListener('click', onClick);
  return () => button.removeEventListener('click', onClick);
}

/**
 * Minor units as people read them, without a float: 123456 is ¥1,234.56.
 *
 * @param {number} minor
 * @param {string} [currency] ISO 4217
 * @param {string} [locale]
 * @returns {string}
 */
export function formatAmount(minor, currency = 'CNY', locale = undefined) {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const digits = format.resolvedOptions().maximumFractionDigits;
  // The text is cut where a division would make a float of it; the whole part
  // is an integer, which the format may group.
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const cut = text.length - digits;
  const parts = format.formatToParts(Number(text.slice(0, cut)));
  return (minor < 0 ? '-' : '') + parts.map((part) => (part.type === 'fraction' ? text.slice(cut) : part.value)).join('');
}

/**
 * Intents keeps the key of each wish, in memory and in the tab's
 * sessionStorage: a reload finds it again, another tab has its own.
 */
class Intents {
  constructor(storage) {
    this.storage = storage;
    this.known = new Map(); // slot → intent
    this.flying = new Map(); // slot → {body, promise}
  }

  /** The intent in a slot; null if there is none that is worth repeating. */
  left(slot) {
    let found = this.known.get(slot);
    try {
      found ??= JSON.parse(this.storage.getItem(`tandem/${slot}`));
    } catch {
      // Not ours, or storage is forbidden.
    }
    return found && (found.until === null || Date.now() < found.until) ? found : null;
  }

  /**
   * Runs call with the intent of wish: the one in the slot if that is the
   * same wish, else a new one. Whoever asks while it runs gets the same
   * promise. A certain answer ends the intent, unless keep says that it stays.
   */
  run(slot, wish, call, { keep = () => false, life = null } = {}) {
    const body = canonical(wish);
    const twin = this.flying.get(slot);
    if (twin?.body === body) return twin.promise;
    let intent = this.left(slot);
    if (intent?.body !== body) {
      intent = { key: newKey(), body, until: life && Date.now() + life };
      this.write(slot, intent);
    }
    const end = () => {
      // A changed cart may have put its own intent there meanwhile.
      if (this.left(slot)?.key === intent.key) this.write(slot, null);
    };
    const promise = call(intent).then((answer) => {
      if (!keep(answer)) end();
      return answer;
    }, (error) => {
      if (!error.unknown) end();
      throw error;
    }).finally(() => {
      if (this.flying.get(slot)?.promise === promise) this.flying.delete(slot);
    });
    this.flying.set(slot, { body, promise });
    return promise;
  }

  write(slot, intent) {
    try {
      if (intent) {
        this.known.set(slot, intent);
        this.storage.setItem(`tandem/${slot}`, JSON.stringify(intent));
      } else {
        this.known.delete(slot);
        this.storage.removeItem(`tandem/${slot}`);
      }
    } catch {
      // Full or forbidden: that costs the memory across a reload, no more.
    }
  }
}

/** JSON with sorted keys: two carts that say the same have the same text. */
function canonical(value) {
  return JSON.stringify(value, (_, v) =>
    (v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v));
}

/** randomUUID is there on secure pages only; a shop on a bare LAN address is none. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

function safeStorage() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}
