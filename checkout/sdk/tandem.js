/**
 * The Tandem checkout SDK: price a cart, place an order, pay it and listen to
 * it from a browser, with no dependencies and no build step.
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
 * backend (quoteUrl, orderUrl), which forwards the body and the Idempotency-Key
 * and returns the answer. Paying, cancelling and listening go to Tandem (baseUrl)
 * with the client token that came with the order.
 *
 * One intent, one key: an idempotency key is made when a buyer first starts an
 * action, such as placing an order, and every repeat of that action (a second
 * click, a retry after a lost answer, a reload of the page) carries it until
 * the answer is certain. So no sequence of faults makes two orders of one
 * action. The action together with its key is called an intent.
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
    // Called through a function, because a browser's fetch must be called on window.
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    WebSocket: 'WebSocket' in options ? options.WebSocket : globalThis.WebSocket,
    attempts: 6, // of one request, in all
    backoff: 300, // ms; doubles with each retry
    backoffCap: 8_000,
    patience: 60_000, // ms: for a longer Retry-After the call is rejected at once
    timeout: 20_000, // ms for one attempt
    quoteDelay: 150, // ms for which a cart must not change before it is quoted
    intentLife: 10 * 60_000, // ms for which an order without an answer is repeated with its key
    socketTries: 3, // failed attempts in a row before the next transport is tried
    connectTime: 8_000, // ms within which a connection must deliver something
    silence: 60_000, // ms without data after which an event stream counts as broken
    steady: 10_000, // ms after which a connection counts as stable, and the backoff starts anew
    retrySocket: 60_000, // ms of polling before the other transports are tried again
    ...options.timing,
  };
  const quoteUrl = options.quoteUrl ?? `${env.base}/v1/quotes`;
  const orderUrl = options.orderUrl ?? `${env.base}/v1/orders`;
  const of = (order, rest = '') => `${env.base}/v1/orders/${encodeURIComponent(order.orderNo)}${rest}`;
  const intents = new Intents(options.storage ?? safeStorage());

  let supersede = () => {};

  /** Prices a cart after a short delay; a newer call rejects the older with `superseded`. */
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

  /** Places an order, once for each intent, however often it is called or repeated. */
  function placeOrder(cart, { expectedPayableAmount } = {}) {
    return intents.run('order', { ...cart, expectedPayableAmount }, place, { life: env.intentLife });
  }

  /** Continues with an order whose answer was lost in a reload; null when there is none. */
  function resume() {
    const pending = intents.pending('order');
    return pending ? intents.run('order', JSON.parse(pending.body), place, { life: env.intentLife }) : null;
  }

  /** Opens a payment; the same request again returns the same payment for as long as it is open. */
  function pay(order, request) {
    // Each way of paying has an intent of its own: a buyer who tries another
    // one and comes back gets the same payment.
    const slot = `pay/${order.orderNo}/${canonical(request)}`;
    const call = (intent) => send(env, of(order, '/payments'), { method: 'POST', token: order.clientToken, key: intent.key, body: intent.body });
    const open = (a) => a.body.status === 'created' || a.body.status === 'pending';
    // The intent is kept after its answer for as long as the payment is open,
    // so that the same request again returns this payment and opens no second
    // one.
    const run = () => intents.run(slot, request, call, { keep: open });
    // A payment that has succeeded is the answer, unless it was an instalment
    // and the order waits for the next.
    const isAnswer = async (a) => open(a) || !a.replayed
      || (a.body.status === 'succeeded' && (await get(order)).status !== 'partially_paid');
    return run().then(async (a) => (await isAnswer(a) ? a : run())).then((a) => a.body);
  }

  /** Cancels an order that is not paid. */
  function cancel(order, { reason } = {}) {
    return intents.run(`cancel/${order.orderNo}`, { reason }, (intent) =>
      send(env, of(order, '/cancel'), { method: 'POST', token: order.clientToken, key: intent.key, body: intent.body }).then((a) => a.body));
  }

  const get = (order) => send(env, of(order), { token: order.clientToken }).then((a) => a.body);
  /** Reports every change of an order once, until it is closed. */
  const watch = (order, listener) => watchOrder(env, of(order), order, listener);
  return { quote, placeOrder, resume, pay, cancel, get, watch, bindButton };
}

