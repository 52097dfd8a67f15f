package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment"
)

// printEvaluation prints the figures, and none where there is nothing to be right about.
func printEvaluation(w io.Writer, rows []assignment.Labelled, strict, lenient *assignmentv1.Evaluation) error {
	sectors, categories, crimes := 0, 0, 0
	for i := range rows {
		if rows[i].Sector != "" {
			sectors++
		}
		switch rows[i].Category {
		case "":
		case "criminal":
			crimes++
			fallthrough
		default:
			categories++
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	percent := func(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }
	line := func(name string, of int, strict, lenient float64) {
		if of == 0 {
			fmt.Fprintf(t, "%s\t–\t–\t\n", name)
			return
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", name, percent(strict), percent(lenient))
	}
	fmt.Fprintf(t, "%d rows\tstrict\tlenient\t\n", strict.GetRows())
	line("sector", sectors, strict.GetSectorAccuracy(), lenient.GetSectorAccuracy())
	line("category", categories, strict.GetCategoryAccuracy(), lenient.GetCategoryAccuracy())
	line("criminal recall", crimes, strict.GetCriminalRecall(), lenient.GetCriminalRecall())
	fmt.Fprintf(t, "below threshold %g\t%s\t\t\n", assignment.Threshold, percent(strict.GetBelowThreshold()))
	fmt.Fprintf(t, "\t\t\t\nsector\trows\tstrict\tlenient\t\n")
	for i, s := range strict.GetSectors() {
		l := lenient.GetSectors()[i]
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t\n", s.GetSector(), s.GetRows(),
			percent(float64(s.GetRight())/float64(s.GetRows())), percent(float64(l.GetRight())/float64(l.GetRows())))
	}
	fmt.Fprintf(t, "\t\t\t\nconfusion (lenient)\tsaid\trows\t\n")
	for _, c := range lenient.GetConfusions() {
		fmt.Fprintf(t, "%s\t%s\t%d\t\n", c.GetIs(), either(c.GetSaid(), "unknown"), c.GetRows())
	}
	return t.Flush()
}
