package enforcement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// drawnKinds are the documents that steps of the procedure make, as the steps call them.
var drawnKinds = map[string]string{
	"notice": docNotice, "hearing_notice": docHearing, "decision": docDecision, "onspot_decision": docOnspot,
	"no_penalty_decision": docNoPenalty, "demand": docDemand, "transfer_letter": docTransfer, "delivery_receipt": docReceipt,
}

// draw makes the document of a line of the case's log, in its transaction, from what the case knows; and where the line
// says how it was served, writes that too. The line may be written before or after: seq is its number.
func (s *Server) draw(ctx context.Context, q *store.Queries, kind, caseID string, seq int32) (string, error) {
	doc, known := drawnKinds[kind]
	if !known {
		return "", fmt.Errorf("no document %q", kind)
	}
	m, err := matterOf(ctx, q, caseID)
	if err != nil {
		return "", err
	}
	e := m.eventAt(seq)
	if doc == docReceipt {
		return s.drawReceipt(ctx, q, m, e)
	}
	facts, ground, err := s.factsOf(ctx, q, m, doc, e)
	if err != nil {
		return "", err
	}
	if e != nil && e.Step == stepOnspot {
		e.Method = cmp.Or(e.Method, onspotDelivery)
	}
	d := drawing{Kind: doc, CaseID: caseID, By: systemActor, Facts: facts, GroundCode: ground}
	if d.Set, err = m.setting(doc, e, s.profileOf("")); err != nil {
		return "", err
	}
	if e != nil {
		d.By, d.TaskID = e.Subject+"@"+e.AgencyID, text(e.TaskID)
	}
	id, err := s.compose(ctx, q, d)
	if err != nil || e == nil || doc == docTransfer || e.Step == stepSign {
		return id, err // for another, or delivered by a step of its own
	}
	if e.Method == "" {
		return id, nil
	}
	if err := s.servedBy(ctx, q, id, *e); err != nil || e.Outcome == outFailed || !receipted[doc] {
		return id, err
	}
	return id, s.receipt(ctx, q, m, e, id)
}

// onspotDelivery is the way in which a decision on the spot reaches the party.
const onspotDelivery = "onspot"

// receipted are the documents that the party signs for when a step hands them over (行政处罚法 61, 52; 民事诉讼法 87).
var receipted = map[string]bool{docNotice: true, docOnspot: true, docDemand: true, docHearing: true}

// receipt makes the receipt of a document that was served just now, for the party to sign on paper.
func (s *Server) receipt(ctx context.Context, q *store.Queries, m *matter, e *store.CaseEvent, documentID string) error {
	doc, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{DocumentID: documentID, SeesAll: true})
	if err != nil {
		return err
	}
	_, err = s.compose(ctx, q, drawing{
		Kind: docReceipt, CaseID: m.CaseID, By: e.Subject + "@" + e.AgencyID, TaskID: text(e.TaskID),
		Receipt: &receiptFacts{Name: doc.Name, No: doc.CaseDocument.DocumentNo, Method: e.Method, Served: servedAt(e), Server: m.officerNamed(e.Subject)},
	})
	return err
}

// servedAt is when what a line of the log tells of was served.
func servedAt(e *store.CaseEvent) time.Time {
	if e.ServedTime != nil {
		return *e.ServedTime
	}
	return e.EventTime
}

// setting is what a document says of its own making: the terms of a notice and of a decision on the spot run from their
// service, which is known when they are made; those of other documents are not.
func (m *matter) setting(doc string, e *store.CaseEvent, profile string) (*setting, error) {
	out := &setting{}
	if e == nil {
		return out, nil
	}
	switch doc {
	case docNotice:
		due, err := dueOf(basisStatement, servedAt(e), profile)
		out.StatementBy = due.Due
		return out, err
	case docOnspot:
		due, err := dueOf(basisPerform, servedAt(e), profile)
		out.Perform, out.Time, out.Place = due.Due, servedAt(e), e.Place
		return out, err
	}
	return out, nil
}

// systemActor made what no person's step made.
const systemActor = "system@enforcement"

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func (m *matter) eventAt(seq int32) *store.CaseEvent {
	for i := range m.events {
		if m.events[i].Seq == seq {
			return &m.events[i]
		}
	}
	return nil
}

// servedBy writes the delivery of a document by a line of the log.
func (s *Server) servedBy(ctx context.Context, q *store.Queries, documentID string, e store.CaseEvent) error {
	at := servedAt(&e)
	failed := e.Outcome == "not_delivered" || e.Outcome == "not_served"
	return s.deliver(ctx, q, delivery{
		DocumentID: documentID, Method: e.Method, Served: !failed, Time: at, TaskID: text(e.TaskID), By: e.Subject + "@" + e.AgencyID,
	}, s.profile)
}

