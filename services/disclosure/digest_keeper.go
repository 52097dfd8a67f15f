package disclosure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// keepsDigests says whether an agency is one that publishes digests, as the policy of publishers has it.
func (s *Server) keepsDigests(ctx context.Context, q *store.Queries, agency string) (bool, error) {
	if agency == "" {
		return false, nil
	}
	_, err := q.PublisherPolicy(ctx, store.PublisherPolicyParams{Kind: digestKind, AgencyID: agency, At: s.now()})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// mayKeepDigests lets the statisticians and leads of such an agency draft and release digests and load what they are made
// with, and nobody else's.
func (s *Server) mayKeepDigests(ctx context.Context, q *store.Queries) error {
	return s.isKeeper(ctx, q, identity.ActorOf(ctx).GetAgencyId())
}

// isKeeper refuses an agency that publishes no digests.
func (s *Server) isKeeper(ctx context.Context, q *store.Queries, agency string) error {
	ok, err := s.keepsDigests(ctx, q, agency)
	if err == nil && !ok {
		err = errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"digests are kept by the agencies that the policy of publishers names, not by %s", agency)
	}
	return err
}

// CheckDigestDraft says whether an agency may have the digest of a month drafted, before anything is counted for it.
func (s *Server) CheckDigestDraft(ctx context.Context, req *disclosurev1.CheckDigestDraftRequest) (*disclosurev1.CheckDigestDraftResponse, error) {
	if err := s.isKeeper(ctx, store.New(s.db), req.GetAgencyId()); err != nil {
		return nil, err
	}
	if !s.rehearsal && !over(req.GetMonth(), s.now()) {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "%s is not over yet", req.GetMonth())
	}
	return &disclosurev1.CheckDigestDraftResponse{}, nil
}

// sees says whether the actor may see of digests and scorecards what the public may not: auditors, and the statisticians and
// leads of the agencies that keep digests.
func (s *Server) sees(ctx context.Context, q *store.Queries) (bool, error) {
	actor := identity.ActorOf(ctx)
	if identity.HasRole(actor, accessv1.Role_ROLE_AUDITOR) {
		return true, nil
	}
	if !identity.HasRole(actor, accessv1.Role_ROLE_STATISTICIAN, accessv1.Role_ROLE_LEAD) {
		return false, nil
	}
	return s.keepsDigests(ctx, q, actor.GetAgencyId())
}

// over says whether a month, YYYY-MM in Shanghai, was over at a time.
func over(month string, at time.Time) bool {
	first, err := time.ParseInLocation("2006-01", month, calendar.Shanghai)
	return err == nil && !at.Before(first.AddDate(0, 1, 0))
}

// mayBeOf refuses counts of a month that was not over when they were frozen. In a rehearsal the running month is shown.
func (s *Server) mayBeOf(month string, cut time.Time) error {
	if s.rehearsal || over(month, cut) {
		return nil
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "%s was not over when its counts were frozen", month)
}

// digestItem names the item of a month in the register: all versions of a month stand at one address.
func digestItem(month string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("quietline/digest/"+month)).String()
}

// register puts a released digest through the gate of its kind into the register; a later version corrects the item.
func (s *Server) register(ctx context.Context, q *store.Queries, d *store.Digest) error {
	now, actor := s.now(), identity.ActorOf(ctx)
	id := digestItem(d.Month)
	name := map[string]string{"miit": "工业和信息化部", "centre-12321": "12321网络不良与垃圾信息举报受理中心"}[actor.GetAgencyId()]
	if name == "" {
		name = actor.GetAgencyId()
	}
	p := &disclosurev1.Publication{
		Kind: digestKind, CaseId: id, AgencyId: actor.GetAgencyId(), AgencyName: name, Title: name + ":" + d.Title,
		Summary: fmt.Sprintf("第%d版,数据截面SHA-256 %s,见 /digest/%s?version=%d", d.Version, d.CutHash, d.Month, d.Version),
	}
	known, err := s.published(ctx, q, p)
	if errors.Is(err, pgx.ErrNoRows) {
		kinds, err := s.kinds.read(ctx, q)
		if err != nil {
			return err
		}
		_, err = s.enter(ctx, q, kinds[digestKind], p, &disclosurev1.Gate{DecidedTime: timestamppb.New(now)})
		if l, ok := errors.AsType[*lacking](err); ok {
			return notPassed(l.Error())
		}
		return err
	}
	if err != nil {
		return err
	}
	return s.correctDigest(ctx, q, known, p, d.Note)
}

// correctDigest gives a month's item the words of its new version, under the name of the agency that published the first.
func (s *Server) correctDigest(ctx context.Context, q *store.Queries, id string, p *disclosurev1.Publication, note string) error {
	if err := q.LockKey(ctx, "withdrawal/"+id); err != nil {
		return err
	}
	old, err := s.get(ctx, q, id)
	if err != nil {
		return err
	}
	if err := mayChange(ctx, old); err != nil {
		return err
	}
	if old.GetState() != live {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the month's item in the register is not live")
	}
	_, err = s.correct(ctx, q, old, &disclosurev1.CorrectPublicationRequest{Title: p.GetTitle(), Summary: p.GetSummary(), Note: note})
	return err
}
