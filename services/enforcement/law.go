package enforcement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/enforcement/store"
)

// law is the catalogue of a time, as it is held against one case.
type law struct {
	agency, profile, bandReason string
	facts                       circumstances
	limitation                  limitation
	penalties                   []*assignmentv1.PenaltyDetail
	catalogue                   []store.Penalty
	ranges                      []store.PenaltyKind
	powers                      []store.PenaltyPower
	bands                       []store.DiscretionBand
	dues                        []store.ProcedureDue
}

// law reads what a proposal is held against: the catalogue in force, the party, the discovery.
func (s *Server) law(ctx context.Context, q *store.Queries, c store.EnforcementCase, p *assignmentv1.CaseProposal, profile string, at time.Time) (*law, error) {
	party, err := q.PartyOf(ctx, c.PartyID)
	if err != nil {
		return nil, fmt.Errorf("party of a case: %w", err)
	}
	l := &law{agency: c.AgencyID, profile: profile, bandReason: p.GetBandReason(), facts: circumstances{
		act: c.Act, role: c.PartyRole, subject: subjectOf(party.Person, c.PartyRole), gains: p.GetGains().GetFen(),
		serious: p.GetSerious(), egregious: p.GetEgregious(), mitigated: p.GetMitigation() != "", aggravated: p.GetAggravation() != "",
	}}
	for _, d := range p.GetPenalties() {
		if d.GetKind() != noPenalty {
			l.penalties = append(l.penalties, d)
		}
	}
	discoveries, err := q.Discoveries(ctx, c.CaseID)
	if err != nil {
		return nil, err
	}
	l.limitation = discoveryOf(discoveries, c.OpenTime)
	if err := l.limitation.said(p, at); err != nil {
		return nil, err
	}
	return l, l.read(ctx, q, at)
}

// read fills in the catalogue of a time.
func (l *law) read(ctx context.Context, q *store.Queries, at time.Time) error {
	var err error
	if l.catalogue, err = q.PenaltiesInForce(ctx, at); err != nil {
		return err
	}
	var rows []string
	for _, p := range l.catalogue {
		rows = append(rows, p.Code)
	}
	if l.ranges, err = q.PenaltyKinds(ctx, rows); err != nil {
		return err
	}
	if l.powers, err = q.PenaltyPowers(ctx, store.PenaltyPowersParams{Codes: rows, At: at}); err != nil {
		return err
	}
	if l.bands, err = q.DiscretionBands(ctx, store.DiscretionBandsParams{Family: familyOf(l.agency), At: at}); err != nil {
		return err
	}
	l.dues, err = q.ProceduresDue(ctx, store.ProceduresDueParams{Family: familyOf(l.agency), Subject: l.facts.subject, At: at})
	return err
}

// said is what the investigators found out of the limitation, over the default. Neither time is one of the future, nor of
// before the term of the limitation is known.
func (l *limitation) said(p *assignmentv1.CaseProposal, now time.Time) error {
	l.continues, l.disputed, l.grave = p.GetActContinues(), p.GetDiscoveryDisputed(), p.GetGraveHarm()
	if end := p.GetActEndTime(); end != nil {
		t := end.AsTime()
		l.end = &t
		if err := reckonable("detail.case_step.proposal.act_end_time", t, now, l.grave); err != nil {
			return err
		}
	}
	if found := p.GetDiscoverTime(); found != nil {
		if p.GetDiscoverBasis() == "" {
			return errs.Field("detail.case_step.proposal.discover_basis", "must say what the time of discovery rests on (行政处罚法 第三十六条)")
		}
		l.discovery, l.basis = found.AsTime(), p.GetDiscoverBasis()
		return reckonable("detail.case_step.proposal.discover_time", l.discovery, now, l.grave)
	}
	return nil
}

// measured is a penalty with what it was measured against.
type measured struct {
	row     store.Penalty
	scale   store.PenaltyKind
	kind    string
	fen     int64
	span    span
	band    band
	outside bool // of the discretion band
}

func (m measured) words() string {
	if m.fen > 0 {
		return m.kind + " of " + inYuan(m.fen)
	}
	return m.kind
}

