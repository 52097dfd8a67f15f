package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

type caseworkRequest = caseworkv1.DecideRequest

// decideCase makes the decision on a step of a case as its way has it; nil means that something else comes first.
func (p people) decideCase(t *assignmentv1.Task, v *caseView, refusals int) *caseworkRequest {
	outcome, detail := p.caseStep(t, v)
	if outcome == "" {
		return nil
	}
	if !slices.Contains(t.GetOutcomes(), outcome) {
		outcome = t.GetOutcomes()[0]
	}
	return &caseworkv1.DecideRequest{
		RequestId: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "drive/%d/%s/%d", p.seed, t.GetTaskId(), refusals)).String(),
		TaskId:    t.GetTaskId(), Outcome: outcome, ReasonCode: reasonCode(t, outcome), Note: "由演练操作员作出", Detail: detail,
	}
}

// caseStep is what a way says at a step.
func (p people) caseStep(t *assignmentv1.Task, v *caseView) (string, *assignmentv1.DecisionDetail) {
	step := &assignmentv1.CaseStepDetail{}
	detail := &assignmentv1.DecisionDetail{CaseStep: step}
	agency := t.GetAgencyId()
	switch t.GetStep() {
	case "appoint":
		step.Officers = officers(agency, v)
		return "appointed", detail
	case "investigate":
		return p.investigate(v, step), detail
	case "serve_notice", "demand":
		step.Method, step.AcknowledgedCaseIds = "direct", v.suspects
		return "served", detail
	case "answer_statement":
		if v.way == wayAdopted {
			step.Mended = []string{"penalty"}
			return "adopted", detail
		}
		return "not_adopted", detail
	case "announce_hearing":
		step.HearingTime, step.HearingPlace, step.Chair = timestamppb.New(v.read.Add(hearingAhead).Round(time.Second)), "机关听证室", account("reviewer", 2, agency)
		step.ChairName = "演练主持人"
		return "announced", detail
	case "hold_hearing":
		if at, err := time.Parse(time.RFC3339, t.GetFacts()["hearing_time"]); err == nil && time.Now().Before(at) {
			return "", nil
		}
		step.RecordHash = hashOf("hearing/" + t.GetTaskId())
		if v.way == wayHearingAbandoned {
			return "abandoned", detail
		}
		return "held", detail
	case "legal_review":
		step.QualificationNo = "A20184401"
		if v.way == wayLegalReturned && v.events("legal_review", "returned") == 0 {
			return "returned", detail
		}
		return "passed", detail
	case "discuss":
		step.Participants = []string{account("head", 1, agency), account("head", 2, agency), account("head", 3, agency)}
		step.RecordHash = hashOf("discussion/" + t.GetTaskId())
		return "agreed", detail
	}
	return p.after(t, v, step), detail
}

// after is what a way says at the steps after the decision, and beside it.
func (p people) after(t *assignmentv1.Task, v *caseView, step *assignmentv1.CaseStepDetail) string {
	switch t.GetStep() {
	case "deliver":
		return deliver(v, step)
	case "onspot":
		step.Method, step.StatementHeard = "onspot", true
		step.Participants = []string{account("caseworker", 1, t.GetAgencyId()), account("caseworker", 2, t.GetAgencyId())}
		return "delivered"
	case "confirm_performance":
		return performance(v, step)
	case "apply_court":
		step.ReceiptNo = "申强字1号"
		return "applied"
	case "court_result":
		step.Paid, step.ReceiptNo = owed(v), "执结字1号"
		return "enforced"
	case "transfer_approve":
		step.AgencyId = "mps"
		if _, province, ok := strings.Cut(t.GetAgencyId(), "-"); ok && len(province) == 2 {
			step.AgencyId += "-" + province
		}
		return "approved"
	case "transfer_send":
		step.ReceiptNo = "移送回执1号"
		return "sent"
	case "police_decide":
		if v.way == wayTransferReturned {
			return "returned"
		}
		return "accepted"
	case "police_result":
		return "crime"
	case "instalments_sign":
		return "approved"
	case "extend_sign":
		step.ExtendDays, step.Basis = 30, "案情复杂,经负责人批准 (行政处罚法 第六十条; 市场监督管理行政处罚程序规定 第六十四条)"
		return "extended"
	case "reverse":
		step.Basis = "行政复议决定"
		return "reversed"
	case "designate_case":
		step.AgencyId = v.GetCase().GetAgencyId()
		return "designated"
	}
	return usual(t)
}

