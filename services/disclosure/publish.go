package disclosure

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/persons"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// Publish publishes an item that passes the gate of its kind, once per case, or says all that it lacks.
func (s *Server) Publish(ctx context.Context, req *disclosurev1.PublishRequest) (*disclosurev1.PublishResponse, error) {
	known, err := s.kinds.read(ctx, store.New(s.db))
	if err != nil {
		return nil, err
	}
	kind, err := checkKind(known, req.GetPublication())
	if err != nil {
		return nil, err
	}
	if err := checkWay(req); err != nil {
		return nil, err
	}
	p := presentable(req.GetPublication())
	if req.GetCheckOnly() {
		_, _, _, err := s.pass(ctx, store.New(s.db), kind, p, req.GetGate())
		if l, ok := errors.AsType[*lacking](err); ok {
			return s.withhold(ctx, p, l)
		}
		return &disclosurev1.PublishResponse{}, err
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.PublishResponse, error) {
		q := store.New(tx)
		id, err := s.published(ctx, q, p)
		if err == nil && req.GetTaskId() != "" { // another step of the case may have served by public notice before
			id, err = q.PublicationOfTask(ctx, optional(req.GetTaskId()))
		}
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.enterFor(ctx, q, kind, p, req.GetGate(), req.GetTaskId())
		}
		if err != nil {
			return nil, err
		}
		out, err := s.get(ctx, q, id)
		if err != nil {
			return nil, err
		}
		return &disclosurev1.PublishResponse{Publication: out}, nil
	})
	if l, ok := errors.AsType[*lacking](err); ok {
		return s.withhold(ctx, p, l)
	}
	return resp, err
}

// presentable is an item as it may be read: without the numbers of persons, a person by surname only.
func presentable(p *disclosurev1.Publication) *disclosurev1.Publication {
	p = proto.CloneOf(p)
	for _, words := range []*string{&p.Title, &p.Summary, &p.Ground, &p.PartyName, &p.AgencyName, &p.DecisionNo, &p.LicenceNo} {
		*words = persons.Mask(*words)
	}
	return p
}

// withhold records what was asked for in vain, so that it can be seen why nothing is public, and says it.
func (s *Server) withhold(ctx context.Context, p *disclosurev1.Publication, l *lacking) (*disclosurev1.PublishResponse, error) {
	if l.fatal {
		return nil, notPassed(l.Error())
	}
	resp := &disclosurev1.PublishResponse{NotPublishedBecause: l.missing[0].GetCode(), Missing: l.missing}
	if p.GetCaseId() == "" {
		return resp, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	row := store.InsertWithheldParams{
		WithheldID: id.String(), Kind: p.GetKind(), CaseID: p.GetCaseId(), AgencyID: p.GetAgencyId(), AskTime: s.now(),
	}
	for _, m := range l.missing {
		row.Missing = append(row.Missing, m.GetCode())
	}
	return resp, store.New(s.db).InsertWithheld(ctx, row)
}

// checkWay refuses what does not come by Publish, and a service by public notice that is of no step.
func checkWay(req *disclosurev1.PublishRequest) error {
	kind := req.GetPublication().GetKind()
	if isProposed(kind) {
		return notPassed("no_proposal: nobody exposes or circulates alone (" + threeOnly + ")")
	}
	if (kind == serviceNotice) != (uuid.Validate(req.GetTaskId()) == nil) {
		return errs.Field("task_id", "must name the step that serves by public notice, and only that")
	}
	return nil
}

// published finds what was published of the same case already.
func (s *Server) published(ctx context.Context, q *store.Queries, p *disclosurev1.Publication) (string, error) {
	if err := q.LockKey(ctx, caseKey(p.GetKind(), p.GetCaseId())); err != nil {
		return "", err
	}
	return q.PublicationOfCase(ctx, store.PublicationOfCaseParams{Kind: p.GetKind(), CaseID: optional(p.GetCaseId())})
}

// caseKey is locked by whoever publishes or withdraws what is of a case.
func caseKey(kind, caseID string) string { return "publication/" + kind + "/" + caseID }

// enter holds an item against its gate and writes it with its terms, its first version and its announcement.
func (s *Server) enter(ctx context.Context, q *store.Queries, kind store.PublicationKind, p *disclosurev1.Publication, g *disclosurev1.Gate) (string, error) {
	return s.enterFor(ctx, q, kind, p, g, "")
}

// enterFor does so for a step that serves by public notice.
func (s *Server) enterFor(ctx context.Context, q *store.Queries, kind store.PublicationKind, p *disclosurev1.Publication, g *disclosurev1.Gate, taskID string) (string, error) {
	f, policy, terms, err := s.pass(ctx, q, kind, p, g)
	if err != nil {
		return "", err
	}
	f.taskID, f.by = taskID, doneBy(ctx)
	return s.write(ctx, q, f, policy, terms)
}

// pass holds an item against its gate; the error says all that it lacks. A natural person whom a rule lets be shown leaves
// it with the surname only.
func (s *Server) pass(ctx context.Context, q *store.Queries, kind store.PublicationKind, p *disclosurev1.Publication, g *disclosurev1.Gate) (
	*facts, store.PublisherPolicyRow, []store.InsertTermParams, error,
) {
	now := s.now()
	f := &facts{item: p, gate: g, now: now, person: g.GetPerson() || persons.IsID(p.GetCreditCode())}
	policy, terms, err := s.look(ctx, q, f)
	if err != nil {
		return nil, policy, nil, err
	}
	conditions, err := q.GateConditions(ctx, store.GateConditionsParams{Kind: p.GetKind(), At: now})
	if err != nil {
		return nil, policy, nil, err
	}
	if lacks, fatal := missing(conditions, f); len(lacks) > 0 {
		return nil, policy, nil, &lacking{missing: lacks, fatal: fatal}
	}
	if len(terms) == 0 {
		return nil, policy, nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the policy does not say when such an item is taken down")
	}
	if f.person {
		bySurname(p)
	}
	return f, policy, terms, checkWords(kind, p)
}

// look asks policy and record for what a gate needs.
func (s *Server) look(ctx context.Context, q *store.Queries, f *facts) (store.PublisherPolicyRow, []store.InsertTermParams, error) {
	p, g := f.item, f.gate
	policy, err := q.PublisherPolicy(ctx, store.PublisherPolicyParams{
		Kind: p.GetKind(), AgencyID: p.GetAgencyId(), CreditCode: p.GetCreditCode(), At: f.now,
	})
	if f.entitled = err == nil; err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return policy, nil, err
	}
	if f.personRule, err = q.PersonPolicy(ctx, store.PersonPolicyParams{Kind: p.GetKind(), PenaltyKind: g.GetPenaltyKind(), At: f.now}); err != nil {
		return policy, nil, err
	}
	if p.GetCaseId() != "" {
		_, err = q.WithdrawalOrder(ctx, store.WithdrawalOrderParams{Kind: p.GetKind(), CaseID: p.GetCaseId()})
		if f.barred = err == nil; err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return policy, nil, err
		}
	}
	rows, err := q.TakeDownTerms(ctx, store.TakeDownTermsParams{
		Kind: p.GetKind(), PenaltyKind: termKey(p, g), AmountFen: g.GetAmountFen(), At: f.now,
	})
	if err != nil {
		return policy, nil, err
	}
	terms, err := termsOf(rows, p.GetTerms(), g.GetDecidedTime(), f.now)
	if len(terms) > 0 {
		f.takeDown = terms[0].EndTime
	}
	if err != nil {
		return policy, nil, err
	}
	f.minor, err = minor(ctx, q, f)
	return policy, terms, err
}

