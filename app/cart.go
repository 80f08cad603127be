package app

import (
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Item is a line that a buyer requests.
type Item struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Cart is what a quote and an order have in common.
type Cart struct {
	User    string
	Items   []Item
	Coupons []string
}

// check refuses what no shop could sell and merges duplicates of one sku, so that
// each sku stands once, in the order of first mention.
func (c *Cart) check() error {
	if err := shop.CheckID("/userId", c.User); err != nil {
		return err
	}
	if len(c.Items) == 0 {
		return fault.Invalidf("/items", "at least one item")
	}
	if len(c.Items) > pricing.MaxLines {
		return fault.Invalidf("/items", "at most %d lines, not %d", pricing.MaxLines, len(c.Items))
	}
	if len(c.Coupons) > pricing.MaxCoupons {
		return fault.Invalidf("/couponCodes", "at most %d codes", pricing.MaxCoupons)
	}
	merged := make([]Item, 0, len(c.Items))
	for i, it := range c.Items {
		if shop.CheckID("", it.Sku) != nil {
			return shop.CheckID(fmt.Sprintf("/items/%d/sku", i), it.Sku)
		}
		if it.Quantity < 1 || it.Quantity > pricing.MaxQuantity {
			return fault.Invalidf(fmt.Sprintf("/items/%d/quantity", i), "must be from 1 to %d", pricing.MaxQuantity)
		}
		j := slices.IndexFunc(merged, func(m Item) bool { return m.Sku == it.Sku }) // a map costs more for 20
		if j < 0 {
			merged = append(merged, it)
			continue
		}
		if merged[j].Quantity += it.Quantity; merged[j].Quantity > pricing.MaxQuantity {
			return fault.Invalidf(fmt.Sprintf("/items/%d/quantity", i), "the lines of %s add up to more than %d", it.Sku, pricing.MaxQuantity)
		}
	}
	c.Items = merged
	codes := make([]string, 0, len(c.Coupons))
	for i, code := range c.Coupons {
		if err := marketing.CheckCode(fmt.Sprintf("/couponCodes/%d", i), code); err != nil {
			return err
		}
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	c.Coupons = codes
	return nil
}

// skus are the ids of the items.
func (c *Cart) skus() []string {
	ids := make([]string, len(c.Items))
	for i := range c.Items {
		ids[i] = c.Items[i].Sku
	}
	return ids
}

// line is an item in the form that pricing takes.
func line(d *inventory.Data, quantity int64) pricing.Line {
	return pricing.Line{Sku: d.Sku, Name: d.Name, Categories: d.Categories, UnitPrice: d.Price, Quantity: quantity}
}

// buyer is a user in the form that pricing takes.
func buyer(u *shop.User) pricing.User { return pricing.User{ID: u.ID, Level: u.Level, Tags: u.Tags} }

func skuNotFound(sku string) error {
	err := fault.New(fault.SkuNotFound, "there is no sku %q; PUT /v1/skus/%s makes it", sku, sku)
	err.Fields = []fault.Field{{Pointer: "/items", Message: "no such sku: " + sku}}
	return err
}
