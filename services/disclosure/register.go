package disclosure

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/persons"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

const (
	searchPage   = 200
	feedPage     = 200
	feedInterval = 250 * time.Millisecond
)

// SearchPublications is the public register: live items, newest first, or all by their last change.
func (s *Server) SearchPublications(ctx context.Context, req *disclosurev1.SearchPublicationsRequest) (*disclosurev1.SearchPublicationsResponse, error) {
	q := store.New(s.db)
	arg, err := s.searched(ctx, q, req)
	if err != nil {
		return nil, err
	}
	arg.PageSize = min(pg.PageSize(req.GetPageSize()), searchPage)
	if req.GetByChange() {
		return s.byChange(ctx, q, arg, req.GetPageToken())
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	out, next, err := s.live(ctx, q, arg)
	if err != nil {
		return nil, err
	}
	return &disclosurev1.SearchPublicationsResponse{Publications: out, NextPageToken: next}, nil
}

// searched reads what is searched for. Numbers of subscribers are refused without being repeated.
func (s *Server) searched(ctx context.Context, q *store.Queries, req *disclosurev1.SearchPublicationsRequest) (store.SearchLiveParams, error) {
	arg := store.SearchLiveParams{At: s.now(), CreditCode: req.GetCreditCode(), RegionCode: req.GetRegionCode()}
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return arg, err
	}
	if arg.Kinds, err = kindsNamed(known, req.GetKind()); err != nil {
		return arg, err
	}
	if persons.IsID(req.GetCreditCode()) {
		return arg, errs.Field("credit_code", "is no firm's; persons are on no public page")
	}
	if persons.Mask(req.GetName()) != req.GetName() {
		return arg, errs.Field("name", "holds a number of a person; persons are on no public page")
	}
	if req.GetCode() != "" {
		normal, ok := publicCode(req.GetCode())
		if !ok {
			return arg, errs.Field("code", "must be a code of the 95, 96, 400 or 1010 ranges; no other numbers are published")
		}
		arg.Code = normal
	}
	if arg.FromTime, arg.UntilTime, err = days(req.GetFromDate(), req.GetUntilDate()); err != nil {
		return arg, err
	}
	arg.Grams = []string{}
	if req.GetName() != "" {
		if arg.Part, err = q.NameKey(ctx, req.GetName()); err != nil {
			return arg, err
		}
		arg.Grams, arg.Pattern = grams(arg.Part), "%"+escaped.Replace(arg.Part)+"%"
	}
	return arg, nil
}

