package credit

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// basisEntry is how long an entry may take from its decision (许可管理办法 42).
const basisEntry = "listing_30d"

// ListParty puts a licensed operator on a list, once per ground and case: sent again, it returns the entry.
func (s *Server) ListParty(ctx context.Context, req *creditv1.ListPartyRequest) (*creditv1.ListPartyResponse, error) {
	decided, now := req.GetDecidedTime().AsTime().Truncate(time.Microsecond), s.now()
	if err := checkEntry(req.GetCreditCode(), decided, now); err != nil {
		return nil, err
	}
	if (req.GetList() == "") != (req.GetGround() == "") {
		return nil, errs.Field("ground", "list and ground are given together, or neither")
	}
	if req.GetLicence() == "" {
		return nil, refused("only a licensed telecom operator is on the bad list or the dishonest list (电信业务经营许可管理办法 第四十二条); " +
			"the penalty of any other party stands in the credit record of the deciding sector (消费者权益保护法 第五十六条)")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ListPartyResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "listing/"+req.GetCreditCode()); err != nil {
			return nil, err
		}
		id, err := known(ctx, q, req, decided)
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.list(ctx, q, req, decided, now)
		}
		if err != nil {
			return nil, err
		}
		l, err := get(ctx, q, id, now)
		if err != nil {
			return nil, err
		}
		return &creditv1.ListPartyResponse{Listing: l}, nil
	})
}

func checkEntry(code string, decided, now time.Time) error {
	if !creditCode.MatchString(code) {
		return errs.Field("credit_code", "must be 18 digits and capital letters")
	}
	if decided.After(now.Add(ahead)) {
		return errs.Field("decided_time", "must not be in the future")
	}
	return nil
}

// known is the entry that the same case has made already.
func known(ctx context.Context, q *store.Queries, req *creditv1.ListPartyRequest, decided time.Time) (string, error) {
	if req.GetGround() == "" {
		row, err := q.ListingOfCase(ctx, new(req.GetCaseId()))
		return notTakenBack(row.ListingID, row.State, row.DecidedTime, decided, err)
	}
	row, err := q.ListingByGround(ctx, store.ListingByGroundParams{
		CreditCode: req.GetCreditCode(), List: req.GetList(), Ground: req.GetGround(), CaseID: new(req.GetCaseId()),
	})
	return notTakenBack(row.ListingID, row.State, row.DecidedTime, decided, err)
}

// notTakenBack refuses to enter again what was taken back: its ground fell away, and no answer may look like an entry. A
// later decision of the case is a ground of its own.
func notTakenBack(id, state string, before *time.Time, decided time.Time, err error) (string, error) {
	if err != nil || state != withdrawn {
		return id, err
	}
	if before != nil && decided.After(*before) {
		return "", pgx.ErrNoRows
	}
	return "", refused("the entry of this case was withdrawn: a new entry needs a new decision (行政处罚法 第四十八条)")
}

func (s *Server) list(ctx context.Context, q *store.Queries, req *creditv1.ListPartyRequest, decided, now time.Time) (string, error) {
	where, err := place(ctx, q, req, decided)
	if err != nil {
		return "", err
	}
	return s.enter(ctx, q, entry{
		placed: where, party: req.GetPartyName(), code: req.GetCreditCode(), licence: req.GetLicence(), caseID: req.GetCaseId(),
		agency: req.GetAgencyId(), outcome: req.GetOutcome(), by: req.GetDecidedBy(), decided: decided, now: now,
	})
}

// RecordCredit enters a penalty into the credit record of the deciding sector, once per case.
func (s *Server) RecordCredit(ctx context.Context, req *creditv1.RecordCreditRequest) (*creditv1.RecordCreditResponse, error) {
	decided, now := req.GetDecidedTime().AsTime().Truncate(time.Microsecond), s.now()
	if err := checkEntry(req.GetCreditCode(), decided, now); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.RecordCreditResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "listing/"+req.GetCreditCode()); err != nil {
			return nil, err
		}
		row, err := q.RecordOfCase(ctx, store.RecordOfCaseParams{CaseID: new(req.GetCaseId()), CreditCode: req.GetCreditCode()})
		id, err := notTakenBack(row.ListingID, row.State, row.DecidedTime, decided, err)
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.record(ctx, q, req, decided, now)
		}
		if err != nil {
			return nil, err
		}
		l, err := get(ctx, q, id, now)
		if err != nil {
			return nil, err
		}
		return &creditv1.RecordCreditResponse{Record: l}, nil
	})
}

