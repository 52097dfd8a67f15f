package assignment

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// agencyIDForm is the form of identifiers, as the table has it.
var agencyIDForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// agencyKinds are the kinds that a row may have.
var agencyKinds = []string{
	kindMinistry, kindAdministration, kindBody, kindPolice, kindOperator, kindOperatorBranch, kindResale, "centre", "observer", "association",
}

// PutAgency writes a version of an agency that is valid from a time on. The version before ends then and stays on record; a
// version with an end, and a successor, is how an agency goes. On no later day may it break the
// directory, which routes every matter; what is broken there already is told.
func (s *Server) PutAgency(ctx context.Context, req *assignmentv1.PutAgencyRequest) (*assignmentv1.PutAgencyResponse, error) {
	wanted, err := agencyWanted(req.GetAgency())
	if err != nil {
		return nil, err
	}
	actor := identity.ActorOf(ctx)
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.PutAgencyResponse, error) {
		q, now := store.New(tx), s.now()
		if err := q.LockDirectory(ctx); err != nil {
			return nil, fmt.Errorf("lock directory: %w", err)
		}
		d, err := readDirectory(ctx, q)
		if err != nil {
			return nil, err
		}
		before, err := d.placeFor(wanted, now)
		if err != nil {
			return nil, err
		}
		already, err := d.with(before, wanted).compare(d, wanted)
		if err != nil {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "the directory would not hold: %v", err)
		}
		if before != nil {
			if _, err := q.EndAgency(ctx, store.EndAgencyParams{AgencyID: wanted.id, At: wanted.from}); err != nil {
				return nil, fmt.Errorf("end version of %s: %w", wanted.id, err)
			}
		}
		if err := insertAgency(ctx, q, wanted); err != nil {
			return nil, err
		}
		after := wanted.proto()
		change := store.InsertAgencyChangeParams{
			AgencyID: wanted.id, ChangedBy: actor.GetSubject(), ChangedAgency: actor.GetAgencyId(), Reason: req.GetReason(), ChangeTime: now,
		}
		if change.After, err = protojson.Marshal(after); err != nil {
			return nil, fmt.Errorf("change of %s: %w", wanted.id, err)
		}
		if before != nil {
			if change.Before, err = protojson.Marshal(before.proto()); err != nil {
				return nil, fmt.Errorf("change of %s: %w", wanted.id, err)
			}
		}
		if err := q.InsertAgencyChange(ctx, change); err != nil {
			return nil, fmt.Errorf("change of %s: %w", wanted.id, err)
		}
		return &assignmentv1.PutAgencyResponse{Agency: after, Broken: already}, nil
	})
}

// agencyWanted is the version that is asked for, held to what a row may be.
func agencyWanted(a *assignmentv1.Agency) (*agency, error) {
	v := &agency{
		id: a.GetAgencyId(), name: a.GetName(), nameEn: a.GetNameEn(), kind: a.GetKind(), superior: a.GetSuperiorId(), province: a.GetProvince(),
		sectors: a.GetSectors(), assignable: a.GetAssignable(), successor: a.GetSuccessorId(), source: a.GetSource(), from: a.GetValidFrom().AsTime(),
	}
	if a.GetValidTo() != nil {
		to := a.GetValidTo().AsTime()
		v.to = &to
	}
	const longest = 200
	switch {
	case !agencyIDForm.MatchString(v.id) || len(v.id) > 60:
		return nil, errs.Field("agency.agency_id", "must be words of a-z and 0-9 joined by -, such as mct-44")
	case v.name == "" || len(v.name) > longest || len(v.nameEn) > longest:
		return nil, errs.Field("agency.name", "must be a name of at most %d bytes", longest)
	case !slices.Contains(agencyKinds, v.kind):
		return nil, errs.Field("agency.kind", "must be one of %q", agencyKinds)
	case v.source == "" || len(v.source) > 500:
		return nil, errs.Field("agency.source", "must say where the row comes from")
	case a.GetValidFrom() == nil:
		return nil, errs.Field("agency.valid_from", "must be set")
	case v.to != nil && !v.to.After(v.from):
		return nil, errs.Field("agency.valid_to", "must be after valid_from")
	case slices.ContainsFunc(v.sectors, func(sector string) bool { return !sectors[sector] }):
		return nil, errs.Field("agency.sectors", "must be sectors of the programme")
	}
	return v, nil
}

