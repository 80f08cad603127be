package api

import (
	"github.com/danielgtaylor/huma/v2"
)

// DocumentPush describes the push endpoints, which others mount beside these
// (see Options.Document): huma serves neither sockets nor event streams.
func DocumentPush(d *huma.OpenAPI) {
	either := []map[string][]string{{secretScheme: {}}, {clientScheme: {}}}
	token := &huma.Param{Name: "token", In: "query", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The token, for browsers, whose EventSource and WebSocket send no Authorization header"}
	refused := func(status string) *huma.Response { return &huma.Response{Ref: "#/components/responses/" + status} }

	d.AddOperation(&huma.Operation{
		Method: "GET", Path: "/v1/orders/{orderNo}/events", OperationID: "streamOrder", Tags: []string{"Events"}, Security: either,
		Summary: "The events of an order, as Server-Sent Events",
		Description: "First the present state, then each event when it happens. `seq` rises by one: none is missing, none comes twice. " +
			"A browser that reconnects sends `Last-Event-ID` automatically and gets what it missed.",
		Parameters: []*huma.Param{
			{Name: "orderNo", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "after", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger}, Description: "The last seq that the caller has"},
			{
				Name:        "Last-Event-ID",
				In:          "header",
				Schema:      &huma.Schema{Type: huma.TypeString},
				Description: "The same; used instead of after when both are sent",
			},
			token,
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {
				Schema:  &huma.Schema{Type: huma.TypeString},
				Example: "id: 5\nevent: order.paid\ndata: {\"type\":\"order.paid\",\"orderNo\":\"12026060104000012300000000017\",\"seq\":5,\"status\":\"paid\",\"message\":\"支付成功\",\"at\":\"2026-06-01T04:00:31.2Z\"}\n\n",
			}}},
			"401": refused("Unauthorized"), "403": refused("Forbidden"), "404": refused("NotFound"), "503": refused("ServiceUnavailable"),
		},
	})
	d.AddOperation(&huma.Operation{
		Method: "GET", Path: "/v1/ws", OperationID: "openSocket", Tags: []string{"Events"}, Security: append(either, map[string][]string{}),
		Summary: "The events of any number of orders, over a WebSocket",
		Description: "Send `{\"type\":\"auth\",\"token\":\"…\"}` first, or `?token=`; then `{\"type\":\"subscribe\",\"orderNo\":\"…\",\"after\":4}`. " +
			"The answer is `{\"type\":\"subscribed\",\"orderNo\":\"…\",\"status\":\"…\",\"seq\":4}`, then one message for each event. A secret key may subscribe to " +
			"a `userId`, or to the shop. It closes with 1008 (bad token), 1001 (draining) or 1013 (overloaded, or the client reads too slowly).",
		Parameters: []*huma.Param{token},
		Responses:  map[string]*huma.Response{"101": {Description: "The socket is open"}, "503": refused("ServiceUnavailable")},
	})
}
