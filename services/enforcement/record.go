package enforcement

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// line is a line of the log to be written.
type line struct {
	step, to, outcome string
	at                time.Time
	subject, agency   string
	note, reason      string
	other             string
	participants      []string
	task              *enforcementv1.CaseStep // whose decision it is; nil when it is none
}

// write adds a line to the log, which moves the case, and keeps the matter up to date.
func (s *Server) write(ctx context.Context, q *store.Queries, m *matter, l line) error {
	e := store.InsertEventParams{
		CaseID: m.CaseID, Seq: m.next(), FromState: m.State, ToState: l.to, Step: l.step, Outcome: l.outcome, EventTime: l.at,
		Subject: l.subject, AgencyID: l.agency, Note: l.note, ReasonCode: l.reason, OtherAgencyID: l.other, Participants: l.participants,
	}
	if l.task != nil {
		fill(&e, l.task)
	}
	if l.note != "" {
		e.Note = l.note
	}
	if e.Participants == nil {
		e.Participants = []string{}
	}
	if err := q.InsertEvent(ctx, e); err != nil {
		return err
	}
	m.events = append(m.events, store.CaseEvent{
		CaseID: e.CaseID, Seq: e.Seq, FromState: e.FromState, ToState: e.ToState, Step: e.Step, Outcome: e.Outcome, TaskID: e.TaskID,
		Subject: e.Subject, AgencyID: e.AgencyID, EventTime: e.EventTime, OtherAgencyID: e.OtherAgencyID, Chair: e.Chair,
		HearingTime: e.HearingTime, Method: e.Method, ServedTime: e.ServedTime, Participants: e.Participants, PlanKey: e.PlanKey,
	})
	m.State = l.to
	if l.to == closed && e.FromState != closed {
		return s.endClocks(ctx, q, m.CaseID, actCancelled, "结案", l.at)
	}
	return nil
}

// fill takes over what a decision says.
func fill(e *store.InsertEventParams, st *enforcementv1.CaseStep) {
	w := st.GetDetail().GetCaseStep()
	task := st.GetTaskId()
	e.TaskID, e.PlanKey, e.Subject, e.AgencyID, e.ReasonCode = &task, st.GetKey(), st.GetActorSubject(), st.GetActorAgency(), st.GetReasonCode()
	e.Method, e.DocumentID, e.Place, e.Chair = w.GetMethod(), cmp.Or(w.GetConsentDocumentId(), w.GetApplicationFileId()), w.GetHearingPlace(), w.GetChair()
	e.ChairName = strings.TrimSpace(w.GetChairName())
	e.QualificationNo, e.RecordHash, e.ReceiptNo = w.GetQualificationNo(), w.GetRecordHash(), w.GetReceiptNo()
	e.Participants, e.StatementHeard, e.Note = w.GetParticipants(), w.GetStatementHeard(), w.GetBasis()
	if e.OtherAgencyID == "" {
		e.OtherAgencyID = w.GetAgencyId()
	}
	if t := w.GetServedTime(); t != nil {
		served := t.AsTime()
		e.ServedTime = &served
	}
	if t := w.GetHearingTime(); t != nil {
		hearing := t.AsTime()
		e.HearingTime = &hearing
	}
}

// recordOrNote judges a decision once more and writes it. It stands in the file of its task already: what forbids it now is
// no answer to anybody any more. So when the case moved on meanwhile, or what others did meanwhile forbids it, it is noted,
// moves nothing, and the step is planned anew.
func (s *Server) recordOrNote(ctx context.Context, tx pgx.Tx, m *matter, st *enforcementv1.CaseStep, profile string) error {
	at := m.decidedAt(st, s.now())
	late := line{step: logLate, outcome: st.GetStep() + "/" + st.GetOutcome(), to: m.State, at: at, task: st}
	d, err := judge(m, st, at)
	if err == nil && d.m.State != m.State {
		return s.write(ctx, store.New(tx), m, late)
	}
	if err == nil {
		err = s.recordApart(ctx, tx, m, d, profile)
	}
	if err == nil {
		return nil
	}
	why, refused := refusal(err)
	if _, known := ways[st.GetStep()]; !refused || !known {
		return err
	}
	slog.WarnContext(ctx, "a decision on a case is noted only", slog.String("case", m.CaseID), slog.String("step", st.GetStep()), slog.Any("error", err))
	late.note = why
	return s.write(ctx, store.New(tx), m, late)
}

