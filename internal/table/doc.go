// Package table reads the tables that other systems send: CSV in UTF-8 or GB18030, and XLSX. It knows rows, cells and
// where each column stands, and nothing of what they mean; mapping files (deploy/formats) say that.
//
// The encoding is found once, strictly, by the header row: valid UTF-8 is UTF-8, anything else GB18030 where the format
// allows it; a header of ASCII only leaves the question to each row.
//
// The bytes of quotes, delimiters and line ends never occur inside a character of UTF-8 or GB18030 (second bytes of
// GB18030 are 0x30 to 0x39, 0x40 to 0x7E and 0x80 to 0xFE), so Rows needs no decoding; delimiters are limited to comma,
// semicolon and tab for that reason.
//
// A workbook becomes the same raw rows (XLSX), so that all that follows knows one kind of row. What it may unpack to, its
// rows and its columns are bounded.
package table