var escaped = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// grams are the pairs of neighbours of a name, by which the index finds it; of a single character that character.
func grams(key string) []string {
	runes := []rune(key)
	if len(runes) == 1 {
		return []string{key}
	}
	out := []string{}
	for i := 0; i+1 < len(runes); i++ {
		out = append(out, string(runes[i:i+2]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// days are the times between which something lies from the first day to the last, both included.
func days(first, last string) (from, until *time.Time, err error) {
	read := func(path, text string, add int) *time.Time {
		if text == "" || err != nil {
			return nil
		}
		t, bad := time.ParseInLocation(time.DateOnly, text, calendar.Shanghai)
		if bad != nil {
			err = errs.Field(path, "must be a day, YYYY-MM-DD")
			return nil
		}
		t = t.AddDate(0, 0, add).UTC()
		return &t
	}
	from, until = read("from_date", first, 0), read("until_date", last, 1)
	if err == nil && from != nil && until != nil && !from.Before(*until) {
		err = errs.Field("until_date", "must not be before from_date")
	}
	return from, until, err
}

// planned runs a search that is planned for what is asked.
func (s *Server) planned(ctx context.Context, search func(*store.Queries) error) error {
	return pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.PlanAnew(ctx); err != nil {
			return err
		}
		return search(q)
	})
}

func (s *Server) live(ctx context.Context, q *store.Queries, arg store.SearchLiveParams) ([]*disclosurev1.Publication, string, error) {
	var found []store.SearchLiveRow
	err := s.planned(ctx, func(q *store.Queries) (err error) {
		found, err = q.SearchLive(ctx, arg)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	rows := make([]publicationRow, 0, len(found))
	for _, r := range found {
		rows = append(rows, publicationRow(r))
	}
	out, err := s.protos(ctx, q, rows)
	if err != nil || len(rows) < int(arg.PageSize) {
		return out, "", err
	}
	last := rows[len(rows)-1].Publication
	return out, pg.TimeToken(last.PublishTime, last.PublicationID), nil
}

func (s *Server) byChange(ctx context.Context, q *store.Queries, a store.SearchLiveParams, token string) (*disclosurev1.SearchPublicationsResponse, error) {
	arg := store.SearchByChangeParams{
		OfParty: a.Part != "" || a.CreditCode != "" || a.Code != "", At: a.At, Kinds: a.Kinds, Part: a.Part, Grams: a.Grams, Pattern: a.Pattern,
		CreditCode: a.CreditCode, Code: a.Code, RegionCode: a.RegionCode, FromTime: a.FromTime, UntilTime: a.UntilTime, PageSize: a.PageSize,
	}
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		before, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return nil, badToken()
		}
		arg.BeforeID = &before
	}
	var found []store.SearchByChangeRow
	if err = s.planned(ctx, func(q *store.Queries) (err error) {
		found, err = q.SearchByChange(ctx, arg)
		return err
	}); err != nil {
		return nil, err
	}
	rows := make([]publicationRow, 0, len(found))
	for _, r := range found {
		rows = append(rows, publicationRow{
			Publication: r.Publication, PublicationVersion: r.PublicationVersion, Reason: r.Reason, WithdrawnTime: r.WithdrawnTime,
			Cause: r.Cause, Basis: r.Basis, DueTime: r.DueTime, Proof: r.Proof, Provisional: r.Provisional,
		})
	}
	resp := &disclosurev1.SearchPublicationsResponse{}
	if resp.Publications, err = s.protos(ctx, q, rows); err != nil {
		return nil, err
	}
	if len(rows) == int(arg.PageSize) {
		resp.NextPageToken = pg.EncodeToken(strconv.FormatInt(found[len(found)-1].ChangeID, 10))
	}
	return resp, nil
}

// ListPublicationChanges is the feed of the register: what was published, corrected, withdrawn, or ended. Nothing is passed
// over and nothing comes twice.
func (s *Server) ListPublicationChanges(ctx context.Context, req *disclosurev1.ListPublicationChangesRequest) (*disclosurev1.ListPublicationChangesResponse, error) {
	cursor, err := pg.DecodeCursor(req.GetAfterCursor(), "0")
	if err != nil {
		return nil, err
	}
	after, err := strconv.ParseInt(cursor.ID, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	n := req.GetPageSize()
	if n == 0 {
		n = feedPage
	}
	q := store.New(s.db)
	changes, err := pg.LongPoll(ctx, req.GetMaxWait().AsDuration(), feedInterval, func(ctx context.Context) ([]store.ListChangesRow, error) {
		return q.ListChanges(ctx, store.ListChangesParams{AfterXid: cursor.Xid, AfterID: after, N: min(n, pg.MaxPageSize)})
	})
	if err != nil {
		return nil, fmt.Errorf("publication changes: %w", err)
	}
	items, err := s.byID(ctx, q, changes)
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListPublicationChangesResponse{NextCursor: cursor.String()}
	for _, c := range changes {
		resp.Changes = append(resp.Changes, &disclosurev1.PublicationChange{
			Change: c.Change, ChangeTime: timestamppb.New(c.ChangeTime), Publication: items[c.PublicationID],
		})
		resp.NextCursor = pg.Cursor{Xid: c.Xid, ID: strconv.FormatInt(c.ID, 10)}.String()
	}
	return resp, nil
}

func (s *Server) byID(ctx context.Context, q *store.Queries, changes []store.ListChangesRow) (map[string]*disclosurev1.Publication, error) {
	ids := make([]string, 0, len(changes))
	for _, c := range changes {
		ids = append(ids, c.PublicationID)
	}
	found, err := q.PublicationsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]publicationRow, 0, len(found))
	for _, r := range found {
		rows = append(rows, publicationRow(r))
	}
	all, err := s.protos(ctx, q, rows)
	out := map[string]*disclosurev1.Publication{}
	for _, p := range all {
		out[p.GetPublicationId()] = p
	}
	return out, err
}

// ListWithheld says what an agency asked for in vain, and all that it lacks. The lead ministry and auditors see every
// agency's.
func (s *Server) ListWithheld(ctx context.Context, req *disclosurev1.ListWithheldRequest) (*disclosurev1.ListWithheldResponse, error) {
	actor, q := identity.ActorOf(ctx), store.New(s.db)
	arg := store.ListWithheldParams{
		SeesAll:  identity.HasRole(actor, accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_AUDITOR),
		AgencyID: actor.GetAgencyId(), CaseID: optional(req.GetCaseId()), PageSize: pg.PageSize(req.GetPageSize()),
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := q.ListWithheld(ctx, arg)
	if err != nil {
		return nil, err
	}
	words, err := q.ConditionWords(ctx, s.now())
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListWithheldResponse{}
	for _, r := range rows {
		w := &disclosurev1.Withheld{Kind: r.Kind, CaseId: r.CaseID, AgencyId: r.AgencyID, AskTime: timestamppb.New(r.AskTime)}
		for _, code := range r.Missing {
			w.Missing = append(w.Missing, conditionNamed(words, r.Kind, code))
		}
		resp.Withheld = append(resp.Withheld, w)
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.AskTime, last.WithheldID)
	}
	return resp, nil
}

func conditionNamed(words []store.ConditionWordsRow, kind, code string) *disclosurev1.MissingCondition {
	for _, w := range words {
		if w.Kind == kind && w.Code == code {
			return &disclosurev1.MissingCondition{Code: code, Words: w.Words, Article: w.Article}
		}
	}
	return &disclosurev1.MissingCondition{Code: code} // a condition that no longer is one
}
