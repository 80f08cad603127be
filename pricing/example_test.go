package pricing_test

import (
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

func ExamplePrice() {
	ten := money.Percent(1000)
	rules := pricing.Compile([]pricing.Promotion{
		{ID: "all-10", Name: "全场九折", Kind: "percent_off", PercentOff: &ten, Priority: 1},
		{ID: "full-100", Name: "满100减10", Kind: "amount_off", Threshold: 10000, AmountOff: 1000},
	})
	quote, err := pricing.Price(pricing.Input{
		Currency: "CNY",
		Now:      time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC),
		Lines: []pricing.Line{
			{Sku: "tea", Name: "Tea", UnitPrice: 2990, Quantity: 3},
			{Sku: "cup", Name: "Cup", UnitPrice: 1500, Quantity: 1},
		},
		Rules: rules,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("payable", money.FormatYuan(quote.Payable))
	for _, a := range quote.Applied {
		fmt.Println(a.Name, "-"+money.FormatYuan(a.Amount))
	}
	for _, s := range quote.Skipped {
		fmt.Println(s.Name, s.Reason+":", s.Detail)
	}
	// Output:
	// payable 94.23
	// 全场九折 -10.47
	// 满100减10 threshold_not_met: 5.77 more for 满100减10; 100.00 was reached before earlier discounts
}
