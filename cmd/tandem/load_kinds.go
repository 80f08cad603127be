package main

import (
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/kinds"
)

// loadKinds makes the kinds of channels that load generators use. It is nil but
// in a program that is built with the tag bench.
var loadKinds func(o kinds.Options) []app.ChannelKind
