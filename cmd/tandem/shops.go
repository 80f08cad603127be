package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// shopsCmd is tandem shops.
type shopsCmd struct {
	List shopsListCmd `cmd:"" help:"List the shops."`
	Add  shopsAddCmd  `cmd:"" help:"Make a shop. tandem keys add --shop ID makes its first key."`
}

type shopsListCmd struct{ dbFlags }

func (c *shopsListCmd) Run(ctx context.Context, s streams) error {
	db, _, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Shops(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SHOP\tCURRENCY\tNAME")
	for i := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", all[i].ID, all[i].Currency, all[i].Name)
	}
	return w.Flush()
}

type shopsAddCmd struct {
	dbFlags
	ID       string `arg:"" help:"Letters, digits, - and _, at most 64."`
	Name     string `help:"What people call it; the id when absent."`
	Currency string `help:"Of all its prices, by ISO 4217." default:"CNY"`
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

func (c *shopsAddCmd) Run(ctx context.Context, s streams) error {
	if err := shop.CheckShopID(c.ID); err != nil {
		return usageError{err}
	}
	if !currencyCode.MatchString(c.Currency) {
		return usageError{errors.New("--currency: it must be a code such as CNY")}
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	db, _, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	switch _, err := db.ShopByID(ctx, c.ID); {
	case err == nil:
		return fmt.Errorf("there is a shop %s already", c.ID)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	if err := db.EnsureShop(ctx, shop.Shop{ID: c.ID, Name: c.Name, Currency: c.Currency, CreatedAt: time.Now()}); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "shop %s is made; tandem keys add --shop %s makes its first key\n", c.ID, c.ID)
	return nil
}
