package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// pitches are what callers of the rehearsal said, one per sector.
var pitches = []string{
	"推销无抵押贷款,额度三十万,当天放款,利息低", "推销信用卡办理,额度高,秒批", "推销保险产品,分红保险", "推销楼盘,买房优惠,首付低",
	"推销教育培训课程,一对一辅导", "推销股票荐股,加微信群", "推销医疗美容整形,打折", "推销装修套餐,全屋定制",
}

// file reports as many numbers as wanted, each a complaint of its own.
func (m *testMesh) fileMany(t *testing.T, n int) {
	t.Helper()
	service := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321"))
	for i := range n {
		_, err := service.FileReport(t.Context(), &reportingv1.FileReportRequest{
			RequestId: uuid.NewString(), SenderNo: fmt.Sprintf("WAYS-%03d", i), Channel: "phone", ReporterNumber: fmt.Sprintf("1390000%04d", i),
			DisplayedNumber: fmt.Sprintf("1700001%04d", i), CallTime: timestamppb.New(yesterday()), ReportedType: "贷款理财", ReporterProvince: "44",
			Text: pitches[i%len(pitches)],
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// taken says of each way by what in the log of a case it is known.
var taken = map[string]func(*caseView) bool{
	wayStraight:         wayOf("deliver:delivered confirm_performance:performed"),
	wayAdopted:          wayOf("statement: answer_statement:adopted"),
	wayNotAdopted:       wayOf("statement: answer_statement:not_adopted case_sign:signed"),
	wayHearing:          wayOf("hearing_request: announce_hearing: hold_hearing:held legal_review:passed case_sign:signed"),
	wayHearingAbandoned: wayOf("hearing_request: hold_hearing:abandoned case_sign:signed"),
	wayLegalReturned:    wayOf("legal_review:returned legal_review:passed case_sign:signed"),
	wayDiscussed:        wayOf("discuss:agreed case_sign:signed"),
	waySimplified: func(v *caseView) bool {
		return v.GetCase().GetProcedure() == "simplified" && v.GetCase().GetState() == stateClosed
	},
	waySlight: endedBy(waySlight), wayFirstSlight: endedBy(wayFirstSlight), wayNoFault: endedBy(wayNoFault),
	wayLimitation: endedBy(wayLimitation), wayNotEstablished: endedBy(wayNotEstablished),
	wayTransferred:      wayOf("transfer_approve:approved transfer_send:sent police_decide:accepted police_result:crime"),
	wayTransferReturned: wayOf("transfer_send:sent police_decide:returned case_sign:signed"),
	wayInstalments:      wayOf("confirm_performance:instalments instalments_sign:approved confirm_performance:performed"),
	wayLate: func(v *caseView) bool {
		return v.GetDebt().GetAddition().GetFen() > 0 && v.GetDebt().GetOwed().GetFen() == 0
	},
	wayDemanded:     wayOf("confirm_performance:unperformed demand:served confirm_performance:performed"),
	wayCourt:        wayOf("demand:served apply_court:applied court_result:enforced"),
	wayWaived:       wayOf("waiver: case_sign:signed"),
	wayElectronic:   func(v *caseView) bool { return v.way == wayElectronic && v.events("deliver", "delivered") > 0 },
	wayPublicNotice: wayOf("deliver:not_delivered deliver:delivered"),
	wayExtended: func(v *caseView) bool {
		return v.events("extend_sign", "extended") > 0 && slices.ContainsFunc(v.GetClocks(), func(k *enforcementv1.CaseClock) bool { return len(k.GetExtensions()) > 0 })
	},
	wayRecused:      wayOf("recuse: case_sign:signed"),
	wayReconsidered: func(v *caseView) bool { return remedyIs("upheld")(v) },
	wayRevoked:      func(v *caseView) bool { return remedyIs("revoked")(v) && v.GetCase().GetReverseTime() != nil },
	wayChanged: func(v *caseView) bool {
		return remedyIs("changed")(v) && v.GetCase().GetState() == stateClosed && v.GetDebt().GetOwed().GetFen() == 0
	},
	wayDisputed: wayOf("dispute: designate_case:designated case_sign:signed"),
	wayLicensee: func(v *caseView) bool {
		return v.way == wayLicensee && remedyIs("revoked")(v) && wayOf("deliver:delivered confirm_performance:performed remedy: withdrawn:")(v)
	},
	wayPerson: func(v *caseView) bool {
		return v.way == wayPerson && v.GetCase().GetParty().GetPerson() && paidAndClosed(v)
	},
	wayPersonSmall: func(v *caseView) bool {
		return v.way == wayPersonSmall && v.GetCase().GetParty().GetPerson() && paidAndClosed(v)
	},
	wayAttributed: func(v *caseView) bool {
		return v.way == wayAttributed && !v.GetCase().GetParty().GetPerson() && paidAndClosed(v)
	},
}

// wayOf says whether steps of the log came one after the other.
func wayOf(steps string) func(*caseView) bool {
	return func(v *caseView) bool {
		left := strings.Fields(steps)
		for _, e := range v.GetEvents() {
			if len(left) > 0 && strings.HasPrefix(e.GetStep()+":"+e.GetOutcome(), left[0]) {
				left = left[1:]
			}
		}
		return len(left) == 0
	}
}

func endedBy(noPenaltyGround string) func(*caseView) bool {
	return func(v *caseView) bool {
		return v.GetCase().GetNoPenaltyGround() == noPenaltyGround && v.GetCase().GetState() == stateClosed
	}
}

// TestMesh_everyWayOfACase drives 200 complaints to their end: their cases take every way of the procedure, and nothing is
// found broken afterwards.
func TestMesh_everyWayOfACase(t *testing.T) {
	m := ownMesh(t, "rehearsal")
	const complaints, fewest = 200, 20
	m.fileMany(t, complaints)
	began := time.Now()
	d := newDriver(driveCmd{remote: m.remote, Seed: 4, Quiet: true, Until: "closed"})
	defer d.close()
	reported := m.fileCodes(t, d)
	public := m.driveAll(t, d)
	t.Logf("driven in %s, %d decisions", time.Since(began).Round(time.Second), d.decisions())

	views := m.views(t, d)
	if len(views) < fewest {
		t.Errorf("%d cases, want at least %d", len(views), fewest)
	}
	m.checkWays(t, views)
	m.checkReversal(t, views)
	m.checkChanged(t, views)
	m.checkLicensee(t, views, public)
	m.checkPersons(t, views)
	m.checkCodes(t, views, reported)
	found, err := fsck(t.Context(), m.as(t, "AUDITOR@miit"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Broken) > 0 {
		t.Errorf("fsck: %s", strings.Join(found.Broken, "\n"))
	}
}

// driveAll drives everything to its end. What was public of a licensee's entry before it was taken back is the answer.
func (m *testMesh) driveAll(t *testing.T, d *driver) (public *disclosurev1.Publication) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		done, err := d.round(ctx)
		if err != nil && !passing(err) {
			t.Fatal(err)
		}
		if done {
			return public
		}
		if public == nil {
			public = m.publicEntry(t, d)
		}
		select {
		case <-time.After(driveBreath):
		case <-ctx.Done():
			for _, v := range d.cases.byCase {
				t.Logf("case %s: way %s, %s, %v", v.id(), v.way, v.GetCase().GetState(), v.GetEvents()[max(0, len(v.GetEvents())-3):])
			}
			tasks, err := d.openTasks(t.Context())
			t.Fatalf("not everything came to an end; %d cases open, tasks %v, %v", d.cases.open, tasks, err)
		}
	}
}

// views are all cases with their logs.
func (m *testMesh) views(t *testing.T, d *driver) []*caseView {
	t.Helper()
	service := enforcementv1.NewEnforcementServiceClient(m.as(t, "LEAD@miit"))
	var views []*caseView
	err := pages(func(token string) (string, error) {
		r, err := service.ListCases(t.Context(), &enforcementv1.ListCasesRequest{PageSize: 500, PageToken: token})
		for _, c := range r.GetCases() {
			file, err := service.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: c.GetCaseId()})
			if err != nil {
				return "", err
			}
			views = append(views, &caseView{GetCaseResponse: file, way: d.cases.ways[c.GetCaseId()]})
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return views
}

func (m *testMesh) checkWays(t *testing.T, views []*caseView) {
	t.Helper()
	for _, way := range ways {
		if !slices.ContainsFunc(views, taken[way]) {
			t.Errorf("no case went the way %s", way)
			for _, v := range views {
				if v.way == way {
					t.Logf("  case %s was to: %s %v", v.id(), v.GetCase().GetState(), v.GetEvents())
				}
			}
		}
	}
}

// checkChanged: what is public of a changed decision says what it is now, as a new version of the same item.
func (m *testMesh) checkChanged(t *testing.T, views []*caseView) {
	t.Helper()
	public := disclosurev1.NewDisclosureServiceClient(m.as(t, ""))
	for _, v := range views {
		if !taken[wayChanged](v) {
			continue
		}
		p, err := public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{Kind: "penalty", CaseId: v.id()})
		if err != nil || p.GetPublication().GetState() == "WITHDRAWN" || p.GetPublication().GetVersion() != 2 {
			t.Errorf("publication of a changed decision: %v, %v", p, err)
		}
	}
}

// checkReversal: what a reversed decision listed and published is nowhere any more, and its tombstone stays.
func (m *testMesh) checkReversal(t *testing.T, views []*caseView) {
	t.Helper()
	credit, public := creditv1.NewCreditServiceClient(m.as(t, "LEAD@miit")), disclosurev1.NewDisclosureServiceClient(m.as(t, ""))
	for _, v := range views {
		if !taken[wayRevoked](v) {
			continue
		}
		p, err := public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{Kind: "penalty", CaseId: v.id()})
		if err != nil || p.GetPublication().GetState() != "WITHDRAWN" {
			t.Errorf("publication of a reversed decision: %v, %v", p, err)
		}
		l, err := credit.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: v.GetCase().GetParty().GetCreditCode()})
		if err != nil || slices.ContainsFunc(l.GetListings(), func(l *creditv1.Listing) bool { return l.GetCaseId() == v.id() }) {
			t.Errorf("listings of a reversed decision: %v, %v", l, err)
		}
	}
}