// recordApart writes a decision wholly or not at all; the transaction goes on either way.
func (s *Server) recordApart(ctx context.Context, tx pgx.Tx, m *matter, d deed, profile string) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	written := *m // what is undone must not stay in it
	err = s.record(ctx, store.New(inner), &written, d, profile)
	if err == nil {
		_, err = inner.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE") // what would be refused at the end is refused here
	}
	if err == nil {
		return inner.Commit(ctx)
	}
	if undone := inner.Rollback(ctx); undone != nil {
		return undone
	}
	return guarded(err)
}

// refusal says whether an error says no to what was decided, and in which words: the rules, the guards of the database, or
// what its tables cannot hold (classes 22 and 23). All others may pass, and are tried again.
func refusal(err error) (why string, is bool) {
	if _, is := errs.Refusal(err); is {
		return errs.Text(err), true
	}
	class := pg.Code(err)
	if strings.HasPrefix(class, "22") || strings.HasPrefix(class, "23") {
		return "not recorded: " + cmp.Or(pg.Constraint(err), class), true
	}
	return "", false
}

func (s *Server) record(ctx context.Context, q *store.Queries, m *matter, d deed, profile string) error {
	if _, err := s.judgeByLaw(ctx, q, d, profile); err != nil {
		return err
	}
	d.m = m // from here on it is written to
	was := m.State
	w := writer{Server: s, ctx: ctx, q: q, deed: d, profile: profile}
	if err := w.write(); err != nil {
		return err
	}
	switch {
	case m.State == investigating && was != investigating: // what the party was told of fell
		return s.endTerms(ctx, q, m, actCancelled, d.at, basisStatement, basisHearingRequest)
	case d.GetStep() == stepSign:
		return s.endTerms(ctx, q, m, actMet, d.at, basisStatement, basisHearingRequest)
	}
	return nil
}

// judgeByLaw asks the substantive law where a proposal is made and where it is decided; it returns warnings.
func (s *Server) judgeByLaw(ctx context.Context, q *store.Queries, d deed, profile string) ([]string, error) {
	switch {
	case d.GetStep() == stepInvestigate && d.GetOutcome() != outTransfer:
		return s.judgeProposal(ctx, q, d, proposed(d.CaseStep), profile)
	case d.GetStep() == stepSign && d.GetOutcome() == outSigned, d.GetStep() == stepOnspot && d.GetOutcome() == outDelivered:
		p := d.m.proposal()
		detail, err := proposalOf(p)
		if err != nil || p.Kind == outNoPenalty {
			return p.Warnings, err
		}
		return p.Warnings, s.lawful(ctx, q, d.m.EnforcementCase, detail, profile, d.at)
	case d.GetStep() == stepNotice:
		return nil, cmp.Or(s.mustKnowSuspects(ctx, q, d), s.checkWay(ctx, q, d))
	case d.GetStep() == stepDeliver && d.words().GetMethod() == "electronic" && d.GetOutcome() == outDelivered:
		if err := s.consented(ctx, q, d.m.CaseID, d.words().GetConsentDocumentId(), d.at); err != nil {
			return nil, err
		}
		return nil, s.checkWay(ctx, q, d)
	case d.GetStep() == stepConfirm && d.GetOutcome() == outParts:
		return nil, applied(ctx, q, d)
	case d.GetStep() == stepDeliver, d.GetStep() == stepDemand:
		return nil, s.checkWay(ctx, q, d)
	}
	return nil, nil
}

func (s *Server) judgeProposal(ctx context.Context, q *store.Queries, d deed, p *assignmentv1.CaseProposal, profile string) ([]string, error) {
	if err := checkProposal(p); err != nil {
		return nil, err
	}
	if err := ownEvidence(ctx, q, d.m.CaseID, "detail.case_step.proposal.evidence_ids", p.GetEvidenceIds()); err != nil {
		return nil, err
	}
	if err := checkGrounds(d, p); err != nil {
		return nil, err
	}
	if d.GetOutcome() == outSimple {
		if err := s.smallEnough(ctx, q, d, p); err != nil {
			return nil, err
		}
	}
	if err := s.lawful(ctx, q, d.m.EnforcementCase, p, profile, d.at); err != nil {
		return nil, err
	}
	due, err := s.lawfulDue(ctx, q, d.m.EnforcementCase, p, profile, d.at)
	if err == nil && d.GetOutcome() == outSimple && (due.Hearing || due.LegalReview || due.Discussion) {
		return nil, refused("行政处罚法 第五十一条: the simplified procedure is not for this case: %s", strings.Join(due.Why, "; "))
	}
	return due.Why, err
}

