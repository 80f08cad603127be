// Requests, and how they are repeated.

/** What every call of the SDK is rejected with. `code` is stable: branch on it. */
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
    this.unknown = unknown; // true: it may have happened; the same call again repeats the same intent
  }
}

/**
 * One request, repeated until its outcome is certain or the patience ends.
 * Repeating is safe: it is a read, or it carries its intent's key.
 */
export async function send(env, url, { method = 'GET', token, key, body, signal, attempts = env.attempts }) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers['Idempotency-Key'] = key;
  for (let attempt = 1; ; attempt++) {
    let error, asked = 0; // ms that the server asks to wait
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, env.timeout);
    signal?.addEventListener('abort', stop);
    try {
      const res = await env.fetch(url, { method, headers, body, signal: limit.signal });
      if (res.ok) return { body: await res.json(), replayed: res.headers.get('Idempotent-Replayed') === 'true' };
      error = await problem(res);
      asked = retryAfter(res);
    } catch (cause) {
      // No answer, or half of one: it may have happened all the same.
      error = new TandemError({ code: 'network_error', detail: 'the server could not be reached', unknown: true, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
    if (!error.unknown || attempt >= attempts || asked > env.patience || signal?.aborted) throw error;
    await sleep(Math.max(asked, backoff(env, attempt)));
    if (signal?.aborted) throw error;
  }
}

/** Says of a refusal whether it is the last word. */
async function problem(res) {
  let doc = {};
  try {
    doc = await res.json();
  } catch {
    // A proxy's own page: the status has to do.
  }
  const code = doc.code ?? `http_${res.status}`;
  const again = res.status === 408 || res.status === 425 || res.status === 429 || res.status >= 500;
  return new TandemError({
    code, status: res.status, detail: doc.detail ?? doc.title ?? res.statusText, errors: doc.errors, traceId: doc.traceId,
    unknown: again && code !== 'channel_rejected', // the channel's own no is certain
  });
}

/** Milliseconds of a Retry-After header, which has seconds or a date. */
export function retryAfter(res) {
  const said = res.headers.get('Retry-After');
  if (!said) return 0;
  const ms = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return ms > 0 ? ms : 0;
}

/** Doubles with each attempt, and takes a random part of it, so that a crowd does not come back as a crowd. */
export function backoff(env, attempt) {
  const most = Math.min(env.backoffCap, env.backoff * 2 ** (attempt - 1));
  return most / 2 + Math.random() * (most / 2);
}

export const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
