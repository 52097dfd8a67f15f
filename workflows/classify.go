package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/proto"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// maxClassified reports are classified at a time.
const maxClassified = 200

// classifying is whose reports are classified, and what is known of them besides their texts.
type classifying struct {
	place        string // of the activity in its workflow: request IDs follow from it
	complaintID  string
	round        int32
	numberKind   string
	holderSector string
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
	class, threshold, err := a.classifyPage(ctx, q, newest)
	if err != nil {
		return err
	}
	t.Category, t.Sector, t.OtherSectors = class.GetCategory(), class.GetSector(), class.GetOtherSectors()
	t.Confident = class.GetConfidence() >= threshold && complete(t.GetCategory(), t.GetSector())
	return nil
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
		q.holderSector = resource.GetHolder().GetSector()
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
func (a *Activities) classifyPage(ctx context.Context, q classifying, reports []*reportingv1.ReportFacts) (*reportingv1.RecordClassificationResponse, float64, error) {
	asked := &assignmentv1.ClassifyRequest{}
	record := &reportingv1.RecordClassificationRequest{
		ComplaintId: q.complaintID, Round: q.round, Category: q.category, Sector: q.sector,
	}
	for _, r := range reports {
		if r.GetReport().GetWithdrawn() {
			continue
		}
		record.Reports = append(record.Reports, &reportingv1.ReportClass{ReportId: r.GetReport().GetReportId()})
		asked.Items = append(asked.Items, &assignmentv1.ClassifyItem{
			Text: r.GetText(), Company: r.GetReport().GetCompany(), ReportedType: r.GetReport().GetReportedType(),
			NumberKind: q.numberKind, HolderSector: q.holderSector,
		})
	}
	if len(record.GetReports()) == 0 {
		return nil, 0, nil
	}
	said, err := a.Assignment.Classify(ctx, asked)
	if err != nil {
		return nil, 0, err
	}
	for i, c := range said.GetClasses() {
		r := record.GetReports()[i]
		r.Category, r.Sector, r.Confidence = c.GetCategory(), c.GetSector(), c.GetConfidence()
	}
	if record.RequestId, err = requestOf(q.place, record); err != nil {
		return nil, 0, err
	}
	class, err := a.Reporting.RecordClassification(ctx, record)
	return class, said.GetThreshold(), err
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
