package api

import (
	"context"

	"github.com/tandem-pay/tandem/pricing"
)

func (s *server) mountPromotionKinds() { add(s, listPromotionKinds, s.listPromotionKinds) }

var listPromotionKinds = op{
	call: "GET /v1/promotion-kinds", id: "listPromotionKinds", tag: "Promotions", summary: "Every kind of promotion and its parameters",
	about: "What a form for a promotion is made from. All of them come in one page, in the order in which rules have their turns.",
	answer: `{"items":[{"name":"fixed_price","title":"Fixed price","titleZh":"限时价",` +
		`"about":"every unit in scope costs ` + "`price`" + `, if that is lower","aboutZh":"范围内每件按 ` + "`price`" + ` 计价，仅当低于现价","step":"price",` +
		`"parameters":[{"name":"price","type":"integer","required":true,"min":1,"max":1000000000000000,"unit":"money","label":"price of a unit","labelZh":"单价"}]}]}`,
}

func (s *server) listPromotionKinds(context.Context, *struct{}) (*answer[list[pricing.KindInfo]], error) {
	return &answer[list[pricing.KindInfo]]{Body: list[pricing.KindInfo]{Items: pricing.Kinds()}}, nil
}
