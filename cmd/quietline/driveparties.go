package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// Firms beyond the usual ones: the licensed operators, one per province, and who employs natural persons that called.
const (
	licensees = 1000
	employers = 2000
)

// licensee is the licensed operator that a province's communications administration deals with; nil for other agencies.
func licensee(agency string) *assignmentv1.PartyDetail {
	province, ok := strings.CutPrefix(agency, "ca-")
	n, err := strconv.Atoi(province)
	if !ok || err != nil {
		return nil
	}
	return firm(licensees + n)
}

// natural is one of many made-up natural persons.
func natural(n int) *assignmentv1.PartyDetail {
	return &assignmentv1.PartyDetail{Role: "caller", Name: fmt.Sprintf("演练个人%d", n), Person: true}
}

// personsCase has every sixth case for commercial calls opened against a natural person: who called is known, and for whom is
// not.
func (d *driver) personsCase(t *assignmentv1.Task, made *caseworkRequest) {
	const everySixth, beginning = 6, 1
	if t.GetStep() != "handle" || t.GetFacts()["category"] != "commercial" || made.GetOutcome() != "case" && made.GetOutcome() != "measures_and_case" {
		return
	}
	d.mu.Lock()
	n, known := d.sued[t.GetTaskId()]
	if !known {
		n = len(d.sued)
		d.sued[t.GetTaskId()] = n
	}
	d.mu.Unlock()
	if n%everySixth == beginning {
		made.Detail.Parties = []*assignmentv1.PartyDetail{natural(n)}
	}
}

// license has the licensed operator of a communications administration entered in the ledger.
func (d *driver) license(ctx context.Context, agency string) error {
	desk, err := d.desk("REGISTRAR@" + agency)
	if err != nil {
		return err
	}
	ledger, firm, province := ledgerv1.NewLedgerServiceClient(desk), licensee(agency), strings.TrimPrefix(agency, "ca-")
	held, err := ledger.ListLicences(ctx, &ledgerv1.ListLicencesRequest{CreditCode: firm.GetCreditCode()})
	if err != nil || len(held.GetLicences()) > 0 {
		return err
	}
	number := "B2-" + province + "-DRIVE"
	h, err := ledger.RegisterHolder(ctx, &ledgerv1.RegisterHolderRequest{RequestId: d.people.request(agency, "holder"), Holder: &ledgerv1.Holder{
		Name: firm.GetName(), CreditCode: firm.GetCreditCode(), Licence: number, Sector: "telecom",
	}})
	if err != nil {
		return err
	}
	const year = -1
	_, err = ledger.RecordLicence(ctx, &ledgerv1.RecordLicenceRequest{RequestId: d.people.request(agency, "licence"), Licence: &ledgerv1.Licence{
		HolderId: h.GetHolder().GetHolderId(), Number: number, Kinds: []string{"B24"}, Provinces: []string{province}, Document: "样例许可证",
		ValidFrom: timestamppb.New(time.Now().AddDate(year, 0, 0).Truncate(time.Hour)),
	}})
	return err
}

// listingOf is what a case brought onto the telecom lists; nil while nothing is there.
func listingOf(ctx context.Context, desk *grpc.ClientConn, c *enforcementv1.Case) (*creditv1.Listing, error) {
	r, err := creditv1.NewCreditServiceClient(desk).ListListings(ctx, &creditv1.ListListingsRequest{CreditCode: c.GetParty().GetCreditCode()})
	if err != nil {
		return nil, fmt.Errorf("listings: %w", err)
	}
	for _, l := range r.GetListings() {
		if l.GetCaseId() == c.GetCaseId() {
			return l, nil
		}
	}
	return nil, nil
}

// attribute attributes what a natural person did to the employer, by the evidence on file.
func attribute(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	file, err := s.ListCaseEvidence(ctx, &enforcementv1.ListCaseEvidenceRequest{CaseId: v.id()})
	if err != nil {
		return err
	}
	if len(file.GetEvidence()) == 0 {
		return errors.New("no evidence is on file yet")
	}
	n, err := strconv.ParseUint(v.id()[len(v.id())-4:], 16, 16)
	if err != nil {
		return err
	}
	employer := firm(employers + int(n%firms)) //nolint:gosec // a remainder
	_, err = s.AttributeCaller(ctx, &enforcementv1.AttributeCallerRequest{
		RequestId: request, CaseId: v.id(), Principal: &enforcementv1.Party{Role: "caller", Name: employer.GetName(), CreditCode: employer.GetCreditCode()},
		Relation: "employment", EvidenceIds: []string{file.GetEvidence()[0].GetEvidenceId()}, Reason: "劳动合同和社保记录证明系履行职务",
	})
	return err
}
