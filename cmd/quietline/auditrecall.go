package main

import (
	"context"
	"fmt"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// checkRecalls holds each recall against its signature and its public notice, and each appeal upheld against its decision;
// what is under way must have a workflow.
func (a *auditor) checkRecalls(ctx context.Context) error {
	service := ledgerv1.NewLedgerServiceClient(a.conn)
	var running []string
	for _, what := range []string{"recalls", "appeals"} {
		err := pages(func(token string) (string, error) {
			r, err := service.Audit(ctx, &ledgerv1.AuditRequest{PageSize: auditPage, PageToken: token, What: what})
			for _, c := range r.GetRecalls() {
				if c.GetState() == "REVIEWING" || c.GetState() == "NOTICE" {
					running = append(running, "recall/"+c.GetRecallId())
				}
				a.checkRecall(ctx, c)
			}
			for _, p := range r.GetAppeals() {
				if p.GetState() == "REVIEWING" {
					running = append(running, "appeal/"+p.GetAppealId())
				}
				a.checkAppeal(ctx, p)
			}
			return r.GetNextPageToken(), err
		})
		if err != nil {
			return fmt.Errorf("audit %s: %w", what, err)
		}
	}
	return a.mustRun(ctx, running)
}

func (a *auditor) checkRecall(ctx context.Context, c *ledgerv1.Recall) {
	if c.GetNoticeTime() == nil {
		return
	}
	if !a.decided(ctx, c.GetSigningTaskId(), c.GetRecallId(), "recall_sign", "signed") {
		a.broken("recall %s is announced, but no head has signed it", c.GetRecallId())
	}
	p, err := disclosurev1.NewDisclosureServiceClient(a.conn).GetPublication(ctx, &disclosurev1.GetPublicationRequest{PublicationId: c.GetPublicationId()})
	switch {
	case err != nil || p.GetPublication().GetKind() != "recall_notice" || p.GetPublication().GetCaseId() != c.GetRecallId():
		a.broken("recall %s names %s as its public notice, which is none", c.GetRecallId(), c.GetPublicationId())
	case c.GetState() == "NOTICE" && p.GetPublication().GetState() == "WITHDRAWN":
		a.broken("the public notice of recall %s is withdrawn, and the recall goes on", c.GetRecallId())
	}
}

func (a *auditor) checkAppeal(ctx context.Context, p *ledgerv1.Appeal) {
	if p.GetCorrectingEventId() == 0 {
		return
	}
	if !a.decided(ctx, p.GetDecidingTaskId(), p.GetAppealId(), "", "upheld") {
		a.broken("appeal %s is upheld, but nobody has decided so", p.GetAppealId())
	}
}

// decided says whether a task of a subject was decided so.
func (a *auditor) decided(ctx context.Context, task, subject, step, outcome string) bool {
	r, err := assignmentv1.NewAssignmentServiceClient(a.conn).GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: task})
	return err == nil && r.GetTask().GetSubjectId() == subject && (step == "" || r.GetTask().GetStep() == step) &&
		r.GetDecision().GetOutcome() == outcome
}
