package credit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/credit/store"
)

// ProposeListing proposes an entry that rests on no case, or returns the one that is open or stands.
func (s *Server) ProposeListing(ctx context.Context, req *creditv1.ProposeListingRequest) (*creditv1.ProposeListingResponse, error) {
	now, arose := s.now(), req.GetGroundTime().AsTime().Truncate(time.Microsecond)
	if !creditCode.MatchString(req.GetCreditCode()) {
		return nil, errs.Field("credit_code", "must be 18 digits and capital letters")
	}
	if arose.After(now) {
		return nil, errs.Field("ground_time", "must not be in the future")
	}
	if _, err := listOf(ctx, store.New(s.db), req.GetList(), identity.ActorOf(ctx).GetAgencyId(), now); err != nil {
		return nil, err
	}
	if err := s.licensed(ctx, req.GetCreditCode(), req.GetLicence()); err != nil {
		return nil, err
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ProposeListingResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "listing/"+req.GetCreditCode()); err != nil {
			return nil, err
		}
		open, err := q.OpenProposal(ctx, store.OpenProposalParams{CreditCode: req.GetCreditCode(), List: req.GetList(), Ground: req.GetGround()})
		if err == nil && !viewerOf(ctx).sees(open) {
			return nil, wrongState("another agency has proposed the same")
		}
		id := open.ListingID
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.propose(ctx, q, req, arose, now)
		}
		if err != nil {
			return nil, err
		}
		l, err := get(ctx, q, id, now)
		if err != nil {
			return nil, err
		}
		return &creditv1.ProposeListingResponse{Listing: l}, nil
	})
	if err == nil && resp.GetListing().GetState() == proposed {
		s.tell.Start(kindListing, resp.GetListing().GetListingId())
	}
	return resp, err
}

// licensed refuses to propose whose licence the ledger does not know as in force: on the telecom lists stands nobody else.
func (s *Server) licensed(ctx context.Context, code, licence string) error {
	if s.ledger == nil {
		return nil
	}
	for token, more := "", true; more; more = token != "" {
		resp, err := s.ledger.ListLicences(ctx, &ledgerv1.ListLicencesRequest{CreditCode: code, PageToken: token})
		if err != nil {
			return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
				"the ledger cannot be asked now whether the licence is in force; the same request may be sent again: %s", errs.Text(err))
		}
		if slices.ContainsFunc(resp.GetLicences(), func(l *ledgerv1.Licence) bool { return l.GetNumber() == licence }) {
			return nil
		}
		token = resp.GetNextPageToken()
	}
	return refused("the ledger knows no licence %s of that firm in force: only a licensed telecom operator stands on the telecom lists "+
		"(电信业务经营许可管理办法 第四十二条)", licence)
}

func (s *Server) propose(ctx context.Context, q *store.Queries, req *creditv1.ProposeListingRequest, arose, now time.Time) (string, error) {
	agency := identity.ActorOf(ctx).GetAgencyId()
	g, err := groundOf(ctx, q, req.GetList(), req.GetGround(), arose)
	if err != nil {
		return "", err
	}
	if g.NeedsCase {
		return "", refused("ground %s rests on the decision of a case: its listing follows from there (%s)", g.Ground, g.Source)
	}
	due, err := calendar.Due(basisEntry, arose, s.profile)
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	sealed, err := s.keys.Seal([]byte(req.GetStatement()), sealedFor("statement", id.String()))
	if err != nil {
		return "", err
	}
	return id.String(), q.InsertListing(ctx, store.InsertListingParams{
		ListingID: id.String(), List: g.List, Ground: g.Ground, GroundName: g.Name, PartyName: req.GetPartyName(), CreditCode: req.GetCreditCode(),
		Licence: req.GetLicence(), AgencyID: agency, Severity: g.Severity, StatementSealed: sealed, GroundTime: &arose, EntryDue: &due.Due,
		EntryStatutory: &due.Statutory, EntryProof: due.Proof, EntryProvisional: &due.Provisional, ProposedBy: doneBy(ctx), ProposeTime: now, StateBy: doneBy(ctx), StateArticle: g.Article,
	})
}

// sealedFor binds a sealed text to its row.
func sealedFor(what, id string) []byte { return []byte("credit/" + what + "/" + id) }

