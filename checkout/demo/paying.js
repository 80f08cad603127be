// From an order to its money: the way to pay, the code to scan, and what
// happens meanwhile, as the server tells it.
import { bindButton } from '../sdk/tandem.js';
import { $, complaint, h } from './dom.js';
import { lines, money, reasons, totals } from './price.js';
import { moneyBack } from './refund.js';
import { locale, word } from './words.js';

const remembered = 'tandem.demo.order';
const final = ['paid', 'completed', 'refunded', 'closed'];

export function createPaying({ checkout, root, ways: askWays, phone, onPaid, onClosed }) {
  let ways = []; // to pay in this shop, once they are known
  let favourite = ''; // the channel that was chosen last
  let order = null; // as it was placed, with the newest status and the chosen channel
  let opened = {}; // the open payments, by channel: one for each that was chosen
  let asking = 0; // how many payments are being asked for
  let read = null; // the order as it was read last, for what went back
  let watch = null;
  let events = [];
  let transport = 'connecting';
  let latency = null; // ms
  let note = '';
  let offset = 0; // the server's clock less ours, ms
  let since = Infinity; // when the listening began, by the server's clock

  const now = () => Date.now() + offset;

  async function setClock() {
    try {
      const sent = Date.now();
      const { now: told } = await (await fetch(`${root}/demo/clock`)).json();
      const got = Date.now();
      offset = Date.parse(told) - (sent + got) / 2;
    } catch {
      // Ours will do.
    }
  }

  function keep() {
    try {
      if (order) sessionStorage.setItem(remembered, JSON.stringify(order));
      else sessionStorage.removeItem(remembered);
    } catch {
      // A reload will not find the order; it closes by itself.
    }
  }

  async function open(placed) {
    watch?.close();
    [order, opened, read, events, latency, note, transport, since] = [placed, {}, null, [], null, '', 'connecting', Infinity];
    order.channel ??= favourite;
    asking++; // from here on: there is nothing to press meanwhile
    keep();
    draw();
    if (!$('paying').open) $('paying').showModal();
    await setClock();
    since = now();
    // From the first event on, so that a reloaded page has the whole story.
    watch = checkout.watch({ ...order, version: 0 }, {
      onChange: heard,
      onTransport(name) {
        transport = name;
        draw();
      },
      onError: failed,
    });
    await pay();
    asking--;
    draw();
  }

  const chosen = () => ways.find((way) => way.channel === order.channel) ?? ways[0];

  /** Opens a payment by the chosen channel, unless there is one. */
  async function pay() {
    if (final.includes(order.status) || order.payableAmount === 0) return;
    const [of, at] = [order, opened];
    let way = null;
    note = '';
    asking++;
    draw();
    try {
      ways = await askWays();
      way = of === order ? chosen() : null;
      if (of === order && !way) throw { code: 'channel_not_configured' };
      if (way && !at[way.channel]) {
        const payment = await checkout.pay(of, { channel: way.channel, method: way.method });
        at[way.channel] = payment;
        ended(payment.paymentNo, payment.status);
      }
    } catch (error) {
      // The buyer may have left, or chosen the other one meanwhile.
      if (of === order && (!way || way === chosen())) failed(error);
    }
    asking--;
    draw();
  }

  /** What was opened by the other channel stays open: it is the same payment when the buyer comes back. */
  function choose(channel) {
    order.channel = favourite = channel;
    keep();
    pay();
  }

  /** Reads the order for what its events do not say: why it closed, and what went back. */
  async function learn(has) {
    const of = order;
    try {
      has ??= await checkout.get(of);
    } catch {
      return; // the next event asks again
    }
    if (of !== order || has.version < (read?.version ?? 0)) return;
    read = has;
    order.closeReason = has.closeReason;
    for (const payment of has.payments) ended(payment.paymentNo, payment.status);
    keep();
    draw();
  }

  /** A payment that is open no more has no code to show. */
  function ended(paymentNo, status) {
    if (!['succeeded', 'failed', 'closed'].includes(status)) return;
    for (const [channel, payment] of Object.entries(opened)) {
      if (payment.paymentNo === paymentNo) delete opened[channel];
    }
  }

  function heard(change) {
    const at = change.at ?? change.order?.paidAt;
    events.push({ type: change.type, at, message: change.message });
    const [of, what] = change.type.split('.');
    if (of === 'payment') ended(change.paymentNo, what);
    if (change.order || of === 'refund' || change.type === 'order.closed') learn(change.order);
    if (change.seq <= order.version) { // a chapter that we knew the end of
      draw();
      return;
    }
    const was = order.status;
    order.version = change.seq;
    order.status = change.type === 'order.closing' ? 'closing' : change.status;
    if (final.includes(order.status)) note = '';
    if (order.status === 'paid' && was !== 'paid') {
      // What was paid before this page listened tells nothing of its speed.
      if (at && Date.parse(at) >= since) latency = { ms: Math.max(0, Math.round(now() - Date.parse(at))), transport: change.transport };
      onPaid();
    }
    if (order.status === 'closed' && was !== 'closed') onClosed();
    keep();
    draw();
  }

  function failed(error) {
    note = complaint(error);
    draw();
  }

  /** The address behind the code: the phone page where there is one, else what a wallet reads. */
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
    $('wire').title = word('transportTitle');
    $('transport').textContent = word(`transport/${transport}`);

    const to = target();
    const source = to ? `${root}/demo/qr?text=${encodeURIComponent(to)}` : '';
    if (to && $('qr').getAttribute('src') !== source) $('qr').src = source;
    $('qr').alt = word('codeAlt');
    $('qr').hidden = !to;
    $('making').hidden = Boolean(to);
    $('phone').hidden = !(waiting && to && phone());
    if (to && phone()) $('phone').href = to;
    $('again').hidden = !(waiting && !to && asking === 0);
    $('code-box').hidden = !waiting || !$('again').hidden;
    $('hint').textContent = waiting && to ? word(phone() ? 'scanSandbox' : `scan/${chosen().kind}`) ?? word('scan/other') : '';

    say($('status'), word(`status/${status}`) ?? status);
    say($('refund'), read ? moneyBack(read).join('\n') : '');
    $('countdown').hidden = !waiting;
    const reason = word(`reason/${order.closeReason}`);
    $('latency').textContent = latency ? word('latency', { ms: latency.ms, transport: word(`transport/${latency.transport}`) })
      : status === 'closed' ? [reason, word('released')].filter(Boolean).join(' · ') : '';
    if (latency) $('latency').dataset.ms = latency.ms;
    else delete $('latency').dataset.ms;
    $('paying-alert').textContent = note;

    $('bought').replaceChildren(h('ul', { class: 'lines' }, ...lines(order)), h('div', { class: 'explained' }, ...reasons(order)), h('dl', { class: 'totals' }, ...totals(order)));
    const time = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' });
    $('events').replaceChildren(...events.map((event) => h('li', { 'data-type': event.type },
      h('span', {}, word(`event/${event.type}`) ?? event.message ?? event.type), event.at && h('time', { datetime: event.at }, time.format(new Date(event.at))))));
    $('number').textContent = order.orderNo;
    $('cancel').hidden = !waiting;
    $('back').hidden = !ended;
    tick();
  }

  function drawWays(waiting) {
    $('ways').hidden = !waiting || ways.length < 2;
    const names = ways.map((way) => word(`way/${way.kind}`) ?? way.channel);
    if ($('ways').dataset.names !== names.join('\n')) { // made anew only then, or the focus would be lost
      $('ways').dataset.names = names.join('\n');
      $('choices').replaceChildren(...ways.map((way, i) => h('label', { 'data-kind': way.kind },
        h('input', { type: 'radio', name: 'way', value: way.channel, onchange: () => choose(way.channel) }), h('span', {}, names[i]))));
    }
    for (const radio of $('choices').querySelectorAll('input')) radio.checked = radio.value === chosen()?.channel;
  }

  /** Sets a live region's text only if it is another, or it would be read out again. */
  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
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
    keep();
    $('paying').close();
  }

  bindButton($('again'), pay);
  bindButton($('cancel'), () => checkout.cancel(order), { onError: failed });
  $('back').addEventListener('click', leave);
  $('paying').addEventListener('cancel', (event) => {
    // Escape leaves a finished order; one that waits has a button for it.
    event.preventDefault();
    if (final.includes(order?.status)) leave();
  });

  /** Goes on with an order that waited when the page was reloaded. */
  async function restore() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(remembered));
    } catch {
      // Nothing kept.
    }
    if (kept?.clientToken) await open(kept);
  }

  return { open, draw, restore };
}