// drawReceipt writes how a decision was delivered, and makes the receipt that the party is to sign on paper. Where the
// decision is for the file only, nothing is delivered.
func (s *Server) drawReceipt(ctx context.Context, q *store.Queries, m *matter, e *store.CaseEvent) (string, error) {
	doc, err := q.Undelivered(ctx, store.UndeliveredParams{CaseID: m.CaseID, Kinds: []string{docDecision, docNoPenalty}})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !doc.ForParty {
		return "", nil
	}
	if err != nil || e == nil || e.Method == "" {
		return "", err
	}
	if err := s.servedBy(ctx, q, doc.DocumentID, *e); err != nil || e.Outcome == "not_delivered" {
		return "", err
	}
	return s.compose(ctx, q, drawing{
		Kind: docReceipt, CaseID: m.CaseID, By: e.Subject + "@" + e.AgencyID, TaskID: text(e.TaskID),
		Receipt: &receiptFacts{Name: doc.Name, No: doc.DocumentNo, Method: e.Method, Served: servedAt(e), Server: m.officerNamed(e.Subject)},
	})
}

// consented says whether a signed consent to electronic delivery is on file and in force then (行政处罚法 61). documentID is
// that of the consent.
func (s *Server) consented(ctx context.Context, q *store.Queries, caseID, documentID string, at time.Time) error {
	ok := false
	if uuid.Validate(documentID) == nil {
		var err error
		if ok, err = q.ConsentOf(ctx, store.ConsentOfParams{CaseID: caseID, ConsentID: documentID, At: at}); err != nil {
			return err
		}
	}
	if !ok {
		return refuse("electronic delivery needs the party's signed confirmation, in force at that time (行政处罚法 第六十一条)")
	}
	return nil
}

// checkWay refuses a step that serves by a way that the law does not allow then, before anything is written.
func (s *Server) checkWay(ctx context.Context, q *store.Queries, d deed) error {
	way, at := d.words().GetMethod(), d.at
	if way == "" || d.GetOutcome() == outFailed {
		return nil
	}
	if t := d.words().GetServedTime(); t != nil {
		at = micro(t.AsTime())
	}
	return s.deliverableBy(ctx, q, d.m.CaseID, way, at)
}

// deliverableBy says whether a step may serve by a method then, before anything is written: what deliver would refuse.
func (s *Server) deliverableBy(ctx context.Context, q *store.Queries, caseID, method string, at time.Time) error {
	facts, err := q.DeliveryFacts(ctx, store.DeliveryFactsParams{CaseID: caseID, At: at})
	if err != nil {
		return err
	}
	return allowedWay(method, facts)
}

// checkProposal refuses a proposal that could not be told to the party: its notice is made of it.
func checkProposal(p *assignmentv1.CaseProposal) error {
	f := &enforcementv1.DocumentFacts{Facts: p.GetFindings()}
	for _, x := range p.GetPenalties() {
		f.Basis = append(f.Basis, x.GetBasis())
	}
	if what := singlesOut(p.GetPartyAddress()); what != "" {
		return errs.Field("detail.case_step.proposal.party_address", "holds %s (不得含有电话号码)", what)
	}
	return checkOpenTexts(f, "")
}

// factsOf is what a document of the procedure says, from the case alone: the last proposal, its penalties, the evidence,
// what the party answered. ground is the code of a decision that punishes nobody.
func (s *Server) factsOf(ctx context.Context, q *store.Queries, m *matter, kind string, e *store.CaseEvent) (*enforcementv1.DocumentFacts, string, error) {
	now := s.now()
	f := &enforcementv1.DocumentFacts{}
	if e != nil && e.HearingTime != nil {
		f.HearingTime, f.HearingPlace, f.HearingChair = timestamppb.New(*e.HearingTime), cmp.Or(e.Place, "本机关听证室"), e.ChairName
	}
	p := m.lastProposal()
	switch {
	case p == nil && kind == docTransfer: // a suspicion of a crime needs no proposal of a penalty
		p = &store.CaseProposal{}
	case p == nil:
		return f, "", nil
	}
	act, err := q.ActName(ctx, store.ActNameParams{Code: m.Act, At: now})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, "", err
	}
	act = cmp.Or(act, "违反骚扰电话管理规定")
	f.Facts = cmp.Or(strings.TrimSpace(p.Findings), fmt.Sprintf("经查，当事人作为%s，存在%s的行为。", roleWords[m.PartyRole], act))
	f.HearingGranted = p.HearingDue
	violates, err := q.ActViolates(ctx, store.ActViolatesParams{Code: m.Act, At: now})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, "", err
	}
	f.Reasons = violated(violates)
	f.Evidence = m.evidenceLines(kind)
	m.punish(f, p.Seq)
	f.Defence = m.defence(kind)
	office, err := s.officeFor(ctx, q, m.AgencyID)
	if err != nil {
		return nil, "", err
	}
	f.Payment = cmp.Or(office.Payment, "到指定银行或者通过电子支付系统缴纳（《行政处罚法》第六十七条）")
	switch kind {
	case docNoPenalty:
		f.Ground = groundWords[p.NoPenaltyGround]
	case docDemand:
		err = s.demandFacts(ctx, q, m, f, now)
	case docTransfer:
		f.Basis = append(f.Basis, "中华人民共和国行政处罚法 第二十七条")
		f.Attachments = []string{"涉嫌犯罪案件情况的调查报告", "涉案物品清单", "证据材料"}
		f.Recipient, err = recipient(ctx, q, m, e, now)
	}
	return f, p.NoPenaltyGround, err
}

