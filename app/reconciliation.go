package app

import "github.com/tandem-pay/tandem/rows"

// DiscrepancyFilter narrows a list of discrepancies; zero fields do not.
type DiscrepancyFilter struct {
	Channel string
	Day     string
	Class   string
	Status  rows.DiscrepancyStatus
}
