package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

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

// readNumbers writes a row for every line. Lines end with LF or CRLF, the last one with or without; a byte-order mark at
// the very beginning is none of the first number.
func readNumbers(in io.Reader, out *bufio.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<16)
	if mark, _ := lines.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = lines.Discard(3)
	}
	var long []byte
	for {
		line, err := lines.ReadSlice('\n')
		cut := false
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = lines.ReadSlice('\n')
				room := maxLine - len(long)
				cut = cut || len(bytes.TrimRight(line, "\r\n")) > room
				long = append(long, line[:min(len(line), room)]...)
			}
			line = long
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil && len(line) == 0 {
			return nil
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		writeNumber(out, string(bytes.TrimSuffix(line, []byte("\r"))), cut)
		if err != nil {
			return nil
		}
		if _, err := out.Write(nil); err != nil { // a broken pipe ends it
			return err
		}
	}
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