// account is the subject of the n-th person of a role in an agency.
func account(role string, n int, agency string) string {
	if n > 1 {
		role += "-" + strconv.Itoa(n)
	}
	return role + "@" + agency
}

func officers(agency string, v *caseView) []*assignmentv1.AppointedOfficer {
	many := 2
	if v.way == wayRecused {
		many = 3
	}
	var out []*assignmentv1.AppointedOfficer
	for n := range many {
		out = append(out, &assignmentv1.AppointedOfficer{Subject: account("caseworker", n+1, agency), QualificationNo: fmt.Sprintf("执法证%04d", n+1),
			Name: fmt.Sprintf("演练办案员%d", n+1)})
	}
	return out
}

func hashOf(what string) string {
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:])
}

const (
	hearingAhead = 20 * time.Second // more than seven working days of a rehearsal, both ends excluded (行政处罚法 64)
	partEvery    = 2 * time.Minute  // between two parts of a fine: the head grants them before the first is due
	yuan         = 100              // fen
)

// simple ways are the simplified procedure: of a person up to 200 yuan, of a firm up to 3,000 (行政处罚法 51).
var simple = map[string]bool{waySimplified: true, wayPersonSmall: true}

// investigate ends an investigation by the way's proposal; empty while something else comes first.
func (p people) investigate(v *caseView, step *assignmentv1.CaseStepDetail) string {
	first := map[string]string{wayExtended: "extend_sign", wayRecused: "recuse", wayDisputed: "designate_case"}[v.way]
	if first != "" && v.events(first, "") == 0 {
		return ""
	}
	if v.way == wayAttributed && v.GetCase().GetParty().GetPerson() {
		return ""
	}
	c := &assignmentv1.CaseProposal{ActEndTime: timestamppb.New(v.GetCase().GetOpenTime().AsTime().Add(-time.Hour)), Findings: "经查，当事人未经同意拨打营销电话，有通话记录和录音为证。",
		PartyAddress: "演练市演练路1号"}
	step.Proposal = c
	switch {
	case noPenaltyWays[v.way]:
		c.NoPenaltyGround = v.way
		if v.way == wayLimitation {
			c.ActEndTime = timestamppb.New(v.GetCase().GetOpenTime().AsTime().AddDate(-3, 0, 0))
		}
		return "no_penalty"
	case (v.way == wayTransferred || v.way == wayTransferReturned) && v.events("transfer_approve", "") == 0:
		step.Proposal = nil
		return "transfer"
	}
	fine := p.fine(v)
	if fine == nil {
		c.NoPenaltyGround = wayNotEstablished
		return "no_penalty"
	}
	c.Penalties = []*assignmentv1.PenaltyDetail{fine}
	c.Mitigation = "初次违法,及时改正"
	c.BandReason = "考虑危害范围和主观过错,偏离裁量基准"
	c.ComplexOrMajor = v.way == wayDiscussed
	c.ThirdPartyInterest = v.way == wayLegalReturned || v.way == wayDiscussed
	if simple[v.way] {
		return "simplified"
	}
	return "proposed"
}

