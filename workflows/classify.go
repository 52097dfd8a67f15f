package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// maxClassified reports are classified at a time.
const maxClassified = 200

// classifying is whose reports are classified, and what is known of them besides their texts.
type classifying struct {
	place        string // of the activity in its workflow: request IDs follow from it
	complaintID  string
	round        int32
	number       string // in its normal form; forged, it is nobody's
	numberKind   string
	holderSector string
	holderName   string
	// The complaint's class where it stands; empty: the weighted majority of its reports, which their owner works out.
	category, sector string
}

// classify has every report classified by itself and takes over what the complaint comes to. The newest are read again,
// for their texts may have been supplemented; they are last, so that the answer counts all others.
func (a *Activities) classify(ctx context.Context, q classifying, newest []*reportingv1.ReportFacts, t *caseworkv1.Triage) error {
	if len(newest) == maxClassified {
		if err := a.classifyOpen(ctx, q, nil); err != nil {
			return err
		}
	}
	q.place += "/newest" // another request than the same page before
	class, said, err := a.classifyPage(ctx, q, newest)
	if err != nil {
		return err
	}
	threshold := said.GetThreshold()
	t.Category, t.Sector, t.OtherSectors = class.GetCategory(), class.GetSector(), class.GetOtherSectors()
	t.Confident = class.GetConfidence() >= threshold && complete(t.GetCategory(), t.GetSector())
	t.Confidence = strconv.FormatFloat(class.GetConfidence(), 'f', 2, 64)
	detail(said.GetClasses(), t)
	return nil
}

// detail fills in what the newest reports come to besides category and sector: the class below them, who lends, whether
// threats are told, and what else it could be, for the person who decides where the rules are unsure.
func detail(classes []*assignmentv1.Class, t *caseworkv1.Triage) {
	level2, lender := map[string]int{}, map[string]int{}
	sector, category := map[string]int{}, map[string]int{}
	for _, c := range classes {
		t.Threats = t.GetThreats() || c.GetThreats()
		lender[c.GetLender()]++
		if c.GetCategory() == t.GetCategory() && c.GetSector() == t.GetSector() {
			level2[c.GetLevel2()]++
			sector[c.GetSecondSector()]++
			category[c.GetSecondCategory()]++
			continue
		}
		sector[c.GetSector()]++
		category[c.GetCategory()]++
	}
	t.Level2, t.Lender = most(level2, ""), most(lender, "")
	t.SecondSector, t.SecondCategory = most(sector, t.GetSector()), most(category, t.GetCategory())
}

// most is the most frequent that says something and is not the one left out; of equals the first by name.
func most(counts map[string]int, leftOut string) string {
	best := ""
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if name != "" && name != leftOut && (best == "" || counts[name] > counts[best]) {
			best = name
		}
	}
	return best
}

// guesses are what the classifier would have said, on the task of the person who decides because it was not sure.
func (c *complaint) guesses(facts map[string]string) {
	for _, f := range [][2]string{
		{"second_sector", c.known.GetSecondSector()}, {"second_category", c.known.GetSecondCategory()},
		{"confidence", c.known.GetConfidence()}, {"level2", c.known.GetLevel2()}, {"lender", c.known.GetLender()},
	} {
		if f[1] != "" {
			facts[f[0]] = f[1]
		}
	}
}

// serviceCode is a number that may be an organisation's; a forged one, or a text in a number's place, is nobody's.
func serviceCode(n *commonv1.Number) string {
	if spoofed(n.GetKind()) || !digits(n.GetNormal()) {
		return ""
	}
	return n.GetNormal()
}

