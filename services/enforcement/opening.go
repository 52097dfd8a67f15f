package enforcement

import (
	"context"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// openForApproval is the outcome of the first line of a case that its head has yet to open (立案审批).
const openForApproval = "for_approval"

// begin writes the first line of a case. Where the agency has its head open cases, the ninety days begin with that act; else
// the signed handling of the complaint has opened it (行政处罚法 54, 60).
func (s *Server) begin(ctx context.Context, q *store.Queries, m *matter, agency string) error {
	l := line{step: logOpen, to: opened, at: m.OpenTime, agency: agency}
	wanted, err := q.OpeningWanted(ctx, store.OpeningWantedParams{AgencyID: agency, At: m.OpenTime})
	if err != nil {
		return err
	}
	if wanted {
		l.outcome = openForApproval
	}
	if err := s.write(ctx, q, m, l); err != nil || wanted {
		return err
	}
	return s.start(ctx, q, m.CaseID, basisDecision, 1, "", m.OpenTime, s.profileOf(""))
}

// toApprove says whether the head has yet to open the case.
func (m *matter) toApprove() bool {
	return m.last(logOpen, 0, openForApproval) != nil && m.last(stepOpen, 0) == nil
}

// checkOpen: who does not open a case says why; the reporters are told that nothing follows (不予立案).
func checkOpen(d deed) error {
	if d.GetOutcome() == outNotOpened && d.GetReasonCode() == "" && d.words().GetBasis() == "" {
		return errs.Field("reason_code", "must say why the case is not opened (行政处罚法 第五十四条)")
	}
	return nil
}

// opened starts the ninety days.
func (w *writer) opened(seq int32) error {
	if w.GetOutcome() != outOpened {
		return nil
	}
	return w.clock(basisDecision, seq, w.at)
}

// AgreeToService says that the police agree to the party of a case that they have being notified: before that nothing is
// served on it (行政执法机关移送涉嫌犯罪案件的规定 9, 10). Agreeing again changes nothing.
func (s *Server) AgreeToService(ctx context.Context, req *enforcementv1.AgreeToServiceRequest) (*enforcementv1.AgreeToServiceResponse, error) {
	a := identity.ActorOf(ctx)
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AgreeToServiceResponse, error) {
		q, at := store.New(tx), s.now()
		m, err := s.locked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if m.TransferredTo == "" || m.TransferredTo != a.GetAgencyId() {
			return nil, errs.NotFound(pgx.ErrNoRows, noCase)
		}
		if m.State != stateTransferred {
			return nil, wrongState("行政处罚法 第二十七条: the police do not have the case any more: it is %s", m.State)
		}
		if e := m.last(logAgreed, m.entered(stateTransferred)); e != nil {
			return &enforcementv1.AgreeToServiceResponse{AgreeTime: timestamppb.New(e.EventTime)}, nil
		}
		err = s.write(ctx, q, m, line{step: logAgreed, to: m.State, at: at, subject: a.GetSubject(), agency: a.GetAgencyId(), note: req.GetDocumentNo()})
		return &enforcementv1.AgreeToServiceResponse{AgreeTime: timestamppb.New(at)}, err
	})
	return resp, guarded(err)
}
