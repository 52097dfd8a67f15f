package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"quietline/internal/table"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment"
)

// classifyCmd classifies rows of a file without the mesh: by the lexicon, and by what was learned where there is any.
type classifyCmd struct {
	Learn    []string `help:"Learn from this labelled CSV first (sector, category), on top of the lexicon." type:"existingfile" sep:"none"`
	Model    string   `help:"Model file: written after --learn, else read." type:"path"`
	Evaluate string   `help:"Hold the answers against this labelled CSV (sector, category; alt_sector, alt_category are also right) and print the figures." type:"existingfile"`
	Out      string   `help:"Write the answers to this CSV file instead of the standard output." type:"path"`
	Lexicon  string   `help:"Directory with another lexicon." type:"existingdir" env:"QUIETLINE_ASSIGNMENT_LEXICON"`
	File     string   `arg:"" optional:"" help:"CSV to classify: id,text[,company,type,number], columns by name; - is the standard input."`
}

// Run learns, evaluates and classifies, as far as each is asked for.
func (c classifyCmd) Run(_ context.Context) error {
	lexicon := assignment.BuiltinLexicon()
	if c.Lexicon != "" {
		lexicon = os.DirFS(c.Lexicon)
	}
	k, err := assignment.NewClassifier(lexicon)
	if err != nil {
		return err
	}
	learned, err := c.learn(k)
	if err != nil {
		return err
	}
	if c.Evaluate != "" {
		if err := c.evaluate(k, learned); err != nil {
			return err
		}
	}
	switch {
	case c.File != "":
		return c.classify(k)
	case c.Evaluate == "" && len(c.Learn) == 0:
		return errors.New("classify: name a file, or - for the standard input, --evaluate or --learn")
	}
	return nil
}

func (c classifyCmd) learn(k *assignment.Classifier) ([]assignment.Labelled, error) {
	if len(c.Learn) == 0 {
		if c.Model == "" {
			return nil, nil
		}
		raw, err := os.ReadFile(c.Model)
		if err != nil {
			return nil, err
		}
		if err := k.Load(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Model, err)
		}
		return nil, nil
	}
	var rows []assignment.Labelled
	for _, name := range c.Learn {
		more, err := labelled(name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	n := k.Learn(rows)
	fmt.Fprintf(os.Stderr, "learned from %d of %d rows\n", n, len(rows))
	if c.Model == "" {
		return rows, nil
	}
	raw, err := k.Save()
	if err != nil {
		return nil, err
	}
	return rows, os.WriteFile(c.Model, raw, 0o600)
}

// evaluate prints how often answers are right, where there is something to hold them against.
func (c classifyCmd) evaluate(k *assignment.Classifier, learned []assignment.Labelled) error {
	rows, err := labelled(c.Evaluate)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(r assignment.Labelled) bool { return r.Sector != "" || r.Category != "" }) {
		return fmt.Errorf("%s: no row says what it is: an evaluation needs the columns sector and category, or one of them", c.Evaluate)
	}
	if n := both(learned, rows); n > 0 {
		fmt.Fprintf(os.Stderr, "warning: %d of %d rows that are evaluated were learned from: the figures are better than they will be on others\n", n, len(rows))
	}
	strict, lenient := k.Evaluate(rows)
	return printEvaluation(os.Stdout, rows, strict, lenient)
}

// both is how many rows were learned from as well, by their identifier and text.
func both(learned, rows []assignment.Labelled) int {
	known := map[[2]string]bool{}
	for i := range learned {
		known[[2]string{learned[i].ID, learned[i].Item.GetText()}] = true
	}
	n := 0
	for i := range rows {
		if known[[2]string{rows[i].ID, rows[i].Item.GetText()}] {
			n++
		}
	}
	return n
}

// classify answers row by row. A row that cannot be read is told with its line and has a row in the answer, so that
// nothing is lost; the command then fails in the end.
func (c classifyCmd) classify(k *assignment.Classifier) error {
	in, name, err := openInput(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	bad := 0
	write := func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		out := csv.NewWriter(buffered)
		if err := out.Write([]string{"id", "category", "sector", "confidence", "why"}); err != nil {
			return err
		}
		err := eachReport(in, name, func(r row) error {
			if r.err != nil {
				bad++
				fmt.Fprintln(os.Stderr, r.err)
				return out.Write([]string{table.Inert(r.id), "", "", "0", "row not read: " + r.err.Error()})
			}
			return out.Write(answer(r.id, k.Classify(r.item)))
		})
		out.Flush()
		return errors.Join(err, out.Error(), buffered.Flush())
	}
	if c.Out == "" {
		err = write(os.Stdout)
	} else {
		err = whole(c.Out, write)
	}
	if err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%s: %d rows could not be read; each is named above and kept in the output", name, bad)
	}
	return nil
}

func answer(id string, got *assignmentv1.Class) []string {
	why := strings.Join(got.GetWhy(), "; ")
	switch {
	case why == "":
		why = "nothing known speaks for any answer: for a person to decide"
	case got.GetConfidence() < assignment.Threshold:
		why = "unsure, for a person to decide (second guess " + either(got.GetSecondSector(), "none") + "); " + why
	}
	if got.GetLevel2() != "" {
		why = "class " + got.GetLevel2() + "; " + why
	}
	return []string{
		table.Inert(id), either(got.GetCategory(), "unknown"), either(got.GetSector(), "unknown"),
		strconv.FormatFloat(got.GetConfidence(), 'f', 3, 64), why,
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// labelled reads rows of which it is known what they are. One that does not read, or that names a sector that there is not,
// would make the figures wrong, so it is refused with its line.
func labelled(file string) ([]assignment.Labelled, error) {
	in, name, err := openInput(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var rows []assignment.Labelled
	err = eachReport(in, name, func(r row) error {
		if r.err != nil {
			return r.err
		}
		if !assignment.Knows(r.label.Sector, r.label.Category) {
			return fmt.Errorf("%s, line %d: unknown sector %q or category %q", name, r.line, r.label.Sector, r.label.Category)
		}
		r.label.ID, r.label.Item = r.id, r.item
		rows = append(rows, r.label)
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s: no rows", name)
	}
	return rows, err
}
