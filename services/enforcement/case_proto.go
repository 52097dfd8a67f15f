package enforcement

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// fileProto adds what stands in the file of a case. Who acted is for the case's agency and for the workflows alone.
func (s *Server) fileProto(out *enforcementv1.GetCaseResponse, m *matter, notices []store.CaseNotice, names bool, r reader) error {
	const most = 500
	for _, e := range m.events[max(len(m.events)-most, 0):] {
		out.Events = append(out.Events, &enforcementv1.CaseEvent{
			Seq: e.Seq, FromState: e.FromState, ToState: e.ToState, Step: e.Step, Outcome: e.Outcome, TaskId: deref(e.TaskID),
			Actor: actorProto(e, names), EventTime: timestamppb.New(e.EventTime), Article: e.Article, ReasonCode: e.ReasonCode,
		})
	}
	for i := range m.clocks {
		out.Clocks = append(out.Clocks, m.clockProto(&m.clocks[i], names, s.now()))
	}
	if names {
		out.Officers = officersProto(m.officers)
	}
	for _, n := range notices {
		out.Notices = append(out.Notices, &enforcementv1.CaseNotice{
			TaskId: n.TaskID, ServedTime: timestamppb.New(n.ServedTime), Method: n.Method, HearingOffered: n.HearingOffered,
		})
	}
	out.Remedies = m.remediesProto()
	for _, p := range m.payments {
		out.Payments = append(out.Payments, paymentProto(p))
	}
	if len(m.proposals) > 0 {
		p, err := proposalOf(&m.proposals[len(m.proposals)-1])
		if err == nil {
			err = s.showAddress(m, p, r)
		}
		if err != nil {
			return err
		}
		out.Proposal = p
	}
	if m.entered(decided) != 0 {
		out.Debt = debtProto(m.debtAt(s.now()))
	}
	return nil
}

func actorProto(e store.CaseEvent, names bool) string {
	switch {
	case e.Subject == "":
		return ""
	case names:
		return e.Subject + "@" + e.AgencyID
	}
	return masked + "@" + e.AgencyID
}

func officersProto(rows []store.OfficersOfRow) []*enforcementv1.CaseOfficer {
	var out []*enforcementv1.CaseOfficer
	for _, o := range rows {
		out = append(out, &enforcementv1.CaseOfficer{
			Subject: o.Subject, QualificationNo: o.QualificationNo, AppointTime: timestamppb.New(o.AppointTime),
			RecuseTime: timeProto(o.RecuseTime), RecuseReason: o.RecuseReason, Name: o.Name,
		})
	}
	return out
}

// clockProto is a clock with all that happened to it.
func (m *matter) clockProto(k *store.ClocksOfRow, names bool, now time.Time) *enforcementv1.CaseClock {
	out := &enforcementv1.CaseClock{
		ClockId: k.ClockID, Source: k.Source, StartTime: timestamppb.New(k.StartTime), DueTime: timestamppb.New(k.DueTime),
		Clock: &commonv1.Clock{Basis: k.Basis, StatutoryDue: k.StatutoryDue.UTC().Format(time.RFC3339), Proof: k.Proof, Provisional: k.Provisional},
	}
	before := k.StatutoryDue // of a clock without an act; else as it was at first
	if first, err := dueOf(k.Basis, k.StartTime, k.Profile); err == nil {
		before = first.Statutory
	}
	for _, a := range m.clockActs {
		if a.ClockID != k.ClockID {
			continue
		}
		switch a.Kind {
		case actMet:
			out.MetTime = timestamppb.New(a.ActTime)
		case actCancelled:
			out.CancelTime = timestamppb.New(a.ActTime)
		case actPaused:
			out.Pauses = append(out.Pauses, &enforcementv1.ClockPause{FromTime: timestamppb.New(a.ActTime), Reason: a.Reason})
		case actResumed:
			if n := len(out.Pauses); n > 0 {
				out.Pauses[n-1].ToTime = timestamppb.New(a.ActTime)
			}
		case actExtended:
			by := masked
			if names {
				by = a.SignedBy
			}
			out.Extensions = append(out.Extensions, &enforcementv1.ClockExtension{
				Days: a.Days, Basis: a.Basis, SignedBy: by, SignTime: timestamppb.New(a.ActTime), BeforeDue: timestamppb.New(before),
			})
		}
		before = a.StatutoryDue
	}
	out.Running = m.running(k, now)
	return out
}

// running says whether a clock still counts. A term of the party that is over is nobody's to keep any more.
func (m *matter) running(k *store.ClocksOfRow, now time.Time) bool {
	switch {
	case m.acted(k.ClockID, actMet) != nil || m.acted(k.ClockID, actCancelled) != nil:
		return false
	case calendar.IsParty(k.Basis, k.StartTime):
		return !over(k, now)
	}
	return true
}

func remediesProto(rows []store.RemediesOfRow) []*enforcementv1.CaseRemedy {
	var out []*enforcementv1.CaseRemedy
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].GetRemedyId() != r.RemedyID {
			out = append(out, &enforcementv1.CaseRemedy{
				RemedyId: r.RemedyID, Kind: r.Kind, FileTime: timestamppb.New(r.FileTime), FileDue: timeProto(r.FileDue),
				Late: r.FileDue != nil && r.FileTime.After(*r.FileDue), LateReason: r.LateReason,
			})
		}
		last := out[len(out)-1]
		last.State = r.Fact
		if r.DocumentNo != "" {
			last.DocumentNo = r.DocumentNo
		}
		if endsRemedy[r.Fact] {
			last.EndTime = timestamppb.New(r.FactTime)
		}
	}
	return out
}

func paymentProto(p store.CasePayment) *enforcementv1.CasePayment {
	return &enforcementv1.CasePayment{
		PaymentId: p.PaymentID, Amount: &commonv1.Money{Fen: p.AmountFen}, PaidTime: timestamppb.New(p.PaidTime), ReceiptNo: p.ReceiptNo,
	}
}

func debtProto(d debt) *enforcementv1.CaseDebt {
	fen := func(n int64) *commonv1.Money { return &commonv1.Money{Fen: n} }
	return &enforcementv1.CaseDebt{
		Fine: fen(d.fine), Confiscation: fen(d.confiscation), Addition: fen(d.addition), Paid: fen(d.paid), Owed: fen(d.owed()),
		LateDays: int32(d.lateDays), Remitted: fen(d.remitted), Overpaid: fen(d.overpaid()),
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
