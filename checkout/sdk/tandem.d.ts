// Types of the Tandem checkout SDK. Amounts are integers of minor units (fen),
// times are RFC 3339 in UTC.

export interface Cart {
  userId?: string;
  items: { sku: string; quantity: number }[];
  /** Codes; for a quote also 'best': the server chooses from the buyer's coupons, and answers with the codes to order with. */
  couponCodes?: string[] | 'best';
}

export interface Line {
  sku: string;
  name: string;
  quantity: number;
  unitPrice: number;
  totalAmount: number;
  discountAmount: number;
  payableAmount: number;
  gift: boolean;
}

export interface AppliedDiscount {
  source: 'promotion' | 'coupon';
  id: string;
  code?: string;
  name: string;
  kind: string;
  version: number;
  amount: number;
  /** `line` is an index into `items`. */
  lines: { line: number; amount: number }[];
}

export interface SkippedDiscount {
  source: 'promotion' | 'coupon';
  id: string;
  code?: string;
  name: string;
  /** A stable code: threshold_not_met, not_enough_units, coupon_used, … */
  reason: string;
  detail: string;
  /** The same in Chinese, from servers that send it. */
  detailZh?: string;
  /** What is missing, in minor units or in units of goods. */
  missing?: number;
}

export interface Quote {
  currency: string;
  totalAmount: number;
  discountAmount: number;
  payableAmount: number;
  items: Line[];
  appliedDiscounts: AppliedDiscount[];
  skippedDiscounts: SkippedDiscount[];
  /** Only when the best coupons were requested. */
  best?: {
    /** In the order in which to send them with the order. */
    couponCodes: string[];
    /** How many of the buyer's coupons could give a discount on this cart. */
    of: number;
    /** The search ended at a limit: there may be a better choice. */
    stopped: boolean;
  };
}

export type OrderStatus =
  | 'draft' | 'pending_payment' | 'partially_paid' | 'payment_failed'
  | 'paid' | 'completed' | 'refunded' | 'closed';

export interface Order {
  orderNo: string;
  userId: string;
  status: OrderStatus;
  currency: string;
  totalAmount: number;
  discountAmount: number;
  payableAmount: number;
  paidAmount: number;
  /** Refunded to the buyer, of what was applied to the order. */
  refundedAmount: number;
  /** In refunds that are pending. */
  refundingAmount: number;
  items: Line[];
  appliedDiscounts: AppliedDiscount[];
  payments: Payment[];
  /** Absent when it is paid all at once. */
  instalments?: { amount: number; dueAt: string; paidAmount: number; status: 'due' | 'paid' | 'overdue' }[];
  createdAt: string;
  /** When the order closes unless paid; in instalments, when the next part is due. */
  expiresAt: string;
  paidAt?: string;
  closedAt?: string;
  closeReason?: string;
  /** The number of the order's last event. */
  version: number;
  metadata?: Record<string, string>;
  /** On creation only: allows to read, pay, cancel and listen to this order. */
  clientToken?: string;
}

/** An order as returned when it is placed. */
export type PlacedOrder = Order & { clientToken: string };

/** What paying, cancelling and listening need of an order. */
export interface OrderHandle {
  orderNo: string;
  clientToken: string;
  /** If given, `watch` reports every event after this version. */
  version?: number;
}

export interface Payment {
  paymentNo: string;
  orderNo: string;
  channel: string;
  method: string;
  amount: number;
  status: 'created' | 'pending' | 'succeeded' | 'failed' | 'closed';
  action?: {
    kind: 'qr_code' | 'redirect' | 'sdk_params';
    codeUrl?: string;
    url?: string;
    params?: Record<string, string>;
  };
  expiresAt: string;
  /** Refunded to the buyer, including what was more than due. */
  refundedAmount: number;
  /** In pending refunds of what was applied to the order. */
  refundingAmount: number;
  /** The payment that the buyer paid twice: this is the second transaction, which is refunded automatically. */
  repeatOf?: string;
}

export interface PayRequest {
  channel: string;
  method: 'native' | 'jsapi' | 'h5' | 'app' | 'page' | 'wap' | 'precreate';
  /** When absent the next instalment, or all that is due. */
  amount?: number;
  payer?: { openId?: string };
  returnUrl?: string;
}

export type Transport = 'connecting' | 'websocket' | 'sse' | 'polling' | 'reconnecting' | 'closed';

