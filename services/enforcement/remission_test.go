package enforcement

import (
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// Performed is what is paid with the addition; the database asks for it too. The head remits addition, never the decision.
func TestTheAdditionIsPaidOrRemitted(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.dueOf(basisPerform).Add(4*day + time.Minute)
	if err := f.pay(600_000, "P-1", f.now); err != nil {
		t.Fatal(err)
	}
	f.guards(f.forge(statePerformed, stepConfirm, outPerformed, "officer-1"), "第七十二条") // four days of 3 % are owed
	f.refuses(f.step(stepConfirm, outPerformed, nil), "第七十二条")
	remit := func(who string, fen int64) error {
		_, err := f.as(who, "samr-11", accessv1.Role_ROLE_HEAD).RemitAddition(t.Context(), &enforcementv1.RemitAdditionRequest{
			RequestId: uuid.NewString(), CaseId: f.id, Amount: &commonv1.Money{Fen: fen}, AgreementNo: "执协〔2026〕1号", Reason: "已采取补救措施",
		})
		return err
	}
	wantArticle(t, remit("officer-1", 1_000), "行政强制法 第四十二条")
	wantArticle(t, remit("head", 72_001), "amount")
	f.guards(f.forge(statePerforming, logRemit, "", "head"), "行政强制法 第四十二条")
	if err := remit("head", 70_000); err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.guards(f.forge(statePerformed, stepConfirm, outPerformed, "officer-1"), "第七十二条")
	if d := f.get().GetDebt(); d.GetOwed().GetFen() != 2_000 || d.GetRemitted().GetFen() != 70_000 {
		t.Errorf("owed: %v", d)
	}
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 2_000}, ReceiptNo: "P-2"})
	f.wants(closed)
	f.sound()
}
