package disclosure

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/persons"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// Why an item goes.
const (
	causeRepaired = "repaired"
	causeError    = "error"
)

// withdrawBasis is the term in which an item goes once its decision was changed or revoked (行政处罚法 48, 85).
const withdrawBasis = "withdraw_3wd"

// ending is why and since when an item has to go.
type ending struct {
	cause, reason string
	at            time.Time
	due           clock
}

// endingOf is the ending with its clock, which runs from when the cause was decided.
func (s *Server) endingOf(cause, reason string, at time.Time) (ending, error) {
	if at.After(s.now().Add(ahead)) {
		return ending{}, errs.Field("cause_time", "is in the future")
	}
	e := ending{cause: cause, reason: persons.Mask(reason), at: at.Truncate(time.Microsecond), due: clockOf(withdrawBasis, at)}
	if e.due.due == nil { // before that article was in force
		due := calendar.AddWorkdays(at, 3).UTC()
		e.due = clock{basis: withdrawBasis, due: &due, proof: "3 wd"}
	}
	return e, nil
}

// WithdrawPublication takes a publication back; a tombstone stays. Withdrawing again keeps the first reason.
func (s *Server) WithdrawPublication(ctx context.Context, req *disclosurev1.WithdrawPublicationRequest) (*disclosurev1.WithdrawPublicationResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.WithdrawPublicationResponse, error) {
		q := store.New(tx)
		p, err := s.get(ctx, q, req.GetPublicationId())
		if err != nil {
			return nil, err
		}
		if err := mayChange(ctx, p); err != nil {
			return nil, err
		}
		cause, at := req.GetCause(), s.now()
		if cause == "" {
			cause = causeError
		}
		if req.GetCauseTime() != nil {
			at = req.GetCauseTime().AsTime()
		}
		e, err := s.endingOf(cause, req.GetReason(), at)
		if err != nil {
			return nil, err
		}
		if err := s.withdraw(ctx, q, p.GetPublicationId(), p.GetKind(), e); err != nil {
			return nil, err
		}
		if p, err = s.get(ctx, q, req.GetPublicationId()); err != nil {
			return nil, err
		}
		return &disclosurev1.WithdrawPublicationResponse{Publication: p}, nil
	})
}

// mayChange lets the flow of a case and the agency that published an item at it, nobody else.
func mayChange(ctx context.Context, p *disclosurev1.Publication) error {
	if identity.CallerOf(ctx) != accessv1.Caller_CALLER_WORKFLOWS && identity.ActorOf(ctx).GetAgencyId() != p.GetAgencyId() {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"only %s, which published the item, may withdraw or correct it", p.GetAgencyId())
	}
	return nil
}

// withdraw makes an item its tombstone and tells those who follow the register.
func (s *Server) withdraw(ctx context.Context, q *store.Queries, id, kind string, e ending) error {
	if err := q.LockKey(ctx, "withdrawal/"+id); err != nil {
		return err
	}
	row, err := q.GetPublication(ctx, id)
	if err != nil {
		return errs.NotFound(err, "no such publication")
	}
	if row.WithdrawnTime != nil {
		return nil
	}
	now := s.now()
	if e.cause == causeRepaired {
		terms, err := q.Terms(ctx, []string{id})
		if err != nil {
			return err
		}
		if err := repairable(kind, terms, now); err != nil {
			return err
		}
	}
	if err := q.InsertWithdrawal(ctx, store.InsertWithdrawalParams{
		PublicationID: id, Reason: e.reason, WithdrawnBy: doneBy(ctx), WithdrawnTime: now,
		Cause: e.cause, CauseTime: &e.at, Basis: e.due.basis, DueTime: e.due.due, Proof: e.due.proof, Provisional: e.due.provisional,
	}); err != nil {
		return err
	}
	return q.InsertChange(ctx, store.InsertChangeParams{PublicationID: id, Change: "withdrawn", ChangeTime: now})
}

