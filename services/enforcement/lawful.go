package enforcement

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/enforcement/store"
)

// lawDue is what a proposal makes due before it may be decided, and why, each sentence with its article.
type lawDue struct {
	Hearing, LegalReview, Discussion bool
	Why                              []string
}

// lawful refuses a proposal that the law does not carry, with the article: asked when it is made and again when it is
// decided, because the catalogue, or what other agencies decided, may have changed between.
func (s *Server) lawful(ctx context.Context, q *store.Queries, c store.EnforcementCase, p *assignmentv1.CaseProposal, profile string, at time.Time) error {
	l, err := s.law(ctx, q, c, p, profile, at)
	if err != nil {
		return err
	}
	v, err := l.limitation.judge()
	if err != nil {
		return err
	}
	measured, err := l.measureAll()
	switch {
	case err != nil:
		return err
	case p.GetNoPenaltyGround() == "limitation" && len(measured) == 0 && !v.barred && !v.doubtful:
		return refused("the limitation has not run out: %s", v.words)
	case len(measured) > 0 && v.barred:
		return refused("the act may not be punished any more: %s", v.words)
	}
	for _, m := range measured {
		if m.kind == fineKind {
			return s.firstFine(ctx, q, c.CaseID)
		}
	}
	return nil
}

// firstFine refuses a second fine on an act that officers linked to a fined one (行政处罚法 29). Until the end of the
// transaction nobody else decides on, or links, what is linked to it.
func (s *Server) firstFine(ctx context.Context, q *store.Queries, caseID string) error {
	others, err := s.sameAct(ctx, q, caseID)
	if err != nil {
		return err
	}
	fined, err := q.FinedCases(ctx, others)
	if err != nil {
		return err
	}
	for _, f := range fined {
		if f.CaseID != caseID {
			return refused("one act is not fined twice (行政处罚法 第二十九条): it was fined in case %s by %s; confiscation or a warning is open", f.CaseNo, f.AgencyID)
		}
	}
	return nil
}

// sameAct are the cases linked to one, itself among them, locked as a group.
func (s *Server) sameAct(ctx context.Context, q *store.Queries, caseID string) ([]string, error) {
	const tries = 5 // a link may be made while the lock is awaited; its group has another first case then
	locked := ""
	for range tries {
		group, err := q.SameAct(ctx, caseID)
		if err != nil {
			return nil, err
		}
		if group[0] == locked { // they are in order
			return group, nil
		}
		locked = group[0]
		if err := q.LockKey(ctx, "act/"+locked); err != nil {
			return nil, err
		}
	}
	return nil, errs.New(codes.Aborted, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "the links of the case change all the time; try again")
}

// lawfulDue says what a proposal makes due (行政处罚法 57, 58, 63), warnings included.
func (s *Server) lawfulDue(ctx context.Context, q *store.Queries, c store.EnforcementCase, p *assignmentv1.CaseProposal, profile string, at time.Time) (lawDue, error) {
	l, err := s.law(ctx, q, c, p, profile, at)
	if err != nil {
		return lawDue{}, err
	}
	v, err := l.limitation.judge()
	if err != nil {
		return lawDue{}, err
	}
	var d lawDue
	d.flags(p)
	for _, detail := range p.GetPenalties() {
		m, err := l.measure(detail)
		if err != nil {
			continue // lawful says so
		}
		d.penalty(l, m)
	}
	if v.doubtful && len(p.GetPenalties()) > 0 {
		d.review("limitation in doubt: " + v.words)
	}
	return d, nil
}

// flags is what the investigators say of the case.
func (d *lawDue) flags(p *assignmentv1.CaseProposal) {
	if p.GetMajorPublicInterest() {
		d.review("major public interest (行政处罚法 第五十八条第一款第一项)")
	}
	if p.GetThirdPartyInterest() {
		d.review("important interests of the party or of others (行政处罚法 第五十八条第一款第二项)")
	}
	if p.GetComplexOrMajor() {
		d.review("difficult and complex (行政处罚法 第五十八条第一款第三项)")
	}
	if p.GetComplexOrMajor() || p.GetSerious() || p.GetEgregious() {
		d.Discussion = true
		d.Why = append(d.Why, "collective discussion: complex circumstances or a major breach (行政处罚法 第五十七条第二款)")
	}
}

// penalty is what one penalty makes due.
func (d *lawDue) penalty(l *law, m measured) {
	if article := due(l.dues, "hearing", m.kind, l.facts.subject, m.fen); article != "" {
		d.Hearing = true
		d.Why = append(d.Why, fmt.Sprintf("a hearing may be asked for: %s (%s)", m.words(), article))
	}
	if article := due(l.dues, "legal_review", m.kind, l.facts.subject, m.fen); article != "" {
		d.review(fmt.Sprintf("%s (%s)", m.words(), article))
	}
	if article := due(l.dues, "discussion", m.kind, l.facts.subject, m.fen); article != "" {
		d.Discussion = true
		d.Why = append(d.Why, fmt.Sprintf("collective discussion: %s (%s)", m.words(), article))
	}
	if m.outside {
		d.review(fmt.Sprintf("%s is outside the discretion band of %s, %s (行政处罚法 第三十四条)", m.words(), m.band.span, m.band.document))
	}
}

func (d *lawDue) review(why string) {
	d.LegalReview = true
	d.Why = append(d.Why, "legal review: "+why)
}

// settle keeps what each decided penalty was measured against. What is kept already stays.
func (s *Server) settle(ctx context.Context, q *store.Queries, c store.EnforcementCase, p *assignmentv1.CaseProposal, profile string, at time.Time) error {
	l, err := s.law(ctx, q, c, p, profile, at)
	if err != nil {
		return err
	}
	measured, err := l.measureAll()
	if err != nil {
		return err
	}
	v, err := l.limitation.judge()
	if err != nil {
		return err
	}
	for i, m := range measured {
		err := q.AddAssessment(ctx, store.AddAssessmentParams{
			CaseID: c.CaseID, Seq: int32(i + 1), PenaltyCode: m.row.Code, Act: c.Act, Kind: m.kind, AmountFen: m.fen,
			GainsFen: gainsOf(p), Subject: l.facts.subject, PartyID: c.PartyID, AgencyID: c.AgencyID, Tier: m.scale.Tier,
			LowFen: m.span.low, HighFen: m.span.high, Grade: m.band.grade, BandLowFen: m.band.low, BandHighFen: m.band.high,
			BandDocument: m.band.document, Outside: m.outside, Reason: p.GetBandReason(), ActEndTime: l.limitation.end,
			DiscoveryTime: l.limitation.discovery, DiscoveryBasis: l.limitation.basis, Limitation: v.words, Profile: profile, DecidedTime: at,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func gainsOf(p *assignmentv1.CaseProposal) *int64 {
	if p.GetGains() == nil {
		return nil
	}
	fen := p.GetGains().GetFen()
	return &fen
}

// refused is a refusal by the law; the sentence names the article.
func refused(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, format, args...)
}

// orList writes alternatives.
func orList(words []string) string { return strings.Join(words, ", ") }
