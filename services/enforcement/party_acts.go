package enforcement

import (
	"context"
	"time"

	"quietline/internal/errs"
	"quietline/services/enforcement/store"
)

// partyActs says whether an act of the party is admissible, with the article, and writes it to the log of the case. It is
// judged by when it reached the agency, and logged when it is written. The caller tells the workflow after the commit.
func (s *Server) partyActs(ctx context.Context, q *store.Queries, caseID, act string, at time.Time, documentID string) error {
	m, err := s.locked(ctx, q, caseID)
	if err != nil {
		return err
	}
	outcome, err := admissible(m, act, at)
	if err != nil {
		return err
	}
	if documentID == "" {
		return errs.Field("document_id", "must name the writing of the party")
	}
	err = guarded(s.write(ctx, q, m, line{step: act, outcome: outcome, to: m.State, at: s.now(), subject: "party", note: documentID}))
	if basis := endsTerm[act]; err == nil && basis != "" {
		err = s.endTerms(ctx, q, m, actMet, s.now(), basis)
	}
	return err
}

// endsTerm are the acts after which nobody waits for the rest of the party's term.
var endsTerm = map[string]string{actWaiver: basisStatement, actHearingRequest: basisHearingRequest, actHearingWaiver: basisHearingRequest}

// admissible judges an act of the party at the time it reached the agency (行政处罚法 44, 45, 63, 64).
func admissible(m *matter, act string, at time.Time) (string, error) {
	p := m.proposal()
	if p == nil || !undecided(m.State) || m.seqOf(stepNotice, p.Seq) == 0 {
		return "", wrongState("行政处罚法 第四十四条、第四十五条: the party was told of nothing that it may answer now; the case is %s", m.State)
	}
	notice := m.seqOf(stepNotice, p.Seq)
	switch act {
	case actStatement:
		if k := m.clock(basisStatement, notice); k != nil && at.After(k.DueTime) {
			return "late", nil // it is kept; nobody need answer it
		}
		return outInTime, nil
	case actHearingRequest:
		return outInTime, hearingGranted(m, p, notice, at)
	case actHearingWithdrawn:
		if m.asked(notice) == 0 {
			return "", wrongState("行政处罚法 第六十四条: no hearing is asked for")
		}
	case actHearingWaiver:
		if m.asked(notice) != 0 {
			return "", wrongState("行政处罚法 第六十四条: a hearing is asked for: its request is withdrawn first")
		}
	}
	return "", nil
}

// hearingGranted: only where the law grants it, and within five working days of the notice.
func hearingGranted(m *matter, p *store.CaseProposal, notice int32, at time.Time) error {
	k := m.clock(basisHearingRequest, notice)
	switch {
	case !p.HearingDue:
		return refused("行政处罚法 第六十三条: for what is proposed the law grants no hearing")
	case k != nil && at.After(k.DueTime):
		return refused("行政处罚法 第六十四条: a hearing could be asked for until %s", k.DueTime.UTC().Format(time.RFC3339))
	case m.asked(notice) != 0:
		return wrongState("行政处罚法 第六十四条: a hearing is asked for already")
	case m.seqOf(stepHold, notice) != 0:
		return wrongState("行政处罚法 第六十四条: the hearing was held")
	case m.seqOf(logHearingWaiver, notice) != 0:
		return wrongState("行政处罚法 第六十四条: the party waived the hearing")
	}
	return nil
}
