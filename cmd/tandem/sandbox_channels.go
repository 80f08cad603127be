package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/shop"
)

// noAddress stands where the settings of a channel have the address of the
// gateway. Where the sandbox is differs from start to start, so it is not
// stored: sandboxChannels puts it in when such a channel is opened. By a
// program that does not, the channel reaches nothing.
const noAddress = "https://sandbox.invalid"

// sandboxChannels knows the channels of the installation's sandbox by their
// merchant, whatever their names.
type sandboxChannels struct {
	keys *sandbox.Keys // nil: the installation has no sandbox
	// address is where the sandbox is for this process, or why it is nowhere.
	address func() (string, error)
}

// readSandbox reads which channels are the sandbox's. They cannot be opened
// before address is set.
func readSandbox(ctx context.Context, db app.Admin) (*sandboxChannels, error) {
	keys, err := storedSandboxKeys(ctx, db, nil)
	return &sandboxChannels{keys: keys, address: noSandboxHere}, err
}

func noSandboxHere() (string, error) {
	return "", fault.New(fault.ChannelNotConfigured,
		"this channel is the sandbox's, and this server has no sandbox; PUT /v1/channels/… sets up a real one")
}

// owns says whether the settings are those of the sandbox's merchant.
func (c *sandboxChannels) owns(settings json.RawMessage) bool {
	var s struct{ Kind, MchID, APIV3Key, AppID, SellerID string }
	if c.keys == nil || json.Unmarshal(settings, &s) != nil {
		return false
	}
	switch s.Kind {
	case "wechatpay":
		return s.MchID == c.keys.WechatPay.MchID && s.APIV3Key == c.keys.WechatPay.APIv3Key
	case "alipay":
		return s.AppID == c.keys.Alipay.AppID && s.SellerID == c.keys.Alipay.SellerID
	}
	return false
}

// kinds are the kinds, whose channels of the sandbox are opened at its address.
func (c *sandboxChannels) kinds(all []app.ChannelKind) []app.ChannelKind {
	for i := range all {
		open := all[i].Open
		all[i].Open = func(settings json.RawMessage) (app.Configured, error) {
			if !c.owns(settings) {
				return open(settings)
			}
			address, err := c.address()
			if err != nil {
				return app.Configured{}, err
			}
			if settings, err = at(settings, address); err != nil {
				return app.Configured{}, err
			}
			return open(settings)
		}
	}
	return all
}

// at are the settings with another address of the gateway.
func at(settings json.RawMessage, address string) (json.RawMessage, error) {
	var members map[string]any
	if err := json.Unmarshal(settings, &members); err != nil {
		return nil, err
	}
	if members["kind"] == "alipay" {
		members["gatewayUrl"] = address + "/gateway.do"
	} else {
		members["baseUrl"] = address
	}
	return json.Marshal(members)
}

// storedSandboxKeys are the sandbox's keys of the installation. If it has none, they
// are what propose makes; a nil propose leaves it at nil.
func storedSandboxKeys(ctx context.Context, db app.Admin, propose func() (*sandbox.Keys, error)) (*sandbox.Keys, error) {
	const name = "sandbox-keys"
	kept, err := db.Secret(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		if propose == nil {
			return nil, nil
		}
		made, err := propose()
		if err != nil {
			return nil, err
		}
		proposed, err := json.Marshal(made)
		if err != nil {
			return nil, err
		}
		if kept, err = db.Secret(ctx, name, proposed); err != nil {
			return nil, err
		}
	}
	keys := &sandbox.Keys{}
	return keys, json.Unmarshal(kept, keys)
}

// openSandbox makes the gateway, or finds the one of another instance on the
// same database, and fills in the channels that were never configured.
func (sv *server) openSandbox(ctx context.Context) error {
	// Making the keys takes a start longer than all the rest, so it is done only
	// if the installation has none.
	keys, err := storedSandboxKeys(ctx, sv.db, func() (*sandbox.Keys, error) { return sandbox.GenerateKeys(rand.Reader, sv.clock.Now()) })
	if err != nil {
		return err
	}
	sv.sandboxed.keys = keys
	if err := sv.refuseRealChannels(ctx); err != nil {
		return err
	}
	own := "http://" + reachable(sv.addr)
	release, holder, err := sv.db.HoldSandbox(ctx, own)
	if err != nil {
		return fmt.Errorf("the sandbox: %w", err)
	}
	if holder == "" {
		sv.endSandbox = release
		sv.sandbox = sandbox.New(sandbox.Options{Clock: sv.clock, Rand: rand.Reader, Log: sv.log, Keys: keys, PublicURL: sv.url})
	}
	// Calls go to this instance in either case: it knows where the sandbox is
	// when they come.
	sv.sandboxed.address = func() (string, error) { return own, nil }
	for name, settings := range sandboxSettings(keys, noAddress) {
		if err := sv.app.FillChannel(ctx, sv.book, shop.Default, name, settings); err != nil {
			return err
		}
	}
	return nil
}

// reachable is where a listener can be called from its own machine: one that
// listens on all addresses has none that could be called.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// refuseRealChannels fails if a shop has a channel that is not the sandbox's: where
// money is real, nothing may be paid by pressing a button.
func (sv *server) refuseRealChannels(ctx context.Context) error {
	if sv.cfg.SandboxBesideRealChannels {
		return nil
	}
	shops, err := sv.db.Shops(ctx)
	if err != nil {
		return err
	}
	for i := range shops {
		err := sv.book.Each(ctx, shops[i].ID, func(name string, settings json.RawMessage) error {
			if sv.sandboxed.owns(settings) {
				return nil
			}
			return usageError{fmt.Errorf("shop %s has a real channel, %s, so the sandbox is not mounted: "+
				"start with --production or --no-sandbox, or with --sandbox-beside-real-channels if it is to be there all the same", shops[i].ID, name)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sandboxHandler serves the sandbox: the gateway of this instance, or a way to
// that of another.
func (sv *server) sandboxHandler() http.Handler {
	if sv.sandbox != nil {
		return sv.sandbox.Handler()
	}
	find := func(ctx context.Context) (*url.URL, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		holder, err := sv.db.SandboxHolder(ctx)
		if err == nil && holder == "" {
			err = errors.New("the instance that had the sandbox has stopped, and its trades with it: restart this one to have it here")
		}
		if err != nil {
			return nil, err
		}
		return url.Parse(holder)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		to, err := find(r.Context())
		if err != nil {
			http.Error(rw, "the sandbox: "+err.Error(), http.StatusBadGateway)
			return
		}
		proxy := httputil.ReverseProxy{
			Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host },
			ErrorLog: sv.http.ErrorLog,
		}
		proxy.ServeHTTP(rw, r)
	})
}
