// Package formats holds the mapping files of senders' formats (报送格式): which column is which field, how times and
// values are written. They are data: an operator adds his own in a directory of his choice.
package formats

import "embed"

// Files are the mapping files that come with the program.
//
//go:embed *.yaml
var Files embed.FS

// Ledger are those of ledger files (台账), in the folder ledger.
//
//go:embed ledger/*.yaml
var Ledger embed.FS
