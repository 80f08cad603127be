// The payment of an order: the choice of a channel, the code to scan, and the
// order's events as the server pushes them.
import { bindButton } from '../sdk/tandem.js';
import { $, errorText, h } from './dom.js';
import { lines, money, reasons, totals } from './price.js';
import { refundTexts } from './refund.js';
import { locale, text } from './texts.js';

const storageKey = 'tandem.demo.order';
const final = ['paid', 'completed', 'refunded', 'closed'];

export function createPaying({ checkout, root, ways: loadWays, phone, onPaid, onClosed }) {
  let ways = []; // to pay in this shop, once they are loaded
  let preferred = ''; // the channel that was chosen last
  let order = null; // as it was placed, with the newest status and the chosen channel
  let opened = {}; // the open payments, by channel
  let opening = 0; // how many payments are being opened
  let read = null; // the order as it was last read from the server, for its refunds
  let watch = null;
  let events = [];
  let transport = 'connecting';
  let latency = null; // ms
  let note = '';
  let offset = 0; // the server's clock minus the browser's, ms
  let since = Infinity; // when this page began to listen, by the server's clock

  const now = () => Date.now() + offset;

  async function setClock() {
    try {
      const sent = Date.now();
      const { now: serverTime } = await (await fetch(`${root}/demo/clock`)).json();
      const received = Date.now();
      offset = Date.parse(serverTime) - (sent + received) / 2;
    } catch {
      // The browser's clock is used instead.
    }
  }

  function store() {
    try {
      if (order) sessionStorage.setItem(storageKey, JSON.stringify(order));
      else sessionStorage.removeItem(storageKey);
    } catch {
      // A reload will not find the order; it expires on the server.
    }
  }

  async function open(placed) {
    watch?.close();
    [order, opened, read, events, latency, note, transport, since] = [placed, {}, null, [], null, '', 'connecting', Infinity];
    order.channel ??= preferred;
    opening++; // already here, so that no button for a new code is shown meanwhile
    store();
    draw();
    if (!$('paying').open) $('paying').showModal();
    await setClock();
    since = now();
    // From the first event on, so that a reloaded page shows all of them.
    watch = checkout.watch({ ...order, version: 0 }, {
      onChange: changed,
      onTransport(name) {
        transport = name;
        draw();
      },
      onError: failed,
    });
    await pay();
    opening--;
    draw();
  }

  const chosen = () => ways.find((way) => way.channel === order.channel) ?? ways[0];

  /** Opens a payment by the chosen channel, unless there is one. */
  async function pay() {
    if (final.includes(order.status) || order.payableAmount === 0) return;
    const [of, at] = [order, opened];
    let way = null;
    note = '';
    opening++;
    draw();
    try {
      ways = await loadWays();
      way = of === order ? chosen() : null;
      if (of === order && !way) throw { code: 'channel_not_configured' };
      if (way && !at[way.channel]) {
        const payment = await checkout.pay(of, { channel: way.channel, method: way.method });
        at[way.channel] = payment;
        ended(payment.paymentNo, payment.status);
      }
    } catch (error) {
      // The buyer may have left the order, or chosen another channel, meanwhile.
      if (of === order && (!way || way === chosen())) failed(error);
    }
    opening--;
    draw();
  }

  /** Switches to a channel. Payments by other channels stay open and are used again if the buyer switches back. */
  function choose(channel) {
    order.channel = preferred = channel;
    store();
    pay();
  }

  /** Reads the order for what its events do not contain: why it was closed, and its refunds. */
  async function refresh(has) {
    const of = order;
    try {
      has ??= await checkout.get(of);
    } catch {
      return; // the next event reads it again
    }
    if (of !== order || has.version < (read?.version ?? 0)) return;
    read = has;
    order.closeReason = has.closeReason;
    for (const payment of has.payments) ended(payment.paymentNo, payment.status);
    store();
    draw();
  }

  /** Forgets a payment that is no longer open, so that its code is not shown. */
  function ended(paymentNo, status) {
    if (!['succeeded', 'failed', 'closed'].includes(status)) return;
    for (const [channel, payment] of Object.entries(opened)) {
      if (payment.paymentNo === paymentNo) delete opened[channel];
    }
  }

  function changed(change) {
    const at = change.at ?? change.order?.paidAt;
    events.push({ type: change.type, at, message: change.message });
    const [of, what] = change.type.split('.');
    if (of === 'payment') ended(change.paymentNo, what);
    if (change.order || of === 'refund' || change.type === 'order.closed') refresh(change.order);
    if (change.seq <= order.version) { // an event of the past, whose effect is known
      draw();
      return;
    }
    const was = order.status;
    order.version = change.seq;
    order.status = change.type === 'order.closing' ? 'closing' : change.status;
    if (final.includes(order.status)) note = '';
    if (order.status === 'paid' && was !== 'paid') {
      // A payment from before this page listened says nothing about the delay.
      if (at && Date.parse(at) >= since) latency = { ms: Math.max(0, Math.round(now() - Date.parse(at))), transport: change.transport };
      onPaid();
    }
    if (order.status === 'closed' && was !== 'closed') onClosed();
    store();
    draw();
  }

  function failed(error) {
    note = errorText(error);
    draw();
  }

  /** The content of the QR code: the sandbox's phone page if there is one, otherwise the channel's code. */
  function target() {
    const code = opened[chosen()?.channel]?.action?.codeUrl;
    if (!code) return null;
    return phone() ? `${root}/demo/scan?code_url=${encodeURIComponent(code)}` : code;
  }

  function draw() {
    if (!order) return;
    const status = order.status;
    const ended = final.includes(status);
    const waiting = status === 'pending_payment' || status === 'partially_paid' || status === 'payment_failed';
    $('paying').dataset.status = status;
    $('paying').dataset.way = waiting ? chosen()?.kind ?? '' : '';
    drawWays(waiting);
    $('amount').textContent = money(order.payableAmount, order.currency);
    $('wire').dataset.transport = transport;
    $('wire').title = text('transportTitle');
    $('transport').textContent = text(`transport/${transport}`);

    const to = target();
    const source = to ? `${root}/demo/qr?text=${encodeURIComponent(to)}` : '';
    if (to && $('qr').getAttribute('src') !== source) $('qr').src = source;
    $('qr').alt = text('codeAlt');
    $('qr').hidden = !to;
    $('making').hidden = Boolean(to);
    $('phone').hidden = !(waiting && to && phone());
    if (to && phone()) $('phone').href = to;
    $('again').hidden = !(waiting && !to && opening === 0);
    $('code-box').hidden = !waiting || !$('again').hidden;
    $('hint').textContent = waiting && to ? text(phone() ? 'scanSandbox' : `scan/${chosen().kind}`) ?? text('scan/other') : '';

    setText($('status'), text(`status/${status}`) ?? status);
    setText($('refund'), read ? refundTexts(read).join('\n') : '');
    $('countdown').hidden = !waiting;
    const reason = text(`reason/${order.closeReason}`);
    $('latency').textContent = latency ? text('latency', { ms: latency.ms, transport: text(`transport/${latency.transport}`) })
      : status === 'closed' ? [reason, text('released')].filter(Boolean).join(' · ') : '';
    if (latency) $('latency').dataset.ms = latency.ms;
    else delete $('latency').dataset.ms;
    $('paying-alert').textContent = note;

    $('bought').replaceChildren(h('ul', { class: 'lines' }, ...lines(order)), h('div', { class: 'explained' }, ...reasons(order)), h('dl', { class: 'totals' }, ...totals(order)));
    const time = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' });
    $('events').replaceChildren(...events.map((event) => h('li', { 'data-type': event.type },
      h('span', {}, text(`event/${event.type}`) ?? event.message ?? event.type), event.at && h('time', { datetime: event.at }, time.format(new Date(event.at))))));
    $('number').textContent = order.orderNo;
    $('cancel').hidden = !waiting;
    $('back').hidden = !ended;
    tick();
  }

  function drawWays(waiting) {
    $('ways').hidden = !waiting || ways.length < 2;
    const names = ways.map((way) => text(`way/${way.kind}`) ?? way.channel);
    if ($('ways').dataset.names !== names.join('\n')) { // created again only then, because that loses the focus
      $('ways').dataset.names = names.join('\n');
      $('choices').replaceChildren(...ways.map((way, i) => h('label', { 'data-kind': way.kind },
        h('input', { type: 'radio', name: 'way', value: way.channel, onchange: () => choose(way.channel) }), h('span', {}, names[i]))));
    }
    for (const radio of $('choices').querySelectorAll('input')) radio.checked = radio.value === chosen()?.channel;
  }

  /** Sets the text of a live region only if it differs, because screen readers would read it again. */
  function setText(element, value) {
    if (element.textContent !== value) element.textContent = value;
  }

  function tick() {
    if (!order || $('countdown').hidden) return;
    const left = Math.max(0, Math.ceil((Date.parse(order.expiresAt) - now()) / 1000));
    const pad = (n) => String(n).padStart(2, '0');
    $('left').textContent = `${pad(Math.floor(left / 60))}:${pad(left % 60)}`;
  }
  setInterval(tick, 500);

  function leave() {
    watch?.close();
    [order, watch] = [null, null];
    store();
    $('paying').close();
  }

  bindButton($('again'), pay);
  bindButton($('cancel'), () => checkout.cancel(order), { onError: failed });
  $('back').addEventListener('click', leave);
  $('paying').addEventListener('cancel', (event) => {
    // Escape leaves a finished order only; one that waits has a button to cancel it.
    event.preventDefault();
    if (final.includes(order?.status)) leave();
  });

  /** Continues with an order that was waiting for payment when the page was reloaded. */
  async function restore() {
    let stored = null;
    try {
      stored = JSON.parse(sessionStorage.getItem(storageKey));
    } catch {
      // Nothing is stored.
    }
    if (stored?.clientToken) await open(stored);
  }

  return { open, draw, restore };
}