// minor says whether the act is of the minor class, without an exception. How serious an act is its decision fixes, in the
// credit lists as here: what the policy says later changes nothing.
func minor(ctx context.Context, q *store.Queries, f *facts) (bool, error) {
	p, g, at := f.item, f.gate, f.now
	if g.GetDecidedTime() != nil {
		at = g.GetDecidedTime().AsTime()
	}
	rows, err := q.TakeDownTerms(ctx, store.TakeDownTermsParams{Kind: p.GetKind(), PenaltyKind: termKey(p, g), AmountFen: g.GetAmountFen(), At: at})
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(rows, func(r store.TakeDownTermsRow) bool { return r.Class == minorClass }) &&
		!slices.ContainsFunc(p.GetTerms(), func(t *disclosurev1.TakeDownTerm) bool { return t.GetClass() == minorClass }) {
		return false, nil
	}
	excepted, err := q.MinorException(ctx, store.MinorExceptionParams{PenaltyKind: termKey(p, g), Impact: g.GetSocialImpact(), At: at})
	return !excepted, err
}

func (s *Server) write(ctx context.Context, q *store.Queries, f *facts, policy store.PublisherPolicyRow, terms []store.InsertTermParams) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	p, g := f.item, f.gate
	of := termKey(p, g) // of a listing its list
	if p.GetKind() == penalty {
		of = g.GetPenaltyKind()
	}
	due := clock{}
	if g.GetDecidedTime() != nil {
		due = clockOf(policy.TimelyBasis, g.GetDecidedTime().AsTime())
	}
	if err := q.InsertPublication(ctx, store.InsertPublicationParams{
		PublicationID: id.String(), Kind: p.GetKind(), Title: p.GetTitle(), PartyName: p.GetPartyName(), CreditCode: p.GetCreditCode(),
		AgencyID: p.GetAgencyId(), Summary: p.GetSummary(), CaseID: optional(p.GetCaseId()), PenaltyKind: of,
		SocialImpact: g.GetSocialImpact(), NoticeTime: timeOf(g.GetNoticeTime()), DecidedTime: timeOf(g.GetDecidedTime()),
		DeliveredTime: timeOf(g.GetDeliveredTime()), WarnedTime: timeOf(g.GetWarnedTime()),
		PublishTime: f.now, TakeDownTime: f.takeDown, PublishedBy: f.by,
		AgencyName: p.GetAgencyName(), RegisterAgencyID: policy.RegisterAgencyID, RegionCodes: list(p.GetRegionCodes()), Codes: list(p.GetCodes()),
		LicenceNo: p.GetLicenceNo(), DecisionNo: p.GetDecisionNo(), Ground: p.GetGround(), DeliveredBy: g.GetDeliveredBy(),
		AmountFen: g.GetAmountFen(), Simplified: g.GetSimplified(), Person: f.person,
		ContinuedTime: timeOf(g.GetContinuedTime()), FailedServiceTime: timeOf(g.GetFailedServiceTime()),
		PublishBasis: due.basis, PublishDue: due.due, PublishProof: due.proof, PublishProvisional: due.provisional,
		ProposalID: optional(f.proposalID), TaskID: optional(f.taskID),
	}); err != nil {
		return "", err
	}
	for _, t := range terms {
		t.PublicationID = id.String()
		if err := q.InsertTerm(ctx, t); err != nil {
			return "", err
		}
	}
	if err := q.InsertVersion(ctx, store.InsertVersionParams{
		PublicationID: id.String(), Version: 1, Title: p.GetTitle(), Summary: p.GetSummary(), CorrectedBy: f.by, VersionTime: f.now,
	}); err != nil {
		return "", err
	}
	return id.String(), q.InsertChange(ctx, store.InsertChangeParams{PublicationID: id.String(), Change: "published", ChangeTime: f.now})
}

// list is never null: a column of none is an empty list.
func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}