// ObjectToListing takes what a party says against a proposed entry, within its term.
func (s *Server) ObjectToListing(ctx context.Context, req *creditv1.ObjectToListingRequest) (*creditv1.ObjectToListingResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ObjectToListingResponse, error) {
		q, now := store.New(tx), s.now()
		l, err := q.LockListing(ctx, req.GetListingId())
		if err != nil {
			return nil, noListing(err)
		}
		if err := mayAct(ctx, l); err != nil {
			return nil, err
		}
		if l.State != notified || !now.Before(*l.ObjectionUntil) {
			return nil, wrongState("statements are taken between the notice and the end of its term (2018年3月名单管理通知; 行政处罚法 第四十五条参照)")
		}
		o, err := q.OpenObjection(ctx, l.ListingID)
		if errors.Is(err, pgx.ErrNoRows) {
			o, err = s.object(ctx, q, l.ListingID, req.GetText(), now)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.objection(o)
		return &creditv1.ObjectToListingResponse{Objection: out}, err
	})
	if err == nil {
		s.told(kindListing, req.GetListingId())
	}
	return resp, err
}

func (s *Server) object(ctx context.Context, q *store.Queries, listingID, words string, now time.Time) (store.ListingObjection, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return store.ListingObjection{}, err
	}
	sealed, err := s.keys.Seal([]byte(words), sealedFor("objection", id.String()))
	if err != nil {
		return store.ListingObjection{}, err
	}
	arg := store.InsertObjectionParams{ObjectionID: id.String(), ListingID: listingID, TextSealed: sealed, FiledBy: doneBy(ctx), FileTime: now}
	if err := q.InsertObjection(ctx, arg); err != nil {
		return store.ListingObjection{}, err
	}
	return q.OpenObjection(ctx, listingID)
}

func (s *Server) objection(o store.ListingObjection) (*creditv1.ListingObjection, error) {
	words, err := s.keys.Unseal(o.TextSealed, sealedFor("objection", o.ObjectionID))
	return &creditv1.ListingObjection{
		ObjectionId: o.ObjectionID, Text: string(words), FileTime: stamp(&o.FileTime), State: o.State, Reply: o.Reply,
	}, err
}

// heard adds what was written about a proposal, for those who may read it.
func (s *Server) heard(ctx context.Context, q *store.Queries, l store.Listing, resp *creditv1.GetListingResponse) error {
	if l.StatementSealed != nil {
		words, err := s.keys.Unseal(l.StatementSealed, sealedFor("statement", l.ListingID))
		if err != nil {
			return err
		}
		resp.Listing.Statement = string(words)
	}
	rows, err := q.ObjectionsOf(ctx, l.ListingID)
	if err != nil {
		return err
	}
	for _, o := range rows {
		out, err := s.objection(o)
		if err != nil {
			return err
		}
		resp.Objections = append(resp.Objections, out)
	}
	resp.RepairId, err = q.LastRepair(ctx, l.ListingID)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return err
}

// mayAct: the party for itself, an officer of the agency that lists on its behalf.
func mayAct(ctx context.Context, l store.Listing) error {
	a, v := identity.ActorOf(ctx), viewerOf(ctx)
	switch {
	case identity.HasRole(a, accessv1.Role_ROLE_PARTY):
		if v.sees(l) {
			return nil
		}
		return noSuchListing()
	case !v.sees(l):
		return noSuchListing()
	case a.GetAgencyId() != l.AgencyID:
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the entry is that of %s", l.AgencyID)
	}
	return nil
}

func noSuchListing() error {
	return errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such listing")
}

// AdvanceListing writes a step of a proposal. Repeated, it changes nothing.
func (s *Server) AdvanceListing(ctx context.Context, req *creditv1.AdvanceListingRequest) (*creditv1.AdvanceListingResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.AdvanceListingResponse, error) {
		q, now := store.New(tx), s.now()
		l, err := q.LockListing(ctx, req.GetListingId())
		if err != nil {
			return nil, noListing(err)
		}
		if l.State != req.GetState() {
			if err := s.advance(ctx, q, l, req, now); err != nil {
				return nil, err
			}
		}
		out, err := get(ctx, q, l.ListingID, now)
		return &creditv1.AdvanceListingResponse{Listing: out}, err
	})
}

