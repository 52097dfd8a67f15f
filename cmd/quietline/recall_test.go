package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// recallFirm holds the resources below; no other test names it.
const (
	recallFirm     = "静线样例庚信息服务有限公司"
	recallFirmCode = "91000000DEMNDEMN78"
)

// allocated is a resource of the firm, entered by the registrar of the province.
func (m *testMesh) allocated(t *testing.T, number string) string {
	t.Helper()
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@ca-44"))
	h, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: recallFirm, CreditCode: recallFirmCode, Sector: "telecom"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ledger.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), HolderId: h.GetHolder().GetHolderId(), Scheme: "national", FirstNumber: number, AccessProvince: "44",
		Purpose: "customer_service", AccessOperatorId: "cmcc-44", Basis: "样例核配文件", Evidence: []string{"样例审查材料"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetResource().GetResourceId()
}

// decideUntil decides, as the people of the offices, the open tasks of a subject until the fact is there; answers names the
// outcome by step.
func (m *testMesh) decideUntil(t *testing.T, subject string, answers map[string]string, fact func() (bool, error)) (steps []string) {
	t.Helper()
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	await(t, "the end of "+subject, 2*time.Minute, func() (bool, error) {
		r, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: subject})
		if err != nil {
			return false, err
		}
		for _, task := range r.GetTasks() {
			steps = append(steps, task.GetStep()+"@"+task.GetAgencyId())
			account := strings.TrimPrefix(task.GetRole().String(), "ROLE_") + "@" + task.GetAgencyId()
			decide := func(account string) error {
				_, err := caseworkv1.NewCaseworkServiceClient(m.as(t, account)).Decide(t.Context(), &caseworkv1.DecideRequest{
					RequestId: uuid.NewString(), TaskId: task.GetTaskId(), Outcome: answers[task.GetStep()], ReasonCode: "checked",
					Detail: &assignmentv1.DecisionDetail{Reply: "经核实答复"},
				})
				return err
			}
			err := decide(account)
			if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON) { // who had a part in the matter: somebody else decides
				err = decide(account + deputy)
			}
			if err != nil {
				t.Fatalf("%s by %s: %v", task.GetStep(), account, err)
			}
		}
		return fact()
	})
	return steps
}

