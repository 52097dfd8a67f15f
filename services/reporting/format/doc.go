// Package format reads the rows that other systems send, by mapping files (报送格式): data, not code.
//
// A mapping file names the columns and what field each is, the encodings, the delimiter, the time zone and forms of
// times, and the meaning of values; deploy/formats has those that come with the program, an operator adds his own in a
// directory. A file without report numbers names the columns whose hash stands for one; name no column with personal
// data there, the hash is not keyed.
//
// The encoding is found once, strictly, by the header row: valid UTF-8 is UTF-8, anything else GB18030 where the format
// allows it; a header of ASCII only leaves the question to each row. A row that breaks its encoding is a Problem of its
// first broken field, and never read by guesswork.
//
// Rows are parsed one by one and never fail: what is unusable is a Problem with the field in the sender's words and a
// reason that does not repeat the value. Canonical is the same for the same cells, whatever the encoding, the order of the
// columns and the quoting, so that its hash tells same content from other content.
package format