func (s *Server) record(ctx context.Context, q *store.Queries, req *creditv1.RecordCreditRequest, decided, now time.Time) (string, error) {
	severity, err := gravity(ctx, q, req.GetPenalties(), req.GetSimplified(), decided)
	if err != nil {
		return "", err
	}
	return s.enter(ctx, q, entry{
		placed: placed{list: creditRecord, ground: "administrative_penalty", severity: severity}, party: req.GetPartyName(),
		code: req.GetCreditCode(), caseID: req.GetCaseId(), agency: req.GetAgencyId(), sector: req.GetSector(), outcome: req.GetOutcome(),
		by: req.GetDecidedBy(), decided: decided, now: now,
	})
}

// entry is what a case enters.
type entry struct {
	placed
	party, code, licence, caseID, agency, sector, outcome string
	by                                                    []string // who proposed, reviewed and signed the decision
	decided, now                                          time.Time
}

// enter writes an entry of a case, which is listed at once: its three people and its hearing were the case's.
func (s *Server) enter(ctx context.Context, q *store.Queries, e entry) (string, error) {
	g, err := groundOf(ctx, q, e.list, e.ground, e.decided)
	if err != nil {
		return "", err
	}
	if e.severity == "" || e.list == dishonestList {
		e.severity = g.Severity
	}
	due, err := calendar.Due(basisEntry, e.decided, s.profile)
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	people := append(append([]string{}, e.by...), "", "", "")[:3]
	if people[0] == "" {
		people[0] = doneBy(ctx)
	}
	err = q.InsertListing(ctx, store.InsertListingParams{
		ListingID: id.String(), List: e.list, Ground: g.Ground, GroundName: g.Name, PartyName: e.party, CreditCode: e.code, Licence: e.licence,
		CaseID: &e.caseID, AgencyID: e.agency, Severity: e.severity, Sector: e.sector, Outcome: e.outcome, GroundTime: &e.decided,
		EntryDue: &due.Due, EntryStatutory: &due.Statutory, EntryProof: due.Proof, EntryProvisional: &due.Provisional, ProposedBy: people[0], ProposeTime: e.now, ReviewedBy: some(people[1]), SignedBy: some(people[2]),
		RestsOn: e.restsOn, StateBy: doneBy(ctx), StateArticle: g.Article,
	})
	if err != nil {
		return "", err
	}
	return id.String(), s.begin(ctx, q, begun{
		id: id.String(), list: e.list, agency: e.agency, severity: e.severity, article: g.Article, by: doneBy(ctx), decided: e.decided, now: e.now,
	})
}

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// begun is an entry that begins to count.
type begun struct {
	id, list, agency, severity, article, by string
	reviewedBy, signedBy, taskID            string
	decided, now                            time.Time
}

// begin lists an entry: its ends are computed once, from the date of its document.
func (s *Server) begin(ctx context.Context, q *store.Queries, b begun) error {
	list, err := listOf(ctx, q, b.list, b.agency, b.decided)
	if err != nil {
		return err
	}
	term, err := q.TermInForce(ctx, store.TermInForceParams{Severity: b.severity, At: b.decided})
	if err != nil {
		return err
	}
	e := endsOf(b.decided, b.now, term, list, s.profile)
	if !e.latest.After(b.now) {
		return refused("the entry would have ended already on %s: %s", day(e.latest), e.proof)
	}
	arg := store.EnterListingParams{
		ListingID: b.id, ListedTime: b.now, ListedBy: b.by, Article: b.article, DecidedTime: &b.decided, EarliestEnd: &e.earliest,
		LatestEnd: &e.latest, StatutoryEarliest: &e.statutoryEarliest, StatutoryLatest: &e.statutoryLatest, EndsProof: &e.proof,
		EndsToConfirm: &e.toConfirm, ReviewedBy: some(b.reviewedBy), SignedBy: some(b.signedBy), TaskID: some(b.taskID),
	}
	if term.Published && b.list != creditRecord {
		from := nextQuarter(b.now)
		if s.profile == calendar.Rehearsal {
			from = b.now
		}
		arg.PublishFrom = &from
	}
	return q.EnterListing(ctx, arg)
}
