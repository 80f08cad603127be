// Listening to an order.
import { backoff, retryAfter, TandemError } from './request.js';

/**
 * Follows an order down a ladder: WebSocket, Server-Sent Events, long
 * polling. Each rung is a function that connects, listens until the
 * connection ends, and resolves to how it went: 'worked', 'failed' (it never
 * said anything), 'upgrade' (time to try the better rungs again), or the
 * error that makes every further attempt useless.
 *
 * The number of the last event goes along from rung to rung, so that what
 * happened between two connections is asked for, and what comes twice is
 * told once.
 */
export function watchOrder(env, url, order, { onChange = () => {}, onTransport = () => {}, onError = reportError, lang = '' } = {}) {
  let last = Number.isInteger(order.version) ? order.version : null; // null: not known before the first answer
  let doubted = null; // the number after which a gap was asked about
  let asked = 0; // ms that the server wants us to stay away
  let closed = false;
  let transport = 'connecting';
  let hangUp = () => {}; // ends the connection that there is
  let wake = () => {}; // ends the pause between two

  const query = lang ? `?lang=${encodeURIComponent(lang)}` : '';

  const now = (name) => {
    if (closed || name === transport) return;
    transport = name;
    onTransport(name);
  };
  const tell = (message) => {
    last = message.seq;
    onChange({ ...message, orderNo: order.orderNo, transport });
  };

  /** Takes one message of a stream; false says that some before it are missing. */
  function take(message) {
    if (closed || !Number.isInteger(message.seq) || (message.orderNo && message.orderNo !== order.orderNo)) return true;
    if (message.type === 'subscribed') {
      // What was missed follows one by one. A number below ours means that
      // ours was wrong: then this is all there is to go by.
      if (last === null || message.seq < last) tell(message);
      return true;
    }
    if (last !== null && message.seq <= last) return true; // told before
    if (last !== null && message.seq > last + 1 && doubted !== last) {
      doubted = last; // asked for once: what the server does not have, it cannot send
      return false;
    }
    tell(message);
    return true;
  }

  // What no further attempt can change.
  const final = { 401: 'unauthorized', 403: 'forbidden', 404: 'not_found' };
  const refused = (status, detail = '') => (final[status] ? new TandemError({ code: final[status], status, detail }) : 'failed');

  const socket = () => new Promise((resolve) => {
    let worked = false;
    const ws = new env.WebSocket(socketUrl(env.base) + query);
    const end = (how) => {
      clearTimeout(timer);
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close();
      resolve(how);
    };
    const timer = setTimeout(() => end('failed'), env.connectTime);
    hangUp = () => end(worked ? 'worked' : 'failed');
    ws.onopen = () => {
      // In a message, not in the address: addresses get into logs.
      ws.send(JSON.stringify({ type: 'auth', token: order.clientToken }));
      ws.send(JSON.stringify({ type: 'subscribe', orderNo: order.orderNo, ...(last !== null && { after: last }) }));
    };
    ws.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === 'subscribed') {
        worked = true;
        clearTimeout(timer);
        now('websocket');
      }
      if (message.type === 'error' && !worked) end(refused(Number(Object.keys(final).find((s) => final[s] === message.code)), message.detail));
      else if (!take(message)) end('worked');
    };
    ws.onclose = (event) => {
      if (event.code === 1008 && event.reason.startsWith('bad token')) end(refused(401, event.reason));
      else end(worked ? 'worked' : 'failed');
    };
  });

  // By fetch and not by EventSource, which can send no Authorization header
  // and tells nobody why it was refused.
  const events = async () => {
    const abort = new AbortController();
    hangUp = () => abort.abort();
    let timer = setTimeout(hangUp, env.connectTime);
    let worked = false;
    try {
      const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${order.clientToken}` };
      if (last !== null) headers['Last-Event-ID'] = String(last);
      const res = await env.fetch(`${url}/events${query}`, { headers, cache: 'no-store', signal: abort.signal });
      asked = retryAfter(res);
      if (!res.ok) return refused(res.status);
      for await (const message of messages(res.body, () => {
        clearTimeout(timer);
        timer = setTimeout(hangUp, env.silence);
      })) {
        worked = true;
        now('sse');
        if (!take(message)) break;
      }
    } catch {
      // Broken off, by them or by hangUp.
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
    return worked ? 'worked' : 'failed';
  };

  let outage = false;
  const poll = async () => {
    const until = Date.now() + env.retrySocket;
    for (let etag = null; !closed;) {
      const abort = new AbortController();
      hangUp = () => abort.abort();
      const since = Date.now();
      const timer = setTimeout(hangUp, env.connectTime + (etag ? 30_000 : 0));
      let res, body;
      try {
        const headers = { Accept: 'application/json', Authorization: `Bearer ${order.clientToken}` };
        if (etag) headers['If-None-Match'] = etag;
        res = await env.fetch(etag ? `${url}?wait=30s` : url, { headers, cache: 'no-store', signal: abort.signal });
        if (res.ok) body = await res.json();
      } catch {
        outage = true;
        return 'failed';
      } finally {
        clearTimeout(timer);
      }
      if (!res.ok && res.status !== 304) {
        asked = retryAfter(res);
        outage = res.status >= 500;
        return refused(res.status);
      }
      now('polling');
      if (body && (last === null || body.version > last)) {
        tell({ type: 'order.changed', seq: body.version, status: body.status, order: body });
      }
      etag = res.headers.get('ETag') ?? etag;
      // A server that is back may have its sockets back.
      if (outage || Date.now() > until) {
        outage = false;
        return 'upgrade';
      }
      // One that does not hold the answer, or gives no ETag, is not to be hammered.
      if (!body || !etag) await pause(Math.max(0, 2_000 - (Date.now() - since)));
    }
    return 'worked';
  };

  const pause = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

  async function follow() {
    const ladder = env.WebSocket ? [socket, events, poll] : [events, poll];
    let rung = 0, failures = 0, losses = 0, tries = env.socketTries;
    while (!closed) {
      const since = Date.now();
      asked = 0;
      let how = 'failed';
      try {
        how = await ladder[rung]();
      } catch {
        // The browser refused to connect at all.
      }
      if (closed) return;
      if (how instanceof TandemError) {
        close();
        onError(how);
        return;
      }
      if (how === 'upgrade') {
        [rung, failures, tries] = [0, 0, 1];
        continue;
      }
      losses = Date.now() - since > env.steady ? 1 : losses + 1;
      if (how === 'worked') {
        [failures, tries] = [0, env.socketTries];
      } else if (++failures >= tries && rung < ladder.length - 1) {
        [rung, failures, losses] = [rung + 1, 0, 0];
        continue;
      }
      now('reconnecting');
      await pause(Math.max(asked, backoff(env, losses)));
    }
  }

  // A browser that slept or changed networks may hold a dead connection and
  // not know it.
  let hidden = 0;
  const again = () => {
    hangUp();
    wake();
  };
  const onVisible = () => {
    if (document.visibilityState === 'hidden') hidden = Date.now();
    else if (Date.now() - hidden > 30_000) again();
  };
  globalThis.addEventListener?.('online', again);
  globalThis.document?.addEventListener('visibilitychange', onVisible);

  function close() {
    if (closed) return;
    now('closed');
    closed = true;
    again();
    globalThis.removeEventListener?.('online', again);
    globalThis.document?.removeEventListener('visibilitychange', onVisible);
  }

  follow();
  return {
    close,
    get transport() { return transport; },
    get seq() { return last; },
  };
}

function socketUrl(base) {
  const url = new URL(`${base}/v1/ws`, globalThis.location?.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

/** The messages of an event stream; heard is called for every sign of life. */
async function* messages(stream, heard) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    text += decoder.decode(value, { stream: true });
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      if (data.length) yield JSON.parse(data.join('\n'));
    }
  }
}
