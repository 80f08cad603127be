package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountPromotionKinds() { rest.Add(s.rest, listPromotionKinds, s.listPromotionKinds) }

var listPromotionKinds = rest.Operation{
	Route: "GET /v1/promotion-kinds", ID: "listPromotionKinds", Tag: "Promotions", Summary: "Every kind of promotion and its parameters",
	Details: "To make forms for promotions from. All of them are on one page, in the order in which rules are applied.",
	Response: `{"items":[{"name":"fixed_price","title":"Fixed price","titleZh":"限时价",` +
		`"about":"every unit in scope costs ` + "`price`" + `, if that is lower","aboutZh":"范围内每件按 ` + "`price`" + ` 计价，仅当低于现价","step":"price",` +
		`"parameters":[{"name":"price","type":"integer","required":true,"min":1,"max":1000000000000000,"unit":"money","label":"price of a unit","labelZh":"单价"}]}]}`,
}

func (s *server) listPromotionKinds(context.Context, *struct{}) (*rest.Answer[rest.List[pricing.KindInfo]], error) {
	return &rest.Answer[rest.List[pricing.KindInfo]]{Body: rest.List[pricing.KindInfo]{Items: pricing.Kinds()}}, nil
}
