package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// beside is what somebody does in a case that is no step of it: the party, another agency, an officer who asks for a side
// way. It is done once, as soon as it may be.
type beside struct {
	name string
	ways []string // empty: all
	when func(*caseView) bool
	who  string // ROLE of the case's agency, or party
	do   func(context.Context, enforcementv1.EnforcementServiceClient, *caseView, string) error
}

// party is the account of the reported side.
const party = "PARTY"

// inState says whether a case is in one of some states.
func inState(states ...string) func(*caseView) bool {
	return func(v *caseView) bool { return slices.Contains(states, v.GetCase().GetState()) }
}

// unanswered says whether the last notice waits for what the party says to it.
func unanswered(v *caseView) bool {
	return v.GetCase().GetState() == stateNoticeServed && v.events("statement", "")+v.events("waiver", "") == 0
}

func besides() []beside {
	return []beside{
		{"evidence", nil, inState("OPENED", stateInvestigating), "CASEWORKER", prove},
		{"statement", []string{wayAdopted, wayNotAdopted}, unanswered, party, submitStatement},
		{"waiver", []string{wayWaived}, unanswered, party, waive("statement")},
		{"hearing", []string{wayHearing, wayHearingAbandoned}, func(v *caseView) bool { return unanswered(v) && offered(v) }, party, askForHearing},
		{"consent", []string{wayElectronic}, inState(stateInvestigating, stateNoticeServed), party, nil},
		{"application", []string{wayInstalments}, inState("PERFORMING"), party, nil},
		{"extension", []string{wayExtended}, inState(stateInvestigating), "CASEWORKER", ask("extend_sign")},
		{"recusal", []string{wayRecused}, inState(stateInvestigating), "HEAD", recuse},
		{"attribution", []string{wayAttributed}, isPersons, "CASEWORKER", attribute},
		{"dispute", []string{wayDisputed}, inState(stateInvestigating), "", dispute},
		{"late payment", []string{wayLate}, func(v *caseView) bool { return v.GetDebt().GetAddition().GetFen() > 0 }, "CASEWORKER", pay},
		{"payment on demand", []string{wayDemanded}, inState("DEMANDED"), "CASEWORKER", pay},
		{"first part", []string{wayInstalments}, func(v *caseView) bool { return v.events("instalments_sign", "approved") > 0 }, "CASEWORKER", payPart},
		{"filed", []string{wayReconsidered, wayChanged}, inState("PERFORMING"), "CASEWORKER", remedy("reconsideration", "filed")},
		{"filed when closed", []string{wayRevoked, wayLicensee}, overAndPublic, "CASEWORKER", remedy("reconsideration", "filed")},
		{"accepted", []string{wayReconsidered, wayRevoked, wayLicensee, wayChanged}, remedyIs("filed"), "CASEWORKER", remedy("reconsideration", "accepted")},
		{"upheld", []string{wayReconsidered}, remedyIs("accepted"), "CASEWORKER", remedy("reconsideration", "upheld")},
		{"suit", []string{wayCourt}, inState("DEMANDED"), "CASEWORKER", remedy("litigation", "filed")},
		{"suit accepted", []string{wayCourt}, remedyIs("filed"), "CASEWORKER", remedy("litigation", "accepted")},
		{"suit lost", []string{wayCourt}, remedyIs("accepted"), "CASEWORKER", remedy("litigation", "upheld")},
		{"changed", []string{wayChanged}, remedyIs("accepted"), "REVIEWER", halved},
		{"revoked", []string{wayRevoked, wayLicensee}, remedyIs("accepted"), "REVIEWER", remedy("reconsideration", "revoked")},
	}
}

// isPersons says whether a case that is investigated is against a natural person still.
func isPersons(v *caseView) bool {
	return v.GetCase().GetState() == stateInvestigating && v.GetCase().GetParty().GetPerson()
}

// overAndPublic says whether a case is over, and what it brought onto a telecom list is published: what is taken back then was
// everywhere.
func overAndPublic(v *caseView) bool {
	return v.GetCase().GetState() == stateClosed && (v.way != wayLicensee || v.listing.GetPublicationId() != "")
}

