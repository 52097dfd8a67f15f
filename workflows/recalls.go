package workflows

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/phone"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// Kinds of publications that a recall makes.
const (
	kindRecallNotice = "recall_notice" // 拟收回公告
	kindRecallDone   = "recall"        // 收回公告
)

// BeginRecall reads what the workflow needs to know of its recall.
func (a *Activities) BeginRecall(ctx context.Context, in *caseworkv1.RecallInput) (*caseworkv1.RecallFacts, error) {
	resp, err := a.Ledger.GetRecall(ctx, &ledgerv1.GetRecallRequest{RecallId: in.GetRecallId()})
	if err != nil {
		return nil, err
	}
	r := resp.GetRecall()
	return &caseworkv1.RecallFacts{
		Current: r.GetState() == "PROPOSED" || r.GetState() == "REVIEWING", AgencyId: r.GetAgencyId(),
		ProposedBy: subjectOf(r.GetProposedBy()), ResourceId: r.GetResourceId(), ReasonCode: r.GetReasonCode(),
	}, nil
}

// subjectOf is the subject of subject@agency; a subject may hold an @ itself.
func subjectOf(by string) string {
	if i := strings.LastIndex(by, "@"); i >= 0 {
		return by[:i]
	}
	return by
}

// GiveRecallNotice publishes the signed notice and puts the resource under it; the term runs from the publication. A
// resource whose use has ended by itself meanwhile is taken back from nobody, and no notice of it stays public.
func (a *Activities) GiveRecallNotice(ctx context.Context, n givingNotice) (*caseworkv1.NoticeGiven, error) {
	resp, err := a.Ledger.GetRecall(ctx, &ledgerv1.GetRecallRequest{RecallId: n.RecallID})
	if err != nil {
		return nil, err
	}
	if r := resp.GetRecall(); r.GetState() == "REJECTED" ||
		r.GetState() == "REVIEWING" && (resp.GetResource().GetState() == "ENDED" || resp.GetResource().GetState() == "RECALLED") {
		return &caseworkv1.NoticeGiven{}, a.recallIsMoot(ctx, n)
	}
	p, err := a.publishRecall(ctx, resp, kindRecallNotice, &disclosurev1.Gate{DecidedTime: n.Signed})
	if err != nil {
		return nil, err
	}
	due, err := calendar.Due(basisNotice, p.GetPublishTime().AsTime(), n.Profile)
	if err != nil {
		return nil, err
	}
	given, err := a.Ledger.GiveRecallNotice(ctx, &ledgerv1.GiveRecallNoticeRequest{
		RequestId: derived(n.RecallID + "/notice/" + p.GetPublicationId()), RecallId: n.RecallID, SigningTaskId: n.SigningTaskID,
		PublicationId: p.GetPublicationId(), NoticeTime: p.GetPublishTime(), NoticeUntil: timestamp(due.Due), Clock: &commonv1.Clock{
			Basis: basisNotice, StatutoryDue: due.Statutory.Format(time.RFC3339), Proof: due.Proof, Provisional: due.Provisional,
		},
	})
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) { // its use ended after we looked
		return &caseworkv1.NoticeGiven{}, a.recallIsMoot(ctx, n)
	}
	if err != nil {
		return nil, err
	}
	return &caseworkv1.NoticeGiven{
		PublicationId: given.GetRecall().GetPublicationId(), UntilTime: given.GetRecall().GetNoticeUntil(),
	}, nil
}

// recallIsMoot ends a recall of what nobody holds any more. Its notice may be public by now, of this try or of one before:
// it is withdrawn first, so that a try that breaks off between the two leaves a recall to be ended, not a notice to be found.
func (a *Activities) recallIsMoot(ctx context.Context, n givingNotice) error {
	p, err := a.Disclosure.GetPublication(ctx, &disclosurev1.GetPublicationRequest{Kind: kindRecallNotice, CaseId: n.RecallID})
	if err == nil {
		err = a.withdrawNotice(ctx, p.GetPublication().GetPublicationId(), "码号资源已终止使用,终止收回")
	}
	if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND); err != nil {
		return err
	}
	_, err = a.Ledger.AdvanceRecall(ctx, &ledgerv1.AdvanceRecallRequest{
		RequestId: derived(n.RecallID + "/moot"), RecallId: n.RecallID, State: "REJECTED", TaskId: n.SigningTaskID, ReasonCode: "use_ended",
	})
	return err
}