/**
 * Runs an action on click, one at a time: the button is disabled and
 * aria-busy until the action is done, and for at least quiet ms.
 *
 * @param {HTMLButtonElement} button
 * @param {(event: Event) => unknown} action
 * @param {{quiet?: number, enabled?: () => boolean, onError?: (error: unknown) => void}} [options]
 * @returns {() => void} removes the listener
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
      // A disabled button loses the focus; keyboard users need it back.
      if (focused && button.ownerDocument.activeElement === button.ownerDocument.body) button.focus();
    }
  };
  button.addEventListener('click', onClick);
  return () => button.removeEventListener('click', onClick);
}

/**
 * Formats minor units without floating-point numbers: 123456 is ¥1,234.56.
 *
 * @param {number} minor
 * @param {string} [currency] ISO 4217
 * @param {string} [locale]
 * @returns {string}
 */
export function formatAmount(minor, currency = 'CNY', locale = undefined) {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const digits = format.resolvedOptions().maximumFractionDigits;
  // The digits are split as text, because a division would give a floating-point
  // number; the whole part is an integer, which the format may group.
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const cut = text.length - digits;
  const parts = format.formatToParts(Number(text.slice(0, cut)));
  return (minor < 0 ? '-' : '') + parts.map((part) => (part.type === 'fraction' ? text.slice(cut) : part.value)).join('');
}

/**
 * Intents keeps the intents, each in a named slot, in memory and in the tab's
 * sessionStorage: a reload finds them again, another tab has its own.
 */
class Intents {
  constructor(storage) {
    this.storage = storage;
    this.intents = new Map(); // slot → intent
    this.inFlight = new Map(); // slot → {body, promise}
  }

  /** The intent in a slot; null if there is none or it is too old. */
  pending(slot) {
    let found = this.intents.get(slot);
    try {
      found ??= JSON.parse(this.storage.getItem(`tandem/${slot}`));
    } catch {
      // Not an intent, or storage is forbidden.
    }
    return found && (found.until === null || Date.now() < found.until) ? found : null;
  }

  /**
   * Runs call with the intent of a request: the one in the slot if it has the
   * same request, else a new one. The same request while it runs gets the same
   * promise. A certain answer ends the intent, unless keep returns true for it.
   */
  run(slot, request, call, { keep = () => false, life = null } = {}) {
    const body = canonical(request);
    const running = this.inFlight.get(slot);
    if (running?.body === body) return running.promise;
    let intent = this.pending(slot);
    if (intent?.body !== body) {
      intent = { key: newKey(), body, until: life && Date.now() + life };
      this.write(slot, intent);
    }
    const end = () => {
      // A request with a changed cart may have replaced the intent meanwhile.
      if (this.pending(slot)?.key === intent.key) this.write(slot, null);
    };
    const promise = call(intent).then((answer) => {
      if (!keep(answer)) end();
      return answer;
    }, (error) => {
      if (!error.unknown) end();
      throw error;
    }).finally(() => {
      if (this.inFlight.get(slot)?.promise === promise) this.inFlight.delete(slot);
    });
    this.inFlight.set(slot, { body, promise });
    return promise;
  }

  write(slot, intent) {
    try {
      if (intent) {
        this.intents.set(slot, intent);
        this.storage.setItem(`tandem/${slot}`, JSON.stringify(intent));
      } else {
        this.intents.delete(slot);
        this.storage.removeItem(`tandem/${slot}`);
      }
    } catch {
      // Storage is full or forbidden: then a reload loses the intent.
    }
  }
}

/** JSON with sorted keys: equal carts have equal texts. */
function canonical(value) {
  return JSON.stringify(value, (_, v) =>
    (v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v));
}

/** A random key. crypto.randomUUID exists only on secure pages, and not on a plain LAN address. */
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
