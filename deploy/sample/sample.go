// Package sample is the made-up day that a new mesh loads, so that there is work to see: a file of reports with its own
// sender and number range, and the ledger entries of a few firms that do not exist.
package sample

import _ "embed"

// Sender is the agency that the sample day is filed as.
const Sender = "sample-centre"

// Format is the format of the day.
const Format = "12321"

// Day is the sample day of reports, as the 12321 centre would send it.
//
//go:embed day.csv
var Day []byte

// Ledger is the ledger of the sample's holders.
//
//go:embed ledger.csv
var Ledger []byte