func (a *Activities) withdrawNotice(ctx context.Context, publication, reason string) error {
	_, err := a.Disclosure.WithdrawPublication(ctx, &disclosurev1.WithdrawPublicationRequest{
		RequestId: derived(publication + "/withdraw"), PublicationId: publication, Reason: reason,
	})
	return err
}

// publishRecall publishes what the public reads of a recall, once per kind.
func (a *Activities) publishRecall(ctx context.Context, r *ledgerv1.GetRecallResponse, kind string, gate *disclosurev1.Gate) (*disclosurev1.Publication, error) {
	title, summary := recallInWords(r, kind)
	agency, err := a.agency(ctx, r.GetRecall().GetAgencyId())
	if err != nil {
		return nil, err
	}
	req, err := rekeyed(&disclosurev1.PublishRequest{
		Publication: &disclosurev1.Publication{
			Kind: kind, Title: agency.GetName() + title, AgencyName: agency.GetName(), Summary: summary, AgencyId: r.GetRecall().GetAgencyId(), CaseId: r.GetRecall().GetRecallId(),
			PartyName: publicHolder(r.GetResource().GetHolder()), CreditCode: r.GetResource().GetHolder().GetCreditCode(),
			Codes: codeOf(r.GetResource()), RegionCodes: regionOf(agency),
		},
		Gate: gate,
	})
	if err != nil {
		return nil, err
	}
	resp, err := a.Disclosure.Publish(ctx, req)
	if err != nil {
		return nil, err
	}
	if resp.GetPublication() == nil {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED,
			"the notice of a recall is not published: %s", resp.GetNotPublishedBecause())
	}
	return resp.GetPublication(), nil
}

// codeOf is the code of a resource that is one code that the public register names.
func codeOf(r *ledgerv1.Resource) []string {
	n := phone.Parse(r.GetFirstNumber())
	if r.GetLastNumber() != "" && r.GetLastNumber() != r.GetFirstNumber() || !slices.Contains(publicCodes, n.GetKind()) {
		return nil
	}
	return []string{n.GetNormal()}
}

// regionOf is the province of an agency of one.
func regionOf(agency *assignmentv1.Agency) []string {
	if agency.GetProvince() == "" {
		return nil
	}
	return []string{agency.GetProvince()}
}

// recallInWords is a recall as the public reads it.
func recallInWords(r *ledgerv1.GetRecallResponse, kind string) (title, summary string) {
	numbers, c := publicNumbers(r.GetResource()), r.GetRecall()
	if kind == kindRecallDone {
		return "收回码号资源公告 " + numbers, fmt.Sprintf("公告期满,收回码号资源 %s。依据:%s。事由:%s", numbers, c.GetBasis(), c.GetStatement())
	}
	return "拟收回码号资源公告 " + numbers, fmt.Sprintf("拟收回码号资源 %s。依据:%s。事由:%s。使用主体自公告之日起三十日内可提出异议。",
		numbers, c.GetBasis(), c.GetStatement())
}

// publicHolder is a holder's name, if it is a firm: who has no credit code may be a person, and no person is named.
func publicHolder(h *ledgerv1.Holder) string {
	if h.GetCreditCode() == "" {
		return "名称不予公布"
	}
	return h.GetName()
}