// classifyLate classifies the reports that joined since the round was last looked at, and leaves the complaint's class as
// it is: what it was routed by stands. The answer is how the complaint was found.
func (a *Activities) classifyLate(ctx context.Context, place, complaintID string, round int32) (*reportingv1.GetFactsResponse, error) {
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: complaintID, MaxReports: maxClassified, UnclassifiedOnly: true})
	if err != nil || len(f.GetReports()) == 0 {
		return f, err
	}
	if split, err := a.splitByHolder(ctx, place, f); err != nil || split { // some were another holder's: look again
		if err != nil {
			return nil, err
		}
		return a.classifyLate(ctx, place, complaintID, round)
	}
	c := f.GetComplaint()
	q := classifying{
		place: place, complaintID: complaintID, round: round,
		numberKind: c.GetNumber().GetKind(), category: c.GetCategory(), sector: c.GetSector(),
	}
	if !spoofed(q.numberKind) && !c.GetForged() {
		first := f.GetReports()[0].GetReport()
		resource, err := a.resource(ctx, c.GetNumber(), first.GetCallTime(), first.GetReporterProvince())
		if err != nil {
			return nil, err
		}
		q.number = serviceCode(c.GetNumber())
		q.holderSector, q.holderName = resource.GetHolder().GetSector(), resource.GetHolder().GetName()
	}
	if err := a.classifyOpen(ctx, q, f.GetReports()); err != nil && !superseded(err) {
		return nil, err
	}
	return f, nil
}

// classifyOpen classifies what has no class yet, page after page; the first page may be known. It stops where it gets no
// further.
func (a *Activities) classifyOpen(ctx context.Context, q classifying, page []*reportingv1.ReportFacts) error {
	for last := ""; ; {
		if page == nil {
			f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{
				ComplaintId: q.complaintID, MaxReports: maxClassified, UnclassifiedOnly: true,
			})
			if err != nil {
				return err
			}
			page = f.GetReports()
		}
		if len(page) == 0 || page[0].GetReport().GetReportId() == last {
			return nil
		}
		if _, _, err := a.classifyPage(ctx, q, page); err != nil || len(page) < maxClassified {
			return err
		}
		last, page = page[0].GetReport().GetReportId(), nil
	}
}

// classifyPage classifies reports and writes that down. The answer is the complaint's class and what it takes to trust it.
func (a *Activities) classifyPage(ctx context.Context, q classifying, reports []*reportingv1.ReportFacts) (*reportingv1.RecordClassificationResponse, *assignmentv1.ClassifyReportsResponse, error) {
	asked := &assignmentv1.ClassifyReportsRequest{ComplaintId: q.complaintID}
	record := &reportingv1.RecordClassificationRequest{
		ComplaintId: q.complaintID, Round: q.round, Category: q.category, Sector: q.sector,
	}
	for _, r := range reports {
		if r.GetReport().GetWithdrawn() {
			continue
		}
		record.Reports = append(record.Reports, &reportingv1.ReportClass{ReportId: r.GetReport().GetReportId()})
		asked.Reports = append(asked.Reports, &assignmentv1.ReportItem{
			ReportId: r.GetReport().GetReportId(), Item: &assignmentv1.ClassifyItem{
				Text: r.GetText(), Company: r.GetReport().GetCompany(), ReportedType: r.GetReport().GetReportedType(),
				Method: r.GetReport().GetMethod(), Number: q.number, NumberKind: q.numberKind,
				HolderSector: q.holderSector, HolderName: q.holderName,
			},
		})
	}
	if len(record.GetReports()) == 0 {
		return nil, nil, nil
	}
	said, err := a.Assignment.ClassifyReports(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range said.GetClasses() {
		r := record.GetReports()[i]
		r.Category, r.Sector, r.Confidence = c.GetCategory(), c.GetSector(), c.GetConfidence()
	}
	if record.RequestId, err = requestOf(q.place, record); err != nil {
		return nil, nil, err
	}
	class, err := a.Reporting.RecordClassification(ctx, record)
	return class, said, err
}

// requestOf is the request ID of a write whose content is only known when it is made: reports join between two tries.
// The same content is the same request, and any other is another one.
func requestOf(place string, m proto.Message) (string, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	sum := sha256.Sum256(raw)
	return derived(place + "/" + hex.EncodeToString(sum[:])), nil
}
