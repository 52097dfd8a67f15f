package main

import (
	"context"
	"fmt"
	"time"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/workflows"
)

// checkFounded sees to it that what is public on a basis still has it, as its owner knows it, and that proposals have their
// workflow.
func (a *auditor) checkFounded(ctx context.Context) error {
	public, cases := disclosurev1.NewDisclosureServiceClient(a.conn), enforcementv1.NewEnforcementServiceClient(a.conn)
	err := pages(func(token string) (string, error) {
		r, err := public.ListFounded(ctx, &disclosurev1.ListFoundedRequest{PageSize: auditPage, PageToken: token})
		for _, item := range r.GetItems() {
			b := item.GetBasis()
			proven, err := cases.ProvePublication(ctx, &enforcementv1.ProvePublicationRequest{
				AgencyId: item.GetAgencyId(), PartyId: b.GetPartyId(), MeasureId: b.GetMeasureId(), CaseId: b.GetCaseId(),
				ComplaintId: b.GetComplaintId(), ComplaintRound: b.GetComplaintRound(), DocumentId: b.GetDocumentId(),
			})
			if err != nil {
				return "", err
			}
			// the sweep withdraws within a minute or two; what fell a moment ago is not broken yet
			if fell := proven.GetReverseTime(); !workflows.Founded(item, proven) && (fell == nil || time.Since(fell.AsTime()) > backlogPatience) {
				a.broken("publication %s (%s) is public without what it rests on", item.GetPublicationId(), item.GetKind())
			}
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return fmt.Errorf("audit bases of publications: %w", err)
	}
	var running []string
	err = pages(func(token string) (string, error) {
		r, err := public.ListProposals(ctx, &disclosurev1.ListProposalsRequest{PageSize: 200, PageToken: token, State: "PROPOSED"})
		for _, p := range r.GetProposals() {
			if time.Since(p.GetProposeTime().AsTime()) > backlogPatience { // a young one may wait for the sweep
				running = append(running, "publication/"+p.GetProposalId())
			}
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return fmt.Errorf("audit proposed publications: %w", err)
	}
	return a.mustRun(ctx, running)
}