// actBeside does what is to be done beside the steps.
func (d *driver) actBeside(ctx context.Context) error {
	for _, v := range d.cases.byCase {
		for _, b := range besides() {
			key := v.id() + "/" + b.name
			if d.cases.done[key] || len(b.ways) > 0 && !slices.Contains(b.ways, v.way) || !b.when(v) {
				continue
			}
			if err := d.act(ctx, v, b, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostTries of an act that is refused: what was not yet admissible may be a moment later.
const mostTries = 60

func (d *driver) act(ctx context.Context, v *caseView, b beside, key string) error {
	conn, err := d.desk(b.account(v))
	if err != nil {
		return err
	}
	service := enforcementv1.NewEnforcementServiceClient(conn)
	request := d.people.requestFor(v, fmt.Sprintf("%s/%d", b.name, d.cases.tries[key]))
	if b.do == nil {
		err = d.sign(ctx, service, v, request)
	} else {
		err = b.do(ctx, service, v, request)
	}
	if err == nil {
		d.cases.done[key] = true
		return nil
	}
	if d.cases.tries[key]++; d.cases.tries[key] < mostTries {
		return nil
	}
	return fmt.Errorf("case %s, way %s, %s: %s", v.id(), v.way, b.name, status.Convert(err).Message())
}

// account is who acts.
func (b beside) account(v *caseView) string {
	switch {
	case b.who != party && b.who != "":
		return b.who + "@" + v.GetCase().GetAgencyId()
	case b.who == "":
		return "HEAD@" + rival(v.GetCase().GetAgencyId())
	case v.GetCase().GetParty().GetCreditCode() != "":
		return party + "@" + v.GetCase().GetParty().GetCreditCode()
	}
	return party + "@" + v.id()
}

// rival is another agency that might have the case.
func rival(agency string) string {
	if agency == "samr" || len(agency) > 5 && agency[:5] == "samr-" {
		return "miit"
	}
	return "samr"
}

// prove puts on file what the act is proved by: without it no penalty is proposed (行政处罚法 40, 46).
func prove(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.AddCaseEvidence(ctx, &enforcementv1.AddCaseEvidenceRequest{
		RequestId: request, CaseId: v.id(), Kind: "electronic", Title: "外呼系统日志和通话记录", Sha256: hashOf("evidence/" + v.id()),
		FromHolder: "当事人", ToHolder: account("caseworker", 1, v.GetCase().GetAgencyId()),
	})
	return err
}

func submitStatement(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.SubmitStatement(ctx, &enforcementv1.SubmitStatementRequest{
		RequestId: request, CaseId: v.id(), Text: "我公司已对外呼名单进行清理,请求从轻处理。",
	})
	return err
}

func waive(what string) func(context.Context, enforcementv1.EnforcementServiceClient, *caseView, string) error {
	return func(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
		_, err := s.WaiveStatement(ctx, &enforcementv1.WaiveStatementRequest{RequestId: request, CaseId: v.id(), Waived: what})
		return err
	}
}

func askForHearing(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.RequestHearing(ctx, &enforcementv1.RequestHearingRequest{RequestId: request, CaseId: v.id(), Text: "对罚款数额有异议"})
	return err
}

// sign signs what the case's way needs of the party, and remembers where it stands: that it may pay by instalments is
// asked for, that documents are delivered electronically is agreed to.
func (d *driver) sign(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	if v.way == wayInstalments {
		r, err := s.PutPartyFile(ctx, &enforcementv1.PutPartyFileRequest{
			RequestId: request, CaseId: v.id(), Name: "分期缴纳罚款申请书.txt", MediaType: "text/plain", Content: []byte("因经营困难,申请分期缴纳罚款。"),
		})
		if err == nil {
			d.cases.signed[v.id()] = r.GetFile().GetFileId()
		}
		return err
	}
	r, err := s.ConsentToElectronicDelivery(ctx, &enforcementv1.ConsentToElectronicDeliveryRequest{RequestId: request, CaseId: v.id(), Address: "served@example.com"})
	if err == nil {
		d.cases.signed[v.id()] = r.GetFiling().GetFilingId()
	}
	return err
}

func ask(step string) func(context.Context, enforcementv1.EnforcementServiceClient, *caseView, string) error {
	return func(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
		_, err := s.RequestCaseStep(ctx, &enforcementv1.RequestCaseStepRequest{RequestId: request, CaseId: v.id(), Step: step, Reason: "案情复杂"})
		return err
	}
}

func recuse(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.RecuseOfficer(ctx, &enforcementv1.RecuseOfficerRequest{
		RequestId: request, CaseId: v.id(), Subject: account("caseworker", 3, v.GetCase().GetAgencyId()), Reason: "与当事人有亲属关系",
	})
	return err
}

func dispute(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.DisputeJurisdiction(ctx, &enforcementv1.DisputeJurisdictionRequest{RequestId: request, CaseId: v.id(), Reason: "本机关先行发现"})
	return err
}

func pay(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	owed := v.GetDebt().GetOwed().GetFen()
	if owed == 0 {
		return nil
	}
	_, err := s.RecordPayment(ctx, &enforcementv1.RecordPaymentRequest{
		RequestId: request, CaseId: v.id(), Amount: &commonv1.Money{Fen: owed}, ReceiptNo: "非税票据" + request[:8],
	})
	return err
}

// payPart pays half of what is owed, the first of two parts.
func payPart(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	_, err := s.RecordPayment(ctx, &enforcementv1.RecordPaymentRequest{
		RequestId: request, CaseId: v.id(), Amount: &commonv1.Money{Fen: v.GetDebt().GetOwed().GetFen() / 2}, ReceiptNo: "分期票据" + request[:8],
	})
	return err
}

func remedy(kind, fact string) func(context.Context, enforcementv1.EnforcementServiceClient, *caseView, string) error {
	return func(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
		_, err := s.RecordRemedy(ctx, &enforcementv1.RecordRemedyRequest{
			RequestId: request, CaseId: v.id(), Kind: kind, Fact: fact, DocumentNo: "裁决〔" + time.Now().Format("2006") + "〕1号",
		})
		return err
	}
}

// halved records that the reconsideration halved the fine.
func halved(ctx context.Context, s enforcementv1.EnforcementServiceClient, v *caseView, request string) error {
	req := &enforcementv1.RecordRemedyRequest{
		RequestId: request, CaseId: v.id(), Kind: "reconsideration", Fact: "changed", DocumentNo: "复决〔" + time.Now().Format("2006") + "〕2号",
	}
	for _, p := range v.GetCase().GetPenalties() {
		p := proto.CloneOf(p)
		if p.GetKind() == "fine" {
			p.Amount = &commonv1.Money{Fen: p.GetAmount().GetFen() / 2}
		}
		req.Changed = append(req.Changed, p)
	}
	_, err := s.RecordRemedy(ctx, req)
	return err
}

// remedyIs says whether the case's remedy stands there.
func remedyIs(state string) func(*caseView) bool {
	return func(v *caseView) bool {
		r := v.GetRemedies()
		return len(r) > 0 && r[len(r)-1].GetState() == state
	}
}
