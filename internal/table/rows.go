package table

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// MaxRow bounds a raw row in bytes.
const MaxRow = 16 << 10

// RawRow is one row of a file as it stands there, without its line end.
type RawRow struct {
	// Line is where the row begins, from 1; the header row is the first.
	Line int
	// Raw is the row, at most MaxRow bytes: of a longer one its beginning, which a parser refuses as too long.
	Raw []byte
}

// Rows takes a file apart into raw rows, the header row first. Quoted cells may hold line ends; LF, CRLF and CR before
// the end of file end a row; empty lines are left out. It works on bytes, in any encoding of this package, and needs
// memory for one row only. A quote that does not match costs its own line and not the rest of the file.
func Rows(r io.Reader, comma byte) iter.Seq2[RawRow, error] {
	return func(yield func(RawRow, error) bool) {
		s := splitter{in: bufio.NewReaderSize(r, 4*MaxRow), comma: comma, line: 1}
		for {
			row, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(RawRow{}, err)
				return
			}
			if len(row.Raw) > 0 && !yield(row, nil) {
				return
			}
		}
	}
}

type splitter struct {
	in    *bufio.Reader
	comma byte
	line  int
}

func (s *splitter) next() (RawRow, error) {
	// a row that fits is found within MaxRow bytes; Peek returns less only at the end of the file
	window, err := s.in.Peek(MaxRow)
	if err != nil && !errors.Is(err, io.EOF) {
		return RawRow{}, err
	}
	if len(window) == 0 {
		return RawRow{}, io.EOF
	}
	end, state := scan(window, s.comma)
	if state == atEnd || len(window) < MaxRow && (state == atStart || state == inCell || state == behindQuote) {
		return s.take(window[:end]), s.discard(end) // at the end of the file a row needs no line end
	}
	// too long, or quotes that do not match: the row is its first line
	line := bytes.IndexByte(window, '\n')
	if line < 0 {
		return s.tooLong(window)
	}
	return s.take(window[:line+1]), s.discard(line + 1)
}

// take copies a row out of the window and counts its lines.
func (s *splitter) take(raw []byte) RawRow {
	row := RawRow{Line: s.line, Raw: bytes.Clone(bytes.TrimRight(raw, "\r\n"))}
	s.line += bytes.Count(raw, []byte{'\n'})
	return row
}

func (s *splitter) discard(n int) error {
	_, err := s.in.Discard(n)
	return err
}

// tooLong keeps the beginning of a line without end and passes over the rest of it.
func (s *splitter) tooLong(window []byte) (RawRow, error) {
	row := RawRow{Line: s.line, Raw: bytes.Clone(window)}
	if len(window) < MaxRow { // an open quote in the last line
		return row, s.discard(len(window))
	}
	for {
		_, err := s.in.ReadSlice('\n')
		if err == nil {
			s.line++
			return row, nil
		}
		if errors.Is(err, io.EOF) {
			return row, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return RawRow{}, err
		}
	}
}

type scanState int

const (
	atStart     scanState = iota // of a cell
	inCell                       // without quotes
	inQuotes                     // of a quoted cell
	behindQuote                  // that closes a cell, or is the first of a doubled one
	atEnd                        // of the row
	malformed                    // something follows a closing quote
)

// scan goes over the first row, to behind its line end. A quote opens only at the start of a cell.
func scan(b []byte, comma byte) (int, scanState) {
	state := atStart
	for i, c := range b {
		switch {
		case state == inQuotes:
			if c == '"' {
				state = behindQuote
			}
		case c == '\n':
			return i + 1, atEnd
		case c == comma:
			state = atStart
		case c == '"' && (state == atStart || state == behindQuote):
			state = inQuotes
		case state != behindQuote:
			state = inCell
		case c != '\r':
			return i, malformed
		}
	}
	return len(b), state
}