export interface Change {
  /** The event's type; `subscribed` for the state at the beginning, `order.changed` while polling. */
  type: string;
  orderNo: string;
  /** Rises by one with every event of the order. */
  seq: number;
  status: OrderStatus;
  /** For people, in the requested language. */
  message?: string;
  /** When it happened, by the server's clock. */
  at?: string;
  paymentNo?: string;
  refundNo?: string;
  /** Of order.instalment_due and order.instalment_overdue. */
  dueAt?: string;
  /** The whole order, while polling. */
  order?: Order;
  transport: Transport;
}

export interface Listener {
  /**
   * Called once for every event, in order. While polling, the events between
   * two answers are reported as one change with the number of the last one.
   */
  onChange?(change: Change): void;
  onTransport?(transport: Transport): void;
  /** Watching has ended for good: the token or the order is not known. */
  onError?(error: TandemError): void;
  /** Language of `message`: `zh` or `en`; the browser's when absent. */
  lang?: string;
}

export interface Watch {
  close(): void;
  readonly transport: Transport;
  readonly seq: number | null;
}

export interface Options {
  /** Where Tandem is; the page's own origin when absent. */
  baseUrl?: string;
  /** Your backend's address for quotes, which adds the secret key. */
  quoteUrl?: string;
  /** Your backend's address for orders, which adds the secret key. */
  orderUrl?: string;
  fetch?: typeof fetch;
  /** `null` disables sockets. */
  WebSocket?: typeof WebSocket | null;
  /** Where intents are kept across reloads; sessionStorage when absent. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** For tests and unusual networks; the source of createCheckout explains each one. */
  timing?: Partial<Record<
    'attempts' | 'backoff' | 'backoffCap' | 'patience' | 'timeout' | 'quoteDelay' | 'intentLife'
    | 'socketTries' | 'connectTime' | 'silence' | 'steady' | 'retrySocket', number>>;
}

export interface Checkout {
  /**
   * Prices a cart. Waits a moment for further changes; a newer call
   * rejects the older one with the code `superseded`.
   */
  quote(cart: Cart): Promise<Quote>;

  /**
   * Places an order, once for each intent. While an answer is missing
   * (network, 5xx, 429) it repeats with the same key, then rejects with
   * `unknown: true`; calling it again with the same cart continues the
   * same intent, also after a reload. A changed cart is a new intent.
   *
   * Give `expectedPayableAmount`, the price that you have shown: if the price
   * has changed, the order is refused with `price_changed`.
   */
  placeOrder(cart: Cart, options?: { expectedPayableAmount?: number }): Promise<PlacedOrder>;

  /**
   * Continues with an order whose answer was lost in a reload of the page; null
   * when there is none. Call it when your page starts.
   */
  resume(): Promise<PlacedOrder> | null;

  /**
   * Opens a payment. The same request again returns the same payment for as
   * long as it is open, whatever was requested in between, and opens a new one
   * after it has failed or been closed, or if it paid one of several instalments. Payments by
   * two channels may be open at the same time: what is paid beyond the price is
   * refunded automatically, and `watch` reports it (refund.created, refund.succeeded).
   */
  pay(order: OrderHandle, request: PayRequest): Promise<Payment>;

  cancel(order: OrderHandle, options?: { reason?: string }): Promise<Order>;
  get(order: OrderHandle): Promise<Order>;

  /** Reports every change of an order until it is closed; none is lost or reported twice. */
  watch(order: OrderHandle, listener: Listener): Watch;

  bindButton: typeof bindButton;
}

export function createCheckout(options?: Options): Checkout;

/**
 * Runs an action on click, one at a time: the button is disabled and
 * aria-busy until the action is done and for `quiet` ms from the click at
 * least, so that a double click is one click. Returns a function that removes
 * the listener.
 */
export function bindButton(
  button: HTMLButtonElement,
  action: (event: Event) => unknown,
  options?: {
    quiet?: number;
    /** Whether the button is to be enabled afterwards. */
    enabled?: () => boolean;
    onError?: (error: unknown) => void;
  },
): () => void;

/** Formats minor units without floating-point numbers: 123456 is ¥1,234.56. */
export function formatAmount(minor: number, currency?: string, locale?: string): string;

export class TandemError extends Error {
  /** Stable; the server's codes, or network_error, superseded, http_<status>. */
  readonly code: string;
  /** 0 without an answer. */
  readonly status: number;
  readonly detail: string;
  readonly errors: { pointer: string; message: string }[];
  /** Finds the request in the server's logs. */
  readonly traceId: string;
  /** It may have taken effect: call again to continue the same intent. */
  readonly unknown: boolean;
  constructor(from: {
    code: string; status?: number; detail?: string; errors?: { pointer: string; message: string }[];
    traceId?: string; unknown?: boolean; cause?: unknown;
  });
}
