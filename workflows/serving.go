package workflows

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/phone"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// serving asks the ledger who served the number at the first call: its access operator, who it was ported to, or by plan
// the owner of its segment, which its check will correct. Where the directory has nobody of that name to be given a task,
// the owner of the segment is asked.
func (a *Activities) serving(ctx context.Context, n *commonv1.Number, t *caseworkv1.Triage) error {
	if n.GetNormal() == "" {
		return nil
	}
	resp, err := a.Ledger.GetServingOperator(ctx, &ledgerv1.GetServingOperatorRequest{
		Number: n.GetNormal(), At: t.GetFirstCallTime(), Scheme: schemeOf(n, t.GetReportersProvince()), Province: t.GetReportersProvince(),
	})
	if err != nil {
		return err
	}
	t.ServingSource = strings.ToLower(strings.TrimPrefix(resp.GetSource().String(), "SERVING_SOURCE_"))
	if t.ServingOperatorId, err = a.operator(ctx, resp.GetOperatorId()); err != nil || t.GetServingOperatorId() != "" {
		return err
	}
	if resp.GetAllocatedCarrier() == "" {
		return nil
	}
	t.ServingSource = "segment"
	t.ServingOperatorId, err = a.operator(ctx, resp.GetAllocatedCarrier()+"-"+phone.SureProvince(n))
	return err
}

// schemeOf is the numbering scheme that the ledger keeps a number in. Every province gives 96 codes out anew; without the
// number's own it is the reporters'. Every other number says itself, a landline by its area code.
func schemeOf(n *commonv1.Number, reporters string) string {
	if n.GetKind() == phone.Code96 || n.GetKind() == phone.AreaCode96 {
		return orElse(n.GetProvince(), reporters)
	}
	return ""
}

// learnPorting keeps what an operator answered, "ported to", so that the next check of the number goes to the right one at
// once. The decision is on record by then: a refusal of the ledger is logged and changes nothing.
func (a *Activities) learnPorting(ctx context.Context, r recording) error {
	if r.Task.GetSubjectKind() != "complaint" || r.Task.GetStep() != stepNumberCheck.name || r.Decision.GetOutcome() != ported {
		return nil
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: r.Task.GetSubjectId(), MaxReports: 1})
	if err != nil {
		return err
	}
	n, at := numberOf(f, r.Task.GetFacts()[factReport])
	if at == nil { // a clue: nobody has told of a call
		at = timestamppb.New(r.From)
	}
	if n.GetKind() != phone.Mobile {
		return nil
	}
	_, err = a.Ledger.RecordPorting(identity.WithActor(ctx, r.Actor), &ledgerv1.RecordPortingRequest{
		RequestId: derived(r.Decision.GetRequestKey() + "/porting"), Number: n.GetNormal(),
		OperatorId: r.Decision.GetDetail().GetPortedTo(), At: at, TaskId: r.Task.GetTaskId(),
	})
	if _, refused := errs.Refusal(err); refused && status.Code(err) != codes.Unavailable && status.Code(err) != codes.Aborted {
		slog.WarnContext(ctx, "the ledger does not take a porting", slog.String("task", r.Task.GetTaskId()), slog.Any("error", err))
		return nil
	}
	return err
}
