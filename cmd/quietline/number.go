package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
)

// numberCmd reads numbers without a mesh: one raw number a line in, one CSV row each out.
type numberCmd struct {
	Files  []string `arg:"" optional:"" help:"Files with one number a line; none or - reads standard input." placeholder:"FILE"`
	Places string   `help:"Table of mobile segments (号段归属地表) that goes before the built-in place data: CSV with prefix, province, city." env:"QUIETLINE_PLACES" type:"existingfile" placeholder:"FILE"`
}

const numberHeader = "raw,kind,normalized,province,city,carrier,organization,reason\n"

// Run writes the header whatever comes, then a row for every line, an empty one too.
func (c *numberCmd) Run() error {
	if err := phone.LoadPlacesFile(c.Places); err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	if err := c.read(out); err != nil {
		return err
	}
	return out.Flush()
}

func (c *numberCmd) read(out *bufio.Writer) error {
	if _, err := out.WriteString(numberHeader); err != nil {
		return err
	}
	if len(c.Files) == 0 {
		return readNumbers(os.Stdin, out)
	}
	for _, name := range c.Files {
		if err := readFile(name, out); err != nil {
			return err
		}
	}
	return nil
}

func readFile(name string, out *bufio.Writer) error {
	if name == "-" {
		return readNumbers(os.Stdin, out)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return readNumbers(f, out)
}

// maxLine bounds a line; what stands behind it is left out, and the row says so.
const maxLine = 1 << 20

// readNumbers writes a row for every line.
func readNumbers(in io.Reader, out *bufio.Writer) error {
	lines := linesOf(in)
	for {
		line, cut, err := lines.next()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if !last || line != "" {
			writeNumber(out, line, cut)
		}
		if last {
			return nil
		}
		if _, err := out.Write(nil); err != nil { // a broken pipe ends it
			return err
		}
	}
}

// lineReader cuts a text into lines. They end with LF or CRLF, the last one with or without.
type lineReader struct {
	*bufio.Reader
	long []byte // a line that is longer than the buffer
}

// linesOf takes off a byte-order mark at the very beginning, which is none of the first number; a text in UTF-16 with one,
// the "Unicode text" of spreadsheets, is read as such.
func linesOf(in io.Reader) *lineReader {
	const buffer = 1 << 16
	r := bufio.NewReaderSize(in, buffer)
	mark, _ := r.Peek(len("\ufeff"))
	switch {
	case bytes.Equal(mark, []byte("\ufeff")):
		_, _ = r.Discard(len(mark))
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		r = bufio.NewReaderSize(transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), buffer)
	}
	return &lineReader{Reader: r}
}

// next is the next line, cut at its bound. The last one comes with io.EOF, empty where the text ended with a line's end.
func (r *lineReader) next() (line string, cut bool, err error) {
	part, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = append(r.long[:0], part...)
		for errors.Is(err, bufio.ErrBufferFull) {
			part, err = r.ReadSlice('\n')
			room := maxLine - len(r.long)
			cut = cut || len(bytes.TrimRight(part, "\r\n")) > room
			r.long = append(r.long, part[:min(len(part), room)]...)
		}
		part = r.long
	}
	part = bytes.TrimSuffix(part, []byte("\n"))
	return string(bytes.TrimSuffix(part, []byte("\r"))), cut, err
}

// writeNumber writes one row. The operator is that of the segment, as segment tables name it; only mobiles have one.
func writeNumber(out *bufio.Writer, raw string, cut bool) {
	n := phone.Parse(raw)
	quoted(out, raw)
	for _, field := range [...]string{
		n.GetKind(), n.GetNormal(), phone.ProvinceName(n.GetProvince()), n.GetCity(), phone.SegmentOwner(n), n.GetOrganization(), reasonOf(n, cut),
	} {
		_ = out.WriteByte(',')
		quoted(out, field)
	}
	_ = out.WriteByte('\n')
}

func reasonOf(n *commonv1.Number, cut bool) string {
	switch {
	case cut:
		return "行过长，只读取前 1 MiB"
	case n.GetReason() == "" && n.GetPlaceBasis() == phone.BasisInferred:
		return "归属地按号段分配惯例推定"
	}
	return n.GetReason()
}

// quoted writes a field as RFC 4180 has it: in quotes where it must be, its own quotes doubled.
func quoted(out *bufio.Writer, field string) {
	if field == "" || !strings.ContainsAny(field, ",\"\r\n") && field[0] != ' ' && field[0] != '\t' {
		_, _ = out.WriteString(field)
		return
	}
	_ = out.WriteByte('"')
	for {
		i := strings.IndexByte(field, '"')
		if i < 0 {
			break
		}
		_, _ = out.WriteString(field[:i+1])
		_ = out.WriteByte('"')
		field = field[i+1:]
	}
	_, _ = out.WriteString(field)
	_ = out.WriteByte('"')
}
