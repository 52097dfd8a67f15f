package enforcement

import (
	"context"
	"slices"

	accessv1 "quietline/proto/quietline/access/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"

	"quietline/internal/identity"
	"quietline/services/enforcement/store"
)

// anyBody stands for every administrative body.
const anyBody = "*"

// CheckMeasures says whether a body may take measures, before they are decided.
func (s *Server) CheckMeasures(ctx context.Context, req *enforcementv1.CheckMeasuresRequest) (*enforcementv1.CheckMeasuresResponse, error) {
	return &enforcementv1.CheckMeasuresResponse{}, s.mayTake(ctx, store.New(s.db), req.GetAgencyId(), req.GetCodes())
}

// mayTake refuses a measure that the catalogue does not give to a body (措施主体).
func (s *Server) mayTake(ctx context.Context, q *store.Queries, agency string, measures []string) error {
	powers, err := q.MeasurePowers(ctx, store.MeasurePowersParams{Codes: measures, At: s.now()})
	if err != nil {
		return err
	}
	outside, err := q.NotAdministrative(ctx, familyOf(agency))
	if err != nil {
		return err
	}
	for _, code := range measures {
		if err := takes(powers, agency, code, outside); err != nil {
			return err
		}
	}
	return nil
}

// takes says whether one of the rows gives a measure to a body.
func takes(powers []store.MeasurePower, agency, code string, outside bool) error {
	var who []string
	for _, p := range powers {
		if p.MeasureCode != code {
			continue
		}
		if (p.Family == familyOf(agency) || p.Family == anyBody && !outside) && (p.Level == "" || p.Level == levelOf(agency)) {
			return nil
		}
		name := p.Family
		if name == anyBody {
			name = "administrative bodies"
		}
		if !slices.Contains(who, name) {
			who = append(who, name)
		}
	}
	if len(who) == 0 {
		return refused("the catalogue gives the measure %s to no body", code)
	}
	return refused("%s may not take the measure %s; who may: %s", agency, code, orList(who))
}

// tellPowers says of measures who may take them.
func (s *Server) tellPowers(ctx context.Context, measures []*enforcementv1.Measure) error {
	at := map[string]*enforcementv1.Measure{}
	var codes []string
	for _, m := range measures {
		at[m.GetCode()], codes = m, append(codes, m.GetCode())
	}
	powers, err := store.New(s.db).MeasurePowers(ctx, store.MeasurePowersParams{Codes: codes, At: s.now()})
	for _, p := range powers {
		m := at[p.MeasureCode]
		m.Powers = append(m.Powers, &enforcementv1.MeasurePower{Family: p.Family, Level: p.Level, Basis: p.Basis, ToConfirm: p.ToConfirm})
	}
	return err
}

// overseesAll says whether the caller reads counts of every agency: who sees all cases, and the lead ministry's auditors.
func overseesAll(ctx context.Context) bool {
	a := identity.ActorOf(ctx)
	return seesAll(ctx) || a.GetAgencyId() == leadMinistry && slices.Contains(a.GetRoles(), accessv1.Role_ROLE_AUDITOR)
}
