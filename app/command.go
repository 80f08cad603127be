package app

import (
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// Command is one change of state on its way, see unit.Command. Do gives it
// its decision.
type Command = unit.Command

// Needs names the rows that a command reads or changes, see unit.Needs.
type Needs = unit.Needs

// ChannelMessage is a message to or from a channel, kept as evidence.
type ChannelMessage = rows.ChannelMessage

// Job is a call to the outside that a change requires.
type Job = rows.Job