// fine is a fine that the agency may impose, within its band: lower after a statement that was adopted, within the limits of
// the simplified procedure (行政处罚法 51), or high enough for a hearing (63), as the way has it.
func (p people) fine(v *caseView) *assignmentv1.PenaltyDetail {
	if len(v.suggested) == 0 { // nobody asked
		return &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "消费者权益保护法第五十六条", CatalogueCode: "consumer_56"}
	}
	for _, s := range v.suggested {
		if s.GetKind() != "fine" || !s.GetEntitled() {
			continue
		}
		low, high := max(s.GetLow().GetFen(), s.GetBandLow().GetFen(), yuan), s.GetHigh().GetFen()
		if s.GetBandHigh() != nil {
			high = s.GetBandHigh().GetFen()
		}
		amount := min(max(low, 8000*yuan), high)
		switch {
		case simple[v.way]:
			amount = max(s.GetLow().GetFen(), 100*yuan)
		case v.way == wayHearing || v.way == wayHearingAbandoned:
			amount = min(s.GetHigh().GetFen(), 200_000*yuan)
		case v.way == wayAdopted && v.events("answer_statement", "adopted") > 0:
			amount = max(low, amount/2)
		}
		return &assignmentv1.PenaltyDetail{
			Kind: "fine", Amount: &commonv1.Money{Fen: amount}, Basis: s.GetBasis(), CatalogueCode: s.GetCode(),
			ListParty: !simple[v.way], Publish: !simple[v.way],
		}
	}
	return nil
}

// deliver serves the decision (行政处罚法 61): by public notice only after another way failed.
func deliver(v *caseView, step *assignmentv1.CaseStepDetail) string {
	step.Method = "direct"
	switch v.way {
	case wayPublicNotice:
		if v.events("deliver", "not_delivered") == 0 {
			step.Method = "mail"
			return "not_delivered"
		}
		step.Method = "public_notice"
	case wayElectronic:
		if step.Method = "electronic"; v.signed == "" {
			return "" // the party has not consented yet
		}
		step.ConsentDocumentId = v.signed
	}
	return "delivered"
}

// owed is what is owed now; nil when nothing is.
func owed(v *caseView) *commonv1.Money {
	if v.GetDebt().GetOwed().GetFen() == 0 {
		return nil
	}
	return &commonv1.Money{Fen: v.GetDebt().GetOwed().GetFen()}
}

// performance is how a party performs; empty while the way waits for something.
func performance(v *caseView, step *assignmentv1.CaseStepDetail) string {
	step.Paid, step.ReceiptNo = owed(v), "非税票据"+v.id()[:8]
	switch v.way {
	case wayInstalments:
		if v.events("confirm_performance", "instalments") == 0 {
			if v.signed == "" {
				return "" // the party has not applied yet
			}
			step.Paid, step.ReceiptNo = nil, ""
			step.Instalments, step.ApplicationFileId = parts(v), v.signed
			return "instalments"
		}
	case wayChanged:
		if v.GetCase().GetChangeTime() == nil {
			return "" // it waits for what comes of the reconsideration
		}
	case wayLate:
		if v.events("payment", "") == 0 {
			return "" // it pays when it is late
		}
	case wayDemanded, wayCourt:
		if v.events("demand", "") == 0 {
			if v.GetDebt().GetAddition().GetFen() == 0 {
				return ""
			}
			step.Paid, step.ReceiptNo = nil, ""
			return "unperformed"
		}
	}
	return "performed"
}

// parts halve what is owed.
func parts(v *caseView) []*assignmentv1.Instalment {
	total := v.GetDebt().GetOwed().GetFen()
	return []*assignmentv1.Instalment{
		{DueTime: timestamppb.New(v.read.Add(partEvery)), Amount: &commonv1.Money{Fen: total / 2}},
		{DueTime: timestamppb.New(v.read.Add(2 * partEvery)), Amount: &commonv1.Money{Fen: total - total/2}},
	}
}

// offered says whether the last notice told of the right to a hearing (行政处罚法 63).
func offered(v *caseView) bool {
	n := v.GetNotices()
	return len(n) > 0 && n[len(n)-1].GetHearingOffered()
}