func (s *Server) advance(ctx context.Context, q *store.Queries, l store.Listing, req *creditv1.AdvanceListingRequest, now time.Time) error {
	if l.State != proposed && l.State != notified {
		return wrongState("the entry is %s, and no proposal any more", l.State)
	}
	switch req.GetState() {
	case notified:
		if req.GetNoticeTime() == nil || req.GetObjectionUntil() == nil {
			return errs.Field("objection_until", "a notice names the end of its term")
		}
		return notify(ctx, q, l.ListingID, req, now)
	case withdrawn:
		_, err := s.end(ctx, q, l, ending{
			state: withdrawn, reason: req.GetReason(), by: doneBy(ctx), taskID: req.GetTaskId(), at: now, end: now,
		})
		return err
	}
	if l.State != notified || now.Before(*l.ObjectionUntil) {
		return wrongState("nobody is listed before the party could be heard: statements are taken until %s", day(*stampOr(l.ObjectionUntil, now)))
	}
	if _, err := q.OpenObjection(ctx, l.ListingID); !errors.Is(err, pgx.ErrNoRows) {
		if err != nil {
			return err
		}
		return wrongState("what the party said is not answered yet")
	}
	by, reviewed, signed := subjectOf(l.ProposedBy), subjectOf(req.GetReviewedBy()), subjectOf(req.GetSignedBy())
	if reviewed == "" || signed == "" || reviewed == signed || reviewed == by || signed == by {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "three people propose, review and sign a listing")
	}
	return s.begin(ctx, q, begun{
		id: l.ListingID, list: l.List, agency: l.AgencyID, severity: l.Severity, article: l.StateArticle, by: doneBy(ctx),
		reviewedBy: req.GetReviewedBy(), signedBy: req.GetSignedBy(), taskID: req.GetTaskId(), decided: req.GetDecidedTime().AsTime(), now: now,
	})
}

// subjectOf is the person of a signature, subject@agency: who changed to another agency is no other person.
func subjectOf(signature string) string {
	if i := strings.LastIndex(signature, "@"); i >= 0 {
		return signature[:i]
	}
	return signature
}

// notify writes that the party was told, and until when it is heard.
func notify(ctx context.Context, q *store.Queries, id string, req *creditv1.AdvanceListingRequest, now time.Time) error {
	at, until, k := req.GetNoticeTime().AsTime(), req.GetObjectionUntil().AsTime(), req.GetClock()
	statutory, err := time.Parse(time.RFC3339, k.GetStatutoryDue())
	if err != nil {
		statutory = until
	}
	return q.NotifyListing(ctx, store.NotifyListingParams{
		ListingID: id, At: now, By: doneBy(ctx), Article: "2018年3月名单管理通知", TaskID: some(req.GetTaskId()), NoticeTime: &at,
		ObjectionUntil: &until, NoticeProof: new(k.GetProof()), NoticeStatutory: &statutory, NoticeProvisional: new(k.GetProvisional()),
	})
}

func stampOr(t *time.Time, other time.Time) *time.Time {
	if t == nil {
		return &other
	}
	return t
}

// AnswerListingObjection answers what a party said; what stands ends the proposal.
func (s *Server) AnswerListingObjection(ctx context.Context, req *creditv1.AnswerListingObjectionRequest) (*creditv1.AnswerListingObjectionResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.AnswerListingObjectionResponse, error) {
		q, now := store.New(tx), s.now()
		o, err := q.LockObjection(ctx, req.GetObjectionId())
		if err != nil {
			return nil, errs.NotFound(err, "no such objection")
		}
		l, err := q.LockListing(ctx, o.ListingID)
		if err != nil {
			return nil, err
		}
		state := map[bool]string{true: "UPHELD", false: "DISMISSED"}[req.GetUpheld()]
		if o.State != "OPEN" {
			return &creditv1.AnswerListingObjectionResponse{State: l.State}, nil
		}
		err = q.AnswerObjection(ctx, store.AnswerObjectionParams{
			ObjectionID: o.ObjectionID, State: state, TaskID: some(req.GetTaskId()), ReasonCode: req.GetReasonCode(), Reply: req.GetReply(),
			DecidedBy: req.GetDecidedBy(), DecideTime: &now,
		})
		if err != nil {
			return nil, err
		}
		if req.GetUpheld() && (l.State == proposed || l.State == notified) {
			_, err = s.end(ctx, q, l, ending{
				state: withdrawn, reason: "陈述申辩成立", by: doneBy(ctx), taskID: req.GetTaskId(), at: now, end: now,
			})
			l.State = withdrawn
		}
		return &creditv1.AnswerListingObjectionResponse{State: l.State}, err
	})
}