// publicNumbers are the numbers of a resource as the public reads them: codes in full, among them the ports of short
// messages, which are longer than codes of calls; subscriber numbers masked.
func publicNumbers(r *ledgerv1.Resource) string {
	first, last := publicNumber(r.GetFirstNumber()), publicNumber(r.GetLastNumber())
	if r.GetLastNumber() == "" || r.GetFirstNumber() == r.GetLastNumber() {
		return first
	}
	return first + "-" + last
}

func publicNumber(n string) string {
	const masked, port = 4, "106"
	if strings.HasPrefix(n, port) {
		return n
	}
	for _, code := range []string{"95", "96", "400", "800", "1010", "10", "11", "12"} {
		if strings.HasPrefix(n, code) && (len(n) <= 8 || len(code) == 3 && len(n) == 10) {
			return n
		}
	}
	if len(n) <= masked {
		return n
	}
	return n[:len(n)-masked] + strings.Repeat("*", masked)
}

// GoOnWithRecall looks at a recall under notice. When its term is over and no objection is open it is carried out, and
// the public is told.
func (a *Activities) GoOnWithRecall(ctx context.Context, g goingOn) (*caseworkv1.RecallLook, error) {
	if g.Over {
		_, err := a.Ledger.CompleteRecall(ctx, &ledgerv1.CompleteRecallRequest{RequestId: g.Request, RecallId: g.RecallID})
		if err != nil {
			return nil, err
		}
	}
	resp, err := a.Ledger.GetRecall(ctx, &ledgerv1.GetRecallRequest{RecallId: g.RecallID})
	if err != nil {
		return nil, err
	}
	r := resp.GetRecall()
	out := &caseworkv1.RecallLook{State: r.GetState()}
	for _, o := range r.GetObjections() {
		if o.GetState() == "OPEN" {
			out.ObjectionId = o.GetObjectionId()
		}
	}
	if r.GetState() == "RECALLED" {
		_, err = a.publishRecall(ctx, resp, kindRecallDone, &disclosurev1.Gate{NoticeTime: r.GetNoticeTime(), DecidedTime: r.GetEndTime()})
	}
	return out, err
}

// AnswerObjection writes the answer to an objection. With a recall that is abandoned its notice is withdrawn.
func (a *Activities) AnswerObjection(ctx context.Context, w answering) error {
	req, err := rekeyed(w.Request)
	if err != nil {
		return err
	}
	if _, err := a.Ledger.DecideObjection(ctx, req); err != nil || !req.GetUpheld() {
		return err
	}
	return a.withdrawNotice(ctx, w.Publication, "异议成立,终止收回")
}

// BeginAppeal finds out who ordered what is appealed against and who had a part in it, who therefore decides, and who would
// restore.
func (a *Activities) BeginAppeal(ctx context.Context, in *caseworkv1.AppealInput) (*caseworkv1.AppealFacts, error) {
	resp, err := a.Ledger.GetAppeal(ctx, &ledgerv1.GetAppealRequest{AppealId: in.GetAppealId()})
	if err != nil {
		return nil, err
	}
	p := resp.GetAppeal()
	out := &caseworkv1.AppealFacts{
		Current: p.GetState() == "FILED" || p.GetState() == "REVIEWING", ResourceId: p.GetResourceId(), Restriction: p.GetRestriction(),
		OperatorMeasure: p.GetNature() == "operator_measure", FileTime: p.GetFileTime(),
	}
	if !out.GetCurrent() {
		return out, nil
	}
	ordered := resp.GetOrderedBy()
	out.OrderedBy, out.AgencyId = subjectOf(ordered), strings.TrimPrefix(ordered[len(subjectOf(ordered)):], "@")
	if id := p.GetDispositionTaskId(); id != "" {
		known, err := a.Assignment.GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: id})
		if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND); err != nil {
			return nil, err
		}
		if known.GetTask().GetAgencyId() != "" {
			out.OrderedBy, out.AgencyId = known.GetDecision().GetDecidedBy(), known.GetTask().GetAgencyId()
		}
		if out.Excluded, err = a.hadAPart(ctx, known.GetTask().GetSubjectId()); err != nil {
			return nil, err
		}
	}
	if by := out.GetOrderedBy(); by != "" && !slices.Contains(out.GetExcluded(), by) {
		out.Excluded = append(out.Excluded, by)
	}
	access := resp.GetAccessOperatorId()
	if out.AgencyId, err = a.acting(ctx, out.GetAgencyId(), access); err != nil {
		return nil, err
	}
	if out.ExecutorAgencyId, err = a.acting(ctx, access); err != nil {
		return nil, err
	}
	_, err = a.Ledger.AdvanceAppeal(ctx, &ledgerv1.AdvanceAppealRequest{
		RequestId: derived(in.GetAppealId() + "/review/" + out.GetAgencyId() + "/" + out.GetExecutorAgencyId()), AppealId: in.GetAppealId(),
		State: "REVIEWING", AgencyId: out.GetAgencyId(), ExecutorAgencyId: out.GetExecutorAgencyId(),
	})
	return out, err
}