// TestMesh_recall takes a code back: proposed, reviewed and signed, announced to the public; the holder objects in vain; when
// the term is over the allocation ends and the public is told.
func TestMesh_recall(t *testing.T) {
	m := theMesh(t)
	resource := m.allocated(t, "4009207801")
	holder, worker := ledgerv1.NewLedgerServiceClient(m.as(t, "PARTY@"+recallFirmCode)), ledgerv1.NewLedgerServiceClient(m.as(t, "CASEWORKER@ca-44"))
	proposed, err := worker.ProposeRecall(t.Context(), &ledgerv1.ProposeRecallRequest{
		RequestId: uuid.NewString(), ResourceId: resource, ReasonCode: "transferred", Statement: "擅自转租给他人使用",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := proposed.GetRecall().GetRecallId()
	recall := func(c ledgerv1.LedgerServiceClient) *ledgerv1.Recall {
		r, _ := c.GetRecall(t.Context(), &ledgerv1.GetRecallRequest{RecallId: id})
		return r.GetRecall()
	}
	answers := map[string]string{"recall_review": "approved", "recall_sign": "signed", "decide_objection": "dismissed"}
	steps := m.decideUntil(t, id, answers, func() (bool, error) { return recall(worker).GetState() == "NOTICE", nil })
	notice := recall(holder)
	if notice == nil || !strings.HasPrefix(notice.GetClock().GetProof(), "30 cd from") {
		t.Fatalf("the holder reads %v", notice)
	}
	objected, err := holder.ObjectToRecall(t.Context(), &ledgerv1.ObjectToRecallRequest{RequestId: uuid.NewString(), RecallId: id, Text: "并未转租"})
	if err != nil {
		t.Fatal(err)
	}
	steps = append(steps, m.decideUntil(t, id, answers, func() (bool, error) { return recall(worker).GetState() == "RECALLED", nil })...)
	if diff := cmp.Diff([]string{"recall_review@ca-44", "recall_sign@ca-44", "decide_objection@ca-44"}, slices.Compact(steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	done := recall(holder)
	if o := done.GetObjections(); len(o) != 1 || o[0].GetObjectionId() != objected.GetObjection().GetObjectionId() || o[0].GetState() != "DISMISSED" || o[0].GetReply() == "" {
		t.Errorf("objections: %v", o)
	}
	if o := done.GetObjections()[0]; !o.GetDecidedTime().AsTime().Before(done.GetNoticeUntil().AsTime()) {
		t.Error("the objection was seen at the end of the term only: nobody told the workflow")
	}
	if done.GetEndTime().AsTime().Before(done.GetNoticeUntil().AsTime()) {
		t.Errorf("recalled at %v, before %v", done.GetEndTime().AsTime(), done.GetNoticeUntil().AsTime())
	}
	if _, err := worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4009207801"}); err == nil {
		t.Error("the number is held still")
	}
	public := disclosurev1.NewDisclosureServiceClient(m.as(t, ""))
	await(t, "the public notice of the outcome", m.patience(), func() (bool, error) {
		r, err := public.ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{Kind: "recall"})
		return slices.ContainsFunc(r.GetPublications(), func(p *disclosurev1.Publication) bool {
			return p.GetCaseId() == id && strings.Contains(p.GetTitle(), "4009207801") && p.GetPartyName() == recallFirm
		}), err
	})
	m.noneBroken(t, id)
}

// TestMesh_appeal suspends by contract, and another person of the operator finds that it was wrong: the record is corrected
// and the service restored.
func TestMesh_appeal(t *testing.T) {
	m := theMesh(t)
	resource := m.allocated(t, "4009207802")
	_, err := ledgerv1.NewLedgerServiceClient(m.as(t, "OPERATOR@cmcc-44")).SuspendResource(t.Context(), &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: resource, ReasonCode: "too_many_calls", Basis: "合同第八条", Nature: "operator_measure",
		PriorNotice: "未告知:危害持续", Remedy: "十五日内可申诉",
	})
	if err != nil {
		t.Fatal(err)
	}
	holder := ledgerv1.NewLedgerServiceClient(m.as(t, "PARTY@"+recallFirmCode))
	told, err := holder.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{ResourceId: resource})
	if err != nil || len(told.GetRestrictions()) != 1 || told.GetRestrictions()[0].GetEvent().GetDoneBy() != "cmcc-44" {
		t.Fatalf("the holder reads %v, %v", told, err)
	}
	filed, err := holder.AppealRestriction(t.Context(), &ledgerv1.AppealRestrictionRequest{
		RequestId: uuid.NewString(), EventId: told.GetRestrictions()[0].GetEvent().GetEventId(), Statement: "呼叫均经用户同意",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := filed.GetAppeal().GetAppealId()
	var appeal *ledgerv1.Appeal
	steps := m.decideUntil(t, id, map[string]string{"appeal_answer": "upheld", "restore": "restored"}, func() (bool, error) {
		r, err := holder.GetAppeal(t.Context(), &ledgerv1.GetAppealRequest{AppealId: id})
		appeal = r.GetAppeal()
		return appeal.GetState() == "RESTORED", err
	})
	if diff := cmp.Diff([]string{"appeal_answer@cmcc-44", "restore@cmcc-44"}, slices.Compact(steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if appeal.GetReply() == "" || appeal.GetCorrectingEventId() == 0 || appeal.GetClock().GetBasis() != "appeal_operator_15d" {
		t.Errorf("the holder reads %v", appeal)
	}
	held, err := ledgerv1.NewLedgerServiceClient(m.as(t, "CASEWORKER@ca-44")).WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4009207802"})
	if err != nil || held.GetResource().GetState() != "ACTIVE" {
		t.Errorf("the number is %v, %v", held.GetResource().GetState(), err)
	}
	m.noneBroken(t, id)
}

// noneBroken has fsck look: it says nothing of a subject.
func (m *testMesh) noneBroken(t *testing.T, subject string) {
	t.Helper()
	found, err := fsck(t.Context(), m.as(t, "AUDITOR@miit"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range found.Broken {
		if strings.Contains(sentence, subject) {
			t.Error(sentence)
		}
	}
}
