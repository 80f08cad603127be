// Package checkout is the buyer's side: the browser SDK, and a demo shop that
// is built with it.
//
// The SDK (sdk/tandem.js, one ES module without dependencies) is the first of
// the layers that keep one intent from becoming two orders: it debounces,
// keeps buttons disabled while they work, makes one idempotency key for each
// intent and repeats with the same key until the answer is certain, across a
// reload of the page too. It listens to an order by WebSocket, and falls back
// to Server-Sent Events and then to long polling where a network allows no
// better; it reports no event twice and loses none while falling back. Payments
// by several channels may be open at once, one for each intent; what is paid
// beyond the price is refunded automatically, and the order shows it.
//
// The demo is a page (demo/) and the small backend that every shop needs
// beside it: quoting and placing take the shop's secret key, which a browser
// must not have. So the page quotes and places here, under /demo, and does
// the rest (paying, listening, cancelling) on the public API with the client
// token of its order.
package checkout
