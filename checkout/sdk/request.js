// Requests and their retries.

/** The error with which every call of the SDK is rejected. `code` is stable: branch on it. */
export class TandemError extends Error {
  /**
   * @param {{code: string, status?: number, detail?: string, errors?: {pointer: string, message: string}[],
   *   traceId?: string, unknown?: boolean, cause?: unknown}} from
   */
  constructor({ code, status = 0, detail = '', errors = [], traceId = '', unknown = false, cause }) {
    super(detail || code, { cause });
    this.name = 'TandemError';
    this.code = code;
    this.status = status; // 0: there was no answer
    this.detail = detail;
    this.errors = errors;
    this.traceId = traceId;
    this.unknown = unknown; // true: it may have taken effect; the same call again repeats the same intent
  }
}

/**
 * Sends one request, and repeats it until its outcome is certain or the
 * attempts are used up. Repeating is safe: it is a read, or it carries its
 * intent's idempotency key.
 */
export async function send(env, url, { method = 'GET', token, key, body, signal, attempts = env.attempts }) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers['Idempotency-Key'] = key;
  for (let attempt = 1; ; attempt++) {
    let error, wait = 0; // ms to wait before the next attempt, from the server
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, env.timeout);
    signal?.addEventListener('abort', stop);
    try {
      const res = await env.fetch(url, { method, headers, body, signal: limit.signal });
      if (res.ok) return { body: await res.json(), replayed: res.headers.get('Idempotent-Replayed') === 'true' };
      error = await problem(res);
      wait = retryAfter(res);
    } catch (cause) {
      // No answer, or an incomplete one: the request may have taken effect.
      error = new TandemError({ code: 'network_error', detail: 'the server could not be reached', unknown: true, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
    if (!error.unknown || attempt >= attempts || wait > env.patience || signal?.aborted) throw error;
    await sleep(Math.max(wait, backoff(env, attempt)));
    if (signal?.aborted) throw error;
  }
}

/** Makes an error of a response that is not a success, and says whether a retry may help. */
async function problem(res) {
  let doc = {};
  try {
    doc = await res.json();
  } catch {
    // Not a problem document, such as a proxy's error page: only the status is known.
  }
  const code = doc.code ?? `http_${res.status}`;
  const retry = res.status === 408 || res.status === 425 || res.status === 429 || res.status >= 500;
  return new TandemError({
    code, status: res.status, detail: doc.detail ?? doc.title ?? res.statusText, errors: doc.errors, traceId: doc.traceId,
    unknown: retry && code !== 'channel_rejected', // a refusal by the channel is certain
  });
}

/** The milliseconds to wait by a Retry-After header, which has seconds or a date. */
export function retryAfter(res) {
  const header = res.headers.get('Retry-After');
  if (!header) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}

/** A pause that doubles with each attempt; its second half is random, so that clients do not retry at the same moment. */
export function backoff(env, attempt) {
  const longest = Math.min(env.backoffCap, env.backoff * 2 ** (attempt - 1));
  return longest / 2 + Math.random() * (longest / 2);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