// measureAll holds all penalties of a proposal against the catalogue.
func (l *law) measureAll() ([]measured, error) {
	var out []measured
	for _, d := range l.penalties {
		m, err := l.measure(d)
		if err != nil {
			return nil, err
		}
		if m.outside && m.fen > m.band.high && l.facts.subject == subjectPerson && l.facts.role == roleCaller {
			return nil, refused("a %s is above the band for individuals of %s (%s, grade %s): who calls without evidence of employment or mandate "+
				"stays an individual (行政处罚法 第五条、第三十四条)", m.words(), m.band.span, m.band.document, m.band.grade)
		}
		if m.outside && l.bandReason == "" {
			return nil, refused("a %s is outside the published discretion band of %s (%s, grade %s): it needs a reason, and a legal review (行政处罚法 第三十四条、第五十八条)",
				m.words(), m.band.span, m.band.document, m.band.grade)
		}
		if m.kind == fineKind && slices.ContainsFunc(out, func(o measured) bool { return o.kind == fineKind }) {
			return nil, refused("one act has one fine, by the article with the highest (行政处罚法 第二十九条)")
		}
		out = append(out, m)
	}
	return out, nil
}

// measure holds one penalty against the catalogue, or says what it lacks.
func (l *law) measure(d *assignmentv1.PenaltyDetail) (measured, error) {
	row, err := l.rowOf(d)
	if err != nil {
		return measured{}, err
	}
	basis := row.Law + " " + row.Article
	if !slices.Contains(row.Acts, l.facts.act) {
		return measured{}, refused("%s is not for the act %s: no penalty without law (行政处罚法 第三十八条)", basis, l.facts.act)
	}
	if !applies(row, l.facts) {
		return measured{}, refused("%s is not for a %s in the role %s (行政处罚法 第三十八条)", basis, l.facts.subject, l.facts.role)
	}
	if !entitled(l.powers, row.Code, l.agency, d.GetKind()) {
		return measured{}, refused("%s may not impose a %s by %s (行政处罚法 第十七条); who may: %s", l.agency, d.GetKind(), basis,
			orList(familiesOf(l.powers, row.Code, d.GetKind())))
	}
	scale, ok := rangeOf(l.ranges, row.Code, d.GetKind(), l.facts)
	if !ok {
		return measured{}, refused("%s permits no %s in these circumstances (行政处罚法 第三十八条)", basis, d.GetKind())
	}
	m := measured{row: row, scale: scale, kind: d.GetKind(), fen: d.GetAmount().GetFen(), span: spanOf(scale, l.facts.gains)}
	m.band = band{span: m.span}
	switch {
	case m.kind != fineKind && m.kind != confiscationKind:
		return m, nil
	case m.fen <= 0:
		return measured{}, errs.Field("detail.penalty.amount", "must be given for a %s", m.kind)
	case !m.span.has(m.fen):
		return measured{}, l.beyond(m, basis)
	case m.kind == fineKind:
		m.band = bandOf(l.bands, scale, m.span, l.facts)
		m.outside = !m.band.has(m.fen)
	}
	return m, nil
}

// rowOf finds the row that a penalty stands on, and sees that it is law.
func (l *law) rowOf(d *assignmentv1.PenaltyDetail) (store.Penalty, error) {
	row, ok := rowFor(l.catalogue, d.GetCatalogueCode(), d.GetBasis())
	if draft, cited := citesDraft(l.catalogue, d.GetBasis()); cited && l.profile != rehearsing {
		row, ok = draft, true
	}
	switch {
	case !ok && d.GetCatalogueCode() != "":
		return row, refused("the catalogue of penalties has no row %s in force: no penalty without law (行政处罚法 第三十八条)", d.GetCatalogueCode())
	case !ok:
		return row, refused("no row of the catalogue of penalties in force says what the basis says: no penalty without law (行政处罚法 第三十八条)")
	case row.Profile == simulation && l.profile != rehearsing:
		return row, refused("%s is a draft and no law: it is cited in a rehearsal only (行政处罚法 第三十八条)", row.Law)
	case d.GetCatalogueCode() != "" && d.GetBasis() != "":
		if named, _ := cites(d.GetBasis(), row); !named {
			return row, refused("the basis in words is not that of the row %s, %s %s (行政处罚法 第三十八条)", row.Code, row.Law, row.Article)
		}
	}
	return row, nil
}

// beyond says why an amount is outside what the law permits.
func (l *law) beyond(m measured, basis string) error {
	switch {
	case m.scale.MaxTimes == nil:
		return refused("a %s is outside what %s permits: %s (行政处罚法 第三十八条)", m.words(), basis, m.span)
	case l.facts.gains == 0:
		return refused("there are no illegal gains that %s could be measured by (%s)", m.kind, basis)
	case value(m.scale.MinTimes) == *m.scale.MaxTimes:
		return refused("a %s of illegal gains takes exactly the gains of %s (%s)", m.kind, inYuan(l.facts.gains), basis)
	}
	return refused("a %s is outside %d to %d times the illegal gains of %s, which is %s (%s)", m.words(),
		value(m.scale.MinTimes), *m.scale.MaxTimes, inYuan(l.facts.gains), m.span, basis)
}
