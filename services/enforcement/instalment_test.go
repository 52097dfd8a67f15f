package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// part is a part of a plan, so many days ahead.
func (f *file) part(days int, fen int64) *assignmentv1.Instalment {
	return &assignmentv1.Instalment{DueTime: timestamppb.New(f.now.AddDate(0, 0, days)), Amount: &commonv1.Money{Fen: fen}}
}

// application is the party's, handed in on paper.
func (f *file) application() string {
	f.t.Helper()
	r, err := f.officer().PutPartyFile(f.t.Context(), &enforcementv1.PutPartyFileRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Name: "分期缴纳申请.pdf", MediaType: "application/pdf", Content: []byte("申请"),
		Paper: &enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(f.now)},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return r.GetFile().GetFileId()
}

func (f *file) inParts(parts ...*assignmentv1.Instalment) *assignmentv1.CaseStepDetail {
	f.t.Helper()
	return &assignmentv1.CaseStepDetail{Instalments: parts, ApplicationFileId: f.application()}
}

// granted has a plan asked for and granted.
func (f *file) granted(parts ...*assignmentv1.Instalment) {
	f.t.Helper()
	f.must(stepConfirm, outParts, f.inParts(parts...))
	f.must(stepParts, outApproved, nil)
}

func (f *file) addition() int64 {
	f.t.Helper()
	return f.get().GetDebt().GetAddition().GetFen()
}

// Instalments: as granted, late ones are found, paid ones close the case.
func TestInstalments(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.refuses(f.step(stepConfirm, outParts, f.inParts(f.part(10, 300_000), f.part(40, 200_000))), "第六十六条")
	f.granted(f.part(10, 300_000), f.part(40, 300_000))
	if err := f.pay(300_000, "P-1", f.now); err != nil {
		t.Fatal(err)
	}
	if err := f.pay(300_000, "P-1", f.now); err == nil {
		t.Error("one receipt paid twice")
	}
	f.now = f.now.AddDate(0, 0, 30)
	if fen := f.addition(); fen != 0 {
		t.Errorf("the plan is kept, and %d fen are added", fen)
	}
	f.refuses(f.step(stepConfirm, outUnpaid, nil), "第六十六条")
	f.refuses(f.step(stepConfirm, outPerformed, nil), "第六十七条")
	if err := f.pay(300_000, "P-2", f.now); err != nil {
		t.Fatal(err)
	}
	f.must(stepConfirm, outPerformed, nil)
	f.wants(closed)
	f.sound()
}

// Instalments are granted on the party's application, and by the head: a caseworker only puts them forward.
func TestInstalmentsAreGranted(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	with := func(file string) *enforcementv1.CaseStep {
		w := f.inParts(f.part(30, 300_000), f.part(60, 300_000))
		w.ApplicationFileId = file
		return f.step(stepConfirm, outParts, w)
	}
	for _, bad := range []string{"", uuid.NewString(), "P-1"} {
		f.refuses(with(bad), "第六十六条")
	}
	f.guards(f.forge(statePerforming, stepConfirm, outParts, "officer-1"), "第六十六条")
	f.guards(f.forge(statePerforming, stepParts, outApproved, "head"), "第六十六条") // nobody asked
	f.must(stepConfirm, outParts, f.inParts(f.part(30, 300_000), f.part(60, 300_000)))
	if p := f.plan(); len(p.GetTasks()) != 1 || p.GetTasks()[0].GetStep() != stepParts || p.GetTasks()[0].GetRole() != head {
		t.Fatalf("the head is to decide: %v", p.GetTasks())
	}
	own := f.step(stepParts, outApproved, nil)
	own.ActorSubject = "officer-1"
	if err := f.try(own); err == nil {
		t.Error("who puts a plan forward granted it")
	}
	f.guards(f.forge(statePerforming, stepParts, outApproved, "officer-1"), "第六十六条")
	f.must(stepParts, outRefused, nil)
	f.now = f.now.AddDate(0, 0, 20)
	if f.addition() == 0 {
		t.Error("a plan that was refused puts nothing off")
	}
	f.must(stepConfirm, outUnpaid, nil)
	f.sound()
}

// What was paid before the plan is none of its parts: whoever misses the first is late.
func TestPaidBeforeThePlan(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	if err := f.pay(200_000, "P-1", f.now); err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.granted(f.part(10, 200_000), f.part(100, 200_000))
	f.now = f.now.AddDate(0, 0, 60)
	f.must(stepConfirm, outUnpaid, nil)
}

// Only the plan that was granted last counts.
func TestAPlanInPlaceOfAnother(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.granted(f.part(30, 300_000), f.part(60, 300_000))
	f.granted(f.part(100, 300_000), f.part(200, 300_000))
	f.now = f.now.AddDate(0, 0, 40)
	f.refuses(f.step(stepConfirm, outUnpaid, nil), "第六十六条")
	f.now = f.now.AddDate(0, 0, 70)
	f.must(stepConfirm, outUnpaid, nil)
}

// What was added before a plan was asked for stays owed; nothing is added while it runs, and again after its last part.
func TestTheAdditionBeforeAPlan(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.now.AddDate(0, 0, 25)
	before := f.addition()
	if before == 0 {
		t.Fatal("nothing was added")
	}
	f.granted(f.part(30, 300_000), f.part(60, 300_000+before))
	f.now = f.now.AddDate(0, 0, 59)
	if got := f.addition(); got != before {
		t.Errorf("%d fen before the plan, %d while it runs", before, got)
	}
	if d := f.get().GetDebt(); d.GetOwed().GetFen() != 600_000+before {
		t.Errorf("owed: %v", d)
	}
	f.now = f.now.AddDate(0, 0, 4)
	if got := f.addition(); got <= before {
		t.Errorf("%d fen before the plan, %d after its last part", before, got)
	}
	// a plan whose first part is over is not granted
	f.must(stepConfirm, outParts, f.inParts(f.part(1, 300_000), f.part(60, f.get().GetDebt().GetOwed().GetFen()-300_000)))
	f.now = f.now.AddDate(0, 0, 2)
	f.refuses(f.step(stepParts, outApproved, nil), "第六十六条")
	f.must(stepParts, outRefused, nil)
	if !strings.HasPrefix(f.task(stepConfirm).GetKey(), stepConfirm) {
		t.Error("the confirmation is open again")
	}
}