// WithdrawByCase takes back all that was published of a case, and keeps what was not yet published from ever being so: a
// reversal may overtake a publication.
func (s *Server) WithdrawByCase(ctx context.Context, req *disclosurev1.WithdrawByCaseRequest) (*disclosurev1.WithdrawByCaseResponse, error) {
	kinds, err := s.kindsOfCases(ctx, req.GetKind())
	if err != nil {
		return nil, err
	}
	e, err := s.endingOf(req.GetCause(), req.GetReason(), req.GetCauseTime().AsTime())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.WithdrawByCaseResponse, error) {
		q := store.New(tx)
		for _, kind := range kinds { // in one order: two callers never wait for each other
			if err := q.LockKey(ctx, caseKey(kind, req.GetCaseId())); err != nil {
				return nil, err
			}
			if err := q.InsertWithdrawalOrder(ctx, store.InsertWithdrawalOrderParams{
				Kind: kind, CaseID: req.GetCaseId(), Cause: e.cause, CauseTime: e.at, Reason: e.reason,
				DueTime: *e.due.due, OrderedBy: doneBy(ctx), OrderedTime: s.now(),
			}); err != nil {
				return nil, err
			}
		}
		rows, err := q.PublicationsOfCase(ctx, store.PublicationsOfCaseParams{CaseID: optional(req.GetCaseId()), Kind: req.GetKind()})
		if err != nil {
			return nil, err
		}
		resp := &disclosurev1.WithdrawByCaseResponse{Barred: true}
		for _, r := range rows {
			if err := s.withdraw(ctx, q, r.PublicationID, r.Kind, e); err != nil {
				return nil, err
			}
			p, err := s.get(ctx, q, r.PublicationID)
			if err != nil {
				return nil, err
			}
			resp.Publications = append(resp.Publications, p)
		}
		return resp, nil
	})
}

// kindsOfCases are the kinds that may be of a case, or the one that is named.
func (s *Server) kindsOfCases(ctx context.Context, named string) ([]string, error) {
	known, err := s.kinds.read(ctx, store.New(s.db))
	if err != nil {
		return nil, err
	}
	if named != "" {
		if _, ok := known[named]; !ok {
			return nil, errs.Field("kind", "is not a kind of publication")
		}
		return []string{named}, nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(kind string) bool { return kind == digestKind }), nil
}

// CorrectPublication gives a live item new words; the old ones stay as a version. Its party is never corrected, and no item
// whose words three people decided on, one by one, or that is a digest.
func (s *Server) CorrectPublication(ctx context.Context, req *disclosurev1.CorrectPublicationRequest) (*disclosurev1.CorrectPublicationResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.CorrectPublicationResponse, error) {
		q := store.New(tx)
		id, err := s.named(ctx, q, req.GetPublicationId(), req.GetKind(), req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if err := q.LockKey(ctx, "withdrawal/"+id); err != nil { // two corrections, or one and a withdrawal
			return nil, err
		}
		p, err := s.get(ctx, q, id)
		if err != nil {
			return nil, err
		}
		if err := mayChange(ctx, p); err != nil {
			return nil, err
		}
		if isProposed(p.GetKind()) || p.GetKind() == digestKind {
			return nil, notPassed("corrected_alone: nobody changes alone what several people made public; withdraw it and propose it anew, " +
				"or release a new version of the digest (" + threeOnly + ")")
		}
		if p.GetState() != live {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "only a live publication is corrected")
		}
		if p, err = s.correct(ctx, q, p, req); err != nil {
			return nil, err
		}
		return &disclosurev1.CorrectPublicationResponse{Publication: p}, nil
	})
}

func (s *Server) correct(ctx context.Context, q *store.Queries, p *disclosurev1.Publication, req *disclosurev1.CorrectPublicationRequest) (*disclosurev1.Publication, error) {
	title, summary, now := persons.Mask(req.GetTitle()), persons.Mask(req.GetSummary()), s.now()
	f := &facts{item: &disclosurev1.Publication{Title: title, AgencyName: p.GetAgencyName()}}
	if p.GetAgencyName() != "" && lacks["agency_not_named"](f) {
		return nil, notPassed("the title must name the agency: " + p.GetAgencyName())
	}
	if title == p.GetTitle() && summary == p.GetSummary() {
		return p, nil
	}
	if err := q.InsertVersion(ctx, store.InsertVersionParams{
		PublicationID: p.GetPublicationId(), Version: p.GetVersion() + 1, Title: title, Summary: summary,
		Note: persons.Mask(req.GetNote()), CorrectedBy: doneBy(ctx), VersionTime: now,
	}); err != nil {
		return nil, err
	}
	if err := q.InsertChange(ctx, store.InsertChangeParams{PublicationID: p.GetPublicationId(), Change: "corrected", ChangeTime: now}); err != nil {
		return nil, err
	}
	return s.get(ctx, q, p.GetPublicationId())
}