// smallEnough keeps the simplified procedure within its limits (行政处罚法 51).
func (s *Server) smallEnough(ctx context.Context, q *store.Queries, d deed, p *assignmentv1.CaseProposal) error {
	kind := "firm"
	if d.m.person {
		kind = "person"
	}
	most, err := q.CasePolicy(ctx, store.CasePolicyParams{Code: "simplified_fine_most", PartyKind: kind, At: d.at})
	if err != nil {
		return fmt.Errorf("limit of the simplified procedure: %w", err)
	}
	var fine int64
	for _, x := range p.GetPenalties() {
		fine += x.GetAmount().GetFen()
	}
	if fine > most.AmountFen {
		return refused("%s: a fine of %d fen is more than %d", most.Source, fine, most.AmountFen)
	}
	return nil
}

// mustKnowSuspects: who serves a notice has looked at the cases that may be of the same act (行政处罚法 29).
func (s *Server) mustKnowSuspects(ctx context.Context, q *store.Queries, d deed) error {
	others, err := s.suspectedActs(ctx, q, d.m.CaseID)
	if err != nil {
		return err
	}
	for _, id := range others {
		if !slices.Contains(d.words().GetAcknowledgedCaseIds(), id) {
			return refused("行政处罚法 第二十九条: case %s may be of the same act: link it, dismiss the link, or acknowledge it with the notice", id)
		}
	}
	return nil
}

// proposed is the proposal of a decision, with the single penalty of before among its penalties.
func proposed(st *enforcementv1.CaseStep) *assignmentv1.CaseProposal {
	p := &assignmentv1.CaseProposal{}
	if given := st.GetDetail().GetCaseStep().GetProposal(); given != nil {
		p = proto.CloneOf(given)
	}
	if st.GetOutcome() != outNoPenalty {
		p.Penalties = proposedPenalties(st)
	}
	return p
}

// proposalOf is a stored proposal as it was sent.
func proposalOf(p *store.CaseProposal) (*assignmentv1.CaseProposal, error) {
	out := &assignmentv1.CaseProposal{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(p.Detail, out); err != nil {
		return nil, fmt.Errorf("proposal %d of case %s: %w", p.Seq, p.CaseID, err)
	}
	return out, nil
}

// propose keeps a proposal with what the law makes due because of it.
func (w *writer) propose(seq int32) error {
	p := proposed(w.CaseStep)
	due, err := w.lawfulDue(w.ctx, w.q, w.m.EnforcementCase, p, w.profile, w.at)
	if err != nil {
		return err
	}
	address, err := w.sealAddress(p, w.m.CaseID, seq)
	if err != nil {
		return err
	}
	detail, err := protojson.Marshal(p)
	if err != nil {
		return err
	}
	if !json.Valid(detail) {
		return fmt.Errorf("proposal is no JSON")
	}
	row := store.InsertProposalParams{
		CaseID: w.m.CaseID, Seq: seq, Kind: w.GetOutcome(), ProposedBy: signature(w.CaseStep), NoPenaltyGround: p.GetNoPenaltyGround(),
		DiscoverBasis: p.GetDiscoverBasis(), GainsFen: p.GetGains().GetFen(), Serious: p.GetSerious(), Egregious: p.GetEgregious(),
		ComplexOrMajor: p.GetComplexOrMajor(), MajorPublicInterest: p.GetMajorPublicInterest(), ThirdPartyInterest: p.GetThirdPartyInterest(),
		Findings: p.GetFindings(), EvidenceIds: p.GetEvidenceIds(), HearingDue: due.Hearing, LegalDue: due.LegalReview, DiscussDue: due.Discussion,
		Warnings: due.Why, Detail: detail, AddressSealed: address,
	}
	if row.EvidenceIds == nil {
		row.EvidenceIds = []string{}
	}
	if row.Warnings == nil {
		row.Warnings = []string{}
	}
	if t := p.GetActEndTime(); t != nil {
		end := t.AsTime()
		row.ActEndTime = &end
	}
	if t := p.GetDiscoverTime(); t != nil {
		found := t.AsTime()
		row.DiscoverTime = &found
	}
	if err := w.q.InsertProposal(w.ctx, row); err != nil {
		return err
	}
	for i, x := range p.GetPenalties() {
		err := w.q.InsertPenalty(w.ctx, store.InsertPenaltyParams{
			CaseID: w.m.CaseID, Seq: seq, N: int32(i + 1), Kind: x.GetKind(), AmountFen: x.GetAmount().GetFen(), Basis: x.GetBasis(),
			CatalogueCode: x.GetCatalogueCode(), ListParty: x.GetListParty(), Publish: x.GetPublish(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// signature is who decided, as the file names them.
func signature(st *enforcementv1.CaseStep) string {
	return st.GetActorSubject() + "@" + st.GetActorAgency()
}

func joined(ids []string) string { return strings.Join(ids, ",") }

func agencyOf(ctx context.Context) string { return identity.ActorOf(ctx).GetAgencyId() }
