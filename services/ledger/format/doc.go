// Package format reads and writes the rows of a ledger file (台账文件) by mapping files: data, not code.
//
// A mapping file names the columns and what field each is, the encodings, the delimiter, the forms of dates, what stands
// between the numbers of a list, and the meaning of values; deploy/formats/ledger has those that come with the program, an
// operator adds his own in a directory.
//
// A parsed row is the fields that its file has, each in its one normal form: digits for numbers, sorted lists, dates of
// Shanghai, GB/T 2260 codes. So a file and the ledger can be held against each other field by field, and a field that the
// file does not have is no statement at all. What is unusable is a Problem with the field in the sender's words and a
// reason that does not repeat the value; such a row is kept, repaired and sent again.
//
// Cells that a spreadsheet would take for a formula are written with an apostrophe before them, and read without it.
package format