// hadAPart are those who proposed, reviewed or signed what became of a complaint. Who had a part in an order does not
// decide on it again (回避).
func (a *Activities) hadAPart(ctx context.Context, subject string) ([]string, error) {
	var who []string
	if subject == "" {
		return nil, nil
	}
	for _, s := range []step{stepHandle, stepReview, stepSign} {
		for token, more := "", true; more; more = token != "" {
			page, err := a.Assignment.ListTasks(ctx, &assignmentv1.ListTasksRequest{
				SubjectId: subject, Step: s.name, State: "DONE", PageSize: 500, PageToken: token,
			})
			if err != nil {
				return nil, err
			}
			for _, t := range page.GetTasks() {
				known, err := a.Assignment.GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: t.GetTaskId()})
				if err != nil {
					return nil, err
				}
				if by := known.GetDecision().GetDecidedBy(); by != "" && !slices.Contains(who, by) {
					who = append(who, by)
				}
			}
			token = page.GetNextPageToken()
		}
	}
	return who, nil
}

// acting is an agency, if it takes tasks; else the communications administration in its place.
func (a *Activities) acting(ctx context.Context, id string, others ...string) (string, error) {
	agency, err := a.agency(ctx, id)
	if err != nil || id != "" && agency.GetAssignable() {
		return id, err
	}
	return a.administration(ctx, append([]string{id}, others...)...)
}

// DecideAppeal writes the answer to an appeal and what follows from it for the record.
func (a *Activities) DecideAppeal(ctx context.Context, deed *ledgerv1.DecideAppealRequest) (*caseworkv1.AppealDecided, error) {
	deed = proto.CloneOf(deed)
	var err error
	if deed.Cause, err = a.causeOf(ctx, deed); err != nil {
		return nil, err
	}
	req, err := rekeyed(deed)
	if err != nil {
		return nil, err
	}
	resp, err := a.Ledger.DecideAppeal(ctx, req)
	return &caseworkv1.AppealDecided{Restore: resp.GetRestore()}, err
}

// mattersUnstarted starts the workflows of recalls and appeals that nobody started.
func (a *Activities) mattersUnstarted(ctx context.Context, older *durationpb.Duration, begin func(func(context.Context) (bool, error)) error) error {
	for _, of := range []struct {
		kind  string
		start func(context.Context, string) (bool, error)
	}{{"recall", a.runs.StartRecall}, {"appeal", a.runs.StartAppeal}, {"rectification", a.runs.StartRectification}} {
		for token, more := "", true; more; more = token != "" {
			page, err := a.Ledger.ListUnstartedMatters(ctx, &ledgerv1.ListUnstartedMattersRequest{
				Kind: of.kind, PageSize: 500, PageToken: token, OlderThan: older,
			})
			if err != nil {
				return err
			}
			for _, id := range page.GetIds() {
				if err := begin(func(ctx context.Context) (bool, error) { return of.start(ctx, id) }); err != nil {
					return err
				}
			}
			token = page.GetNextPageToken()
		}
	}
	return nil
}
