// Listening to an order.
import { backoff, retryAfter, TandemError } from './request.js';

/**
 * Watches an order over the first transport that works: WebSocket,
 * server-sent events, long polling. Each transport is a function that connects,
 * listens until the connection ends, and resolves to how it went: 'worked',
 * 'failed' (it delivered nothing), 'upgrade' (time to try the other transports
 * again), or an error after which no attempt can succeed.
 *
 * The number of the last event is kept across connections, so that events
 * between two connections are requested, and an event that arrives twice is
 * reported once.
 */
export function watchOrder(env, url, order, { onChange = () => {}, onTransport = () => {}, onError = reportError, lang = '' } = {}) {
  let last = Number.isInteger(order.version) ? order.version : null; // null: unknown until the first answer
  let gapAfter = null; // the number after which missing events were requested
  let wait = 0; // ms to wait before the next connection, from the server
  let closed = false;
  let transport = 'connecting';
  let hangUp = () => {}; // ends the present connection
  let wake = () => {}; // ends the pause between two connections

  const query = lang ? `?lang=${encodeURIComponent(lang)}` : '';

  const setTransport = (name) => {
    if (closed || name === transport) return;
    transport = name;
    onTransport(name);
  };
  const report = (message) => {
    last = message.seq;
    onChange({ ...message, orderNo: order.orderNo, transport });
  };

  /** Takes one message of a stream; false says that some before it are missing. */
  function take(message) {
    if (closed || !Number.isInteger(message.seq) || (message.orderNo && message.orderNo !== order.orderNo)) return true;
    if (message.type === 'subscribed') {
      // Missed events follow one by one. A number below the last one means that
      // the caller's version was wrong: then this state is reported.
      if (last === null || message.seq < last) report(message);
      return true;
    }
    if (last !== null && message.seq <= last) return true; // reported before
    if (last !== null && message.seq > last + 1 && gapAfter !== last) {
      gapAfter = last; // requested once: the server may not have them
      return false;
    }
    report(message);
    return true;
  }

  // Statuses that no further attempt can change.
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
      // In a message and not in the URL, because URLs appear in logs.
      ws.send(JSON.stringify({ type: 'auth', token: order.clientToken }));
      ws.send(JSON.stringify({ type: 'subscribe', orderNo: order.orderNo, ...(last !== null && { after: last }) }));
    };
    ws.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === 'subscribed') {
        worked = true;
        clearTimeout(timer);
        setTransport('websocket');
      }
      if (message.type === 'error' && !worked) end(refused(Number(Object.keys(final).find((s) => final[s] === message.code)), message.detail));
      else if (!take(message)) end('worked');
    };
    ws.onclose = (event) => {
      if (event.code === 1008 && event.reason.startsWith('bad token')) end(refused(401, event.reason));
      else end(worked ? 'worked' : 'failed');
    };
  });

  // By fetch and not by EventSource, which cannot send an Authorization header
  // and does not report why it was refused.
  const events = async () => {
    const abort = new AbortController();
    hangUp = () => abort.abort();
    let timer = setTimeout(hangUp, env.connectTime);
    let worked = false;
    try {
      const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${order.clientToken}` };
      if (last !== null) headers['Last-Event-ID'] = String(last);
      const res = await env.fetch(`${url}/events${query}`, { headers, cache: 'no-store', signal: abort.signal });
      wait = retryAfter(res);
      if (!res.ok) return refused(res.status);
      for await (const message of messages(res.body, () => {
        clearTimeout(timer);
        timer = setTimeout(hangUp, env.silence);
      })) {
        worked = true;
        setTransport('sse');
        if (!take(message)) break;
      }
    } catch {
      // The connection broke, or hangUp ended it.
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
        wait = retryAfter(res);
        outage = res.status >= 500;
        return refused(res.status);
      }
      setTransport('polling');
      if (body && (last === null || body.version > last)) {
        report({ type: 'order.changed', seq: body.version, status: body.status, order: body });
      }
      etag = res.headers.get('ETag') ?? etag;
      // After an outage, or after some time, the other transports may work again.
      if (outage || Date.now() > until) {
        outage = false;
        return 'upgrade';
      }
      // A server that answers at once, or without an ETag, is not polled too often.
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

  async function run() {
    const transports = env.WebSocket ? [socket, events, poll] : [events, poll];
    let current = 0, failures = 0, losses = 0, tries = env.socketTries;
    while (!closed) {
      const since = Date.now();
      wait = 0;
      let how = 'failed';
      try {
        how = await transports[current]();
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
        [current, failures, tries] = [0, 0, 1];
        continue;
      }
      losses = Date.now() - since > env.steady ? 1 : losses + 1;
      if (how === 'worked') {
        [failures, tries] = [0, env.socketTries];
      } else if (++failures >= tries && current < transports.length - 1) {
        [current, failures, losses] = [current + 1, 0, 0];
        continue;
      }
      setTransport('reconnecting');
      await pause(Math.max(wait, backoff(env, losses)));
    }
  }

  // After sleep or a change of network the browser may not notice that a
  // connection is broken.
  let hidden = 0;
  const reconnect = () => {
    hangUp();
    wake();
  };
  const onVisible = () => {
    if (document.visibilityState === 'hidden') hidden = Date.now();
    else if (Date.now() - hidden > 30_000) reconnect();
  };
  globalThis.addEventListener?.('online', reconnect);
  globalThis.document?.addEventListener('visibilitychange', onVisible);

  function close() {
    if (closed) return;
    setTransport('closed');
    closed = true;
    reconnect();
    globalThis.removeEventListener?.('online', reconnect);
    globalThis.document?.removeEventListener('visibilitychange', onVisible);
  }

  run();
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

/** The messages of an event stream; onData is called for all data, also comments. */
async function* messages(stream, onData) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onData();
    text += decoder.decode(value, { stream: true });
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      if (data.length) yield JSON.parse(data.join('\n'));
    }
  }
}
