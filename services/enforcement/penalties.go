package enforcement

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// ListPenalties lists the catalogue as of a time, by code.
func (s *Server) ListPenalties(ctx context.Context, req *enforcementv1.ListPenaltiesRequest) (*enforcementv1.ListPenaltiesResponse, error) {
	arg := store.ListPenaltiesParams{At: s.now(), Act: req.GetAct(), PageSize: pg.PageSize(req.GetPageSize())}
	if req.GetAt() != nil {
		arg.At = req.GetAt().AsTime()
	}
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		arg.After = parts[0]
	}
	q := store.New(s.db)
	rows, err := q.ListPenalties(ctx, arg)
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, r := range rows {
		codes = append(codes, r.Code)
	}
	ranges, err := q.PenaltyKinds(ctx, codes)
	if err != nil {
		return nil, err
	}
	powers, err := q.PenaltyPowers(ctx, store.PenaltyPowersParams{Codes: codes, At: arg.At})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListPenaltiesResponse{}
	for _, r := range rows {
		resp.Penalties = append(resp.Penalties, penaltyProto(r, ranges, powers))
	}
	if len(rows) == int(arg.PageSize) {
		resp.NextPageToken = pg.EncodeToken(rows[len(rows)-1].Code)
	}
	return resp, nil
}

// SuggestPenalties says what the catalogue has for a case's act and party, and what the band is for the facts.
func (s *Server) SuggestPenalties(ctx context.Context, req *enforcementv1.SuggestPenaltiesRequest) (*enforcementv1.SuggestPenaltiesResponse, error) {
	q := store.New(s.db)
	row, err := s.ownCase(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	p := &assignmentv1.CaseProposal{Gains: req.GetGains(), Serious: req.GetSerious(), Egregious: req.GetEgregious()}
	if req.GetMitigated() {
		p.Mitigation = "asked"
	}
	if req.GetAggravated() {
		p.Aggravation = "asked"
	}
	l, err := s.law(ctx, q, row.EnforcementCase, p, s.profileOf(req.GetProfile()), s.now())
	if err != nil {
		return nil, err
	}
	v, err := l.limitation.judge()
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.SuggestPenaltiesResponse{Subject: l.facts.subject, Limitation: v.words, Suggestions: l.suggestions()}
	group, err := q.SameAct(ctx, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	fined, err := q.FinedCases(ctx, group)
	for _, f := range fined {
		if f.CaseID != req.GetCaseId() {
			resp.FinedCaseIds = append(resp.FinedCaseIds, f.CaseID)
		}
	}
	return resp, err
}

// suggestions are the kinds that the rows for the case permit, the agency's own first.
func (l *law) suggestions() []*enforcementv1.SuggestedPenalty {
	var out []*enforcementv1.SuggestedPenalty
	for _, row := range l.catalogue {
		if !applies(row, l.facts) || row.Profile == simulation && l.profile != rehearsing {
			continue
		}
		var kinds []string
		for _, k := range l.ranges {
			if k.PenaltyCode == row.Code && !slices.Contains(kinds, k.Kind) {
				kinds = append(kinds, k.Kind)
			}
		}
		for _, kind := range kinds {
			scale, ok := rangeOf(l.ranges, row.Code, kind, l.facts)
			if ok && (scale.MaxTimes == nil || l.facts.gains > 0) {
				out = append(out, l.suggestion(row, scale))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *enforcementv1.SuggestedPenalty) int {
		return cmp.Compare(bit(b.GetEntitled()), bit(a.GetEntitled()))
	})
	return out
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (l *law) suggestion(row store.Penalty, scale store.PenaltyKind) *enforcementv1.SuggestedPenalty {
	out := &enforcementv1.SuggestedPenalty{
		Code: row.Code, Basis: row.Law + " " + row.Article, Kind: scale.Kind, ToConfirm: row.ToConfirm,
		Entitled: entitled(l.powers, row.Code, l.agency, scale.Kind), Families: familiesOf(l.powers, row.Code, scale.Kind),
	}
	whole := spanOf(scale, l.facts.gains)
	out.Hearing = due(l.dues, "hearing", scale.Kind, l.facts.subject, whole.high) != ""
	if scale.Kind != fineKind && scale.Kind != confiscationKind {
		return out
	}
	out.Low, out.High = money(whole.low), money(whole.high)
	if scale.Kind == fineKind {
		b := bandOf(l.bands, scale, whole, l.facts)
		out.Grade, out.BandLow, out.BandHigh, out.BandDocument = b.grade, money(b.low), money(b.high), b.document
	}
	return out
}

func money(fen int64) *commonv1.Money { return &commonv1.Money{Fen: fen} }

func penaltyProto(p store.Penalty, ranges []store.PenaltyKind, powers []store.PenaltyPower) *enforcementv1.Penalty {
	out := &enforcementv1.Penalty{
		Code: p.Code, Law: p.Law, Article: p.Article, Summary: p.Summary, Acts: p.Acts, Roles: p.Roles, Subjects: p.Subjects,
		Profile: p.Profile, Source: p.Source, ToConfirm: p.ToConfirm, ValidFrom: timestamppb.New(p.ValidFrom), ValidTo: timeProto(p.ValidTo),
	}
	for _, k := range ranges {
		if k.PenaltyCode == p.Code {
			out.Ranges = append(out.Ranges, &enforcementv1.PenaltyRange{
				Kind: k.Kind, Tier: k.Tier, Subject: k.Subject, Min: optionalMoney(k.MinFen), Max: optionalMoney(k.MaxFen),
				MinTimes: times(k.MinTimes), MaxTimes: times(k.MaxTimes), GainsBelow: optionalMoney(k.GainsBelowFen),
			})
		}
	}
	for _, w := range powers {
		if w.PenaltyCode == p.Code {
			out.Powers = append(out.Powers, &enforcementv1.PenaltyPower{
				Family: w.Family, Level: w.Level, Kinds: w.Kinds, Basis: w.Basis, ToConfirm: w.ToConfirm,
			})
		}
	}
	return out
}

func optionalMoney(fen *int64) *commonv1.Money {
	if fen == nil {
		return nil
	}
	return money(*fen)
}

func times(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}