func (m *matter) lastProposal() *store.CaseProposal {
	if len(m.proposals) == 0 {
		return nil
	}
	return &m.proposals[len(m.proposals)-1]
}

// evidenceLines are the pieces of evidence by title; one whose title would single out a reporter is named by its kind.
func (m *matter) evidenceLines(kind string) []string {
	var lines []string
	for _, r := range m.evidence {
		if singlesOut(r.Title) != "" {
			lines = append(lines, evidenceWords[r.Kind]+"（内容存卷）")
			continue
		}
		lines = append(lines, r.Title)
	}
	if len(lines) == 0 && kind == docDecision { // a case of before the evidence was asked for
		lines = []string{"本案调查取得并存卷的证据材料"}
	}
	return lines
}

var evidenceWords = map[string]string{
	"documentary": "书证", "physical": "物证", "audiovisual": "视听资料", "electronic": "电子数据", "testimony": "证人证言",
	"party_statement": "当事人的陈述", "expert_opinion": "鉴定意见", "site_record": "勘验笔录、现场笔录",
}

var groundWords = map[string]string{
	"slight_corrected": "违法行为轻微并及时改正，没有造成危害后果（《行政处罚法》第三十三条）",
	"first_slight":     "初次违法且危害后果轻微并及时改正（《行政处罚法》第三十三条）",
	"no_fault":         "当事人有证据足以证明没有主观过错（《行政处罚法》第三十三条）",
	"limitation":       "违法行为在法定期限内未被发现（《行政处罚法》第三十六条）",
	notEstablished:     "违法事实不能成立（《行政处罚法》第五十七条）",
}

var penaltyWords = map[string]string{
	"warning": "警告", "criticism": "通报批评", "closure": "责令停产停业", "revocation": "吊销许可证件",
}

// punish writes the penalties of a proposal, with their bases.
func (m *matter) punish(f *enforcementv1.DocumentFacts, seq int32) {
	seen := map[string]bool{}
	for _, p := range m.penalties {
		if p.Seq != seq {
			continue
		}
		switch p.Kind {
		case "fine":
			f.Fine = &commonv1.Money{Fen: p.AmountFen}
		case "confiscation":
			f.Confiscation = &commonv1.Money{Fen: p.AmountFen}
			if p.AmountFen == 0 {
				f.Orders = append(f.Orders, "没收违法所得")
			}
		default:
			f.Orders = append(f.Orders, penaltyWords[p.Kind])
		}
		if !seen[p.Basis] {
			f.Basis, seen[p.Basis] = append(f.Basis, p.Basis), true
		}
	}
}

// demandFacts says what is still owed of which decision, and by when.
func (s *Server) demandFacts(ctx context.Context, q *store.Queries, m *matter, f *enforcementv1.DocumentFacts, now time.Time) error {
	last, err := q.LastDocument(ctx, store.LastDocumentParams{CaseID: m.CaseID, Kinds: []string{docDecision, docOnspot}})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	f.ReferenceNo = cmp.Or(last.DocumentNo, m.CaseNo)
	due, err := calendar.Due("demand_10d", now, calendar.Statutory)
	if err != nil {
		return err
	}
	f.PerformBy = timestamppb.New(due.Statutory)
	debt := m.debtAt(now)
	f.Owed = &commonv1.Money{Fen: debt.owed()}
	f.Orders = append(f.Orders, "履行上述行政处罚决定尚未履行的全部义务")
	if debt.addition > 0 { // 行政强制法 54: a definite amount of money
		f.Orders = append(f.Orders, fmt.Sprintf("其中加处罚款 %s 元（%s）：截至%s逾期%d日，每日按罚款数额的百分之三计算，以罚款数额为限（《行政处罚法》第七十二条），已计入下列应缴金额",
			yuan(debt.addition), yuanWords(debt.addition), dayWords(now), debt.lateDays))
	}
	return nil
}

// recipient is the police that a case goes to.
func recipient(ctx context.Context, q *store.Queries, m *matter, e *store.CaseEvent, now time.Time) (string, error) {
	agency := m.TransferredTo
	if e != nil {
		agency = cmp.Or(e.OtherAgencyID, agency)
	}
	if a := m.last("transfer_approve", 0); a != nil {
		agency = cmp.Or(agency, a.OtherAgencyID)
	}
	name, err := q.OfficeName(ctx, store.OfficeNameParams{AgencyID: agency, At: now})
	if errors.Is(err, pgx.ErrNoRows) {
		return "公安机关", nil
	}
	return name, err
}
