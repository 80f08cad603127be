// From an order to its money: the code to scan, and what happens meanwhile,
// as the server tells it.
import { bindButton } from '../sdk/tandem.js';
import { $, complaint, h } from './dom.js';
import { lines, money, reasons, totals } from './price.js';
import { locale, word } from './words.js';

const remembered = 'tandem.demo.order';
const final = ['paid', 'completed', 'refunded', 'closed'];

export function createPaying({ checkout, root, phone, onPaid, onClosed }) {
  let order = null; // as it was placed, with the newest status
  let payment = null;
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
    [order, payment, events, latency, note, transport, since] = [placed, null, [], null, '', 'connecting', Infinity];
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
  }

  async function pay() {
    if (final.includes(order.status) || order.payableAmount === 0) return;
    const asked = order;
    note = '';
    payment = null;
    draw();
    try {
      const opened = await checkout.pay(order, { channel: 'wechatpay', method: 'native' });
      if (asked === order || asked.orderNo === order?.orderNo) payment = opened;
    } catch (error) {
      failed(error);
    }
    draw();
  }

  function heard(change) {
    const at = change.at ?? change.order?.paidAt;
    events.push({ type: change.type, at, message: change.message });
    if (change.seq <= order.version) { // a chapter that we knew the end of
      draw();
      return;
    }
    const was = order.status;
    order.version = change.seq;
    order.status = change.type === 'order.closing' ? 'closing' : change.status;
    if (change.order) order.closeReason = change.order.closeReason;
    if (order.status === 'paid' && was !== 'paid') {
      // What was paid before this page listened tells nothing of its speed.
      if (at && Date.parse(at) >= since) latency = { ms: Math.max(0, Math.round(now() - Date.parse(at))), transport: change.transport };
      onPaid();
    }
    if (order.status === 'closed' && was !== 'closed') {
      onClosed();
      // Why it closed is in the order, not in the message.
      checkout.get(order).then((read) => {
        order.closeReason = read.closeReason;
        draw();
      }, () => {});
    }
    if (order.status === 'payment_failed') payment = null;
    keep();
    draw();
  }

  function failed(error) {
    note = complaint(error);
    draw();
  }

  /** The address behind the code: the phone page where there is one, else what a wallet reads. */
  function target() {
    const code = payment?.action?.codeUrl;
    if (!code) return null;
    return phone() ? `${root}/demo/scan?code_url=${encodeURIComponent(code)}` : code;
  }

  function draw() {
    if (!order) return;
    const status = order.status;
    const ended = final.includes(status);
    const waiting = status === 'pending_payment' || status === 'partially_paid' || status === 'payment_failed';
    $('paying').dataset.status = status;
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
    $('again').hidden = !(waiting && (status === 'payment_failed' || note) && !payment);
    $('code-box').hidden = !waiting || !$('again').hidden;
    $('hint').textContent = waiting && to ? word(phone() ? 'scanSandbox' : 'scan') : '';

    say($('status'), word(`status/${status}`) ?? status);
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