// placeFor is the version that a new one takes the place of, or nil for the first; or why there is no place for it. What was
// is never rewritten: a version begins now or later, and after the last one began.
func (d *directory) placeFor(v *agency, now time.Time) (*agency, error) {
	versions := d.versions[v.id]
	if len(versions) == 0 {
		return nil, nil
	}
	if v.from.Before(now.Add(-backdated)) {
		return nil, errs.Field("agency.valid_from", "must not be in the past: what the agency was then stays as it is")
	}
	last := &versions[len(versions)-1]
	if !last.from.Before(v.from) {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"%s has a version from %s on already; a later one must begin after it", v.id, last.from.UTC().Format(time.RFC3339))
	}
	if !last.validAt(v.from) {
		return nil, nil // it had ended: it comes back
	}
	return last, nil
}

// with is the directory with one more version, which ends the one before.
func (d *directory) with(before, v *agency) *directory {
	var rows []agency
	for _, id := range d.ids {
		for _, a := range d.versions[id] {
			if before != nil && a.id == before.id && a.from.Equal(before.from) {
				a.to = &v.from
			}
			rows = append(rows, a)
		}
	}
	return newDirectory(d.revision+1, append(rows, *v))
}

func insertAgency(ctx context.Context, q *store.Queries, a *agency) error {
	err := q.InsertAgency(ctx, store.InsertAgencyParams{
		AgencyID: a.id, ValidFrom: a.from, ValidTo: a.to, Name: a.name, NameEn: a.nameEn, Kind: a.kind, SuperiorID: orNull(a.superior),
		Province: orNull(a.province), Sectors: append([]string{}, a.sectors...), Assignable: a.assignable, SuccessorID: orNull(a.successor), Source: a.source,
	})
	switch pg.Constraint(err) {
	case "agency_province":
		return errs.Field("agency.province", "must be a province of GB/T 2260, two digits")
	case "agency_not_its_own_superior":
		return errs.Field("agency.superior_id", "must be another agency")
	}
	if err != nil {
		return fmt.Errorf("version of %s: %w", a.id, err)
	}
	return nil
}

// GetAgencyHistory returns the versions of an agency and who made them.
func (s *Server) GetAgencyHistory(ctx context.Context, req *assignmentv1.GetAgencyHistoryRequest) (*assignmentv1.GetAgencyHistoryResponse, error) {
	q := store.New(s.db)
	versions, err := q.AgencyVersions(ctx, req.GetAgencyId())
	if err != nil {
		return nil, fmt.Errorf("versions of agency: %w", err)
	}
	if len(versions) == 0 {
		return nil, unknownAgency(req.GetAgencyId())
	}
	resp := &assignmentv1.GetAgencyHistoryResponse{}
	for i := range versions {
		row := store.DirectoryRow(versions[i])
		a := agencyOf(&row)
		resp.Versions = append(resp.Versions, a.proto())
	}
	changes, err := q.AgencyChanges(ctx, req.GetAgencyId())
	if err != nil {
		return nil, fmt.Errorf("changes of agency: %w", err)
	}
	for i := range changes {
		c := &changes[i]
		change := &assignmentv1.AgencyChange{
			ChangedBy: c.ChangedBy, ChangedAgencyId: c.ChangedAgency, ChangeTime: timestamppb.New(c.ChangeTime), Reason: c.Reason,
			After: &assignmentv1.Agency{},
		}
		if err := kept.Unmarshal(c.After, change.After); err != nil {
			return nil, fmt.Errorf("change %d: %w", c.ChangeID, err)
		}
		if c.Before != nil {
			change.Before = &assignmentv1.Agency{}
			if err := kept.Unmarshal(c.Before, change.Before); err != nil {
				return nil, fmt.Errorf("change %d: %w", c.ChangeID, err)
			}
		}
		resp.Changes = append(resp.Changes, change)
	}
	return resp, nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
