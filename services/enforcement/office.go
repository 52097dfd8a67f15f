package enforcement

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// seeOffice is what a document says of the contacts of an office that has not put any: nobody's telephone is guessed.
const seeOffice = "联系方式见本机关公示"

// caseWord stands in the number of a case as the word of its kind stands in that of a document.
const caseWord = "案"

// asciiWord is what may stand in the word of an office beside Chinese characters.
const asciiWord = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// contactOf is how to reach an office, as documents say it (行政处罚法 44, 45).
func contactOf(o store.Office) string {
	var parts []string
	for _, p := range []struct{ what, value string }{{"承办部门", o.Department}, {"地址", o.Address}, {"电话", o.Telephone}} {
		if p.value != "" {
			parts = append(parts, p.what+"："+p.value)
		}
	}
	return cmp.Or(strings.Join(parts, "；"), o.Contact)
}

// shortOf is the word that an office's numbers begin with. An agency that has no office yet is known by its identifier,
// which is nobody else's.
func shortOf(o store.Office, agency string) string { return cmp.Or(o.Short, agency) }

// GetOffice returns how the caller's agency signs its documents.
func (s *Server) GetOffice(ctx context.Context, _ *enforcementv1.GetOfficeRequest) (*enforcementv1.GetOfficeResponse, error) {
	o, err := store.New(s.db).OfficeOf(ctx, store.OfficeOfParams{AgencyID: identity.ActorOf(ctx).GetAgencyId(), At: s.now()})
	if err != nil {
		return nil, errs.NotFound(err, "the agency has no office yet")
	}
	return &enforcementv1.GetOfficeResponse{Office: officeProto(o)}, nil
}

// PutOffice puts the office of the caller's agency from now on; documents that were made stay as they are.
func (s *Server) PutOffice(ctx context.Context, req *enforcementv1.PutOfficeRequest) (*enforcementv1.PutOfficeResponse, error) {
	o, agency := req.GetOffice(), identity.ActorOf(ctx).GetAgencyId()
	for field, value := range map[string]string{"name": o.GetName(), "short": o.GetShort(), "review_body": o.GetReviewBody(), "court": o.GetCourt()} {
		if blank(value) {
			return nil, errs.Field("office."+field, "must be given (行政处罚法 第五十九条)")
		}
	}
	if strings.ContainsFunc(o.GetShort(), func(r rune) bool { return !unicode.Is(unicode.Han, r) && !strings.ContainsRune(asciiWord, r) }) {
		return nil, errs.Field("office.short", "must be Chinese characters, letters A to Z and digits: nothing else, seen or unseen, tells numbers apart (机关代字)")
	}
	if phone.Parse(o.GetTelephone()).GetKind() == "mobile" {
		return nil, errs.Field("office.telephone", "must be the telephone of an office, not a person's own")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.PutOfficeResponse, error) {
		q, now := store.New(tx), s.now()
		if err := q.LockKey(ctx, "office"); err != nil { // words are compared with those of all
			return nil, err
		}
		taken, err := q.ShortTaken(ctx, store.ShortTakenParams{AgencyID: agency, Short: o.GetShort()})
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, shortTaken()
		}
		if err := q.EndOffice(ctx, store.EndOfficeParams{AgencyID: agency, At: &now}); err != nil {
			return nil, err
		}
		err = q.InsertOffice(ctx, store.InsertOfficeParams{
			AgencyID: agency, Name: o.GetName(), Short: o.GetShort(), ReviewBody: o.GetReviewBody(), Court: o.GetCourt(), Contact: seeOffice,
			ValidFrom: now, Address: o.GetAddress(), Telephone: o.GetTelephone(), Department: o.GetDepartment(), Payment: o.GetPayment(),
			PutBy: doneBy(ctx),
		})
		if err != nil {
			return nil, err
		}
		row, err := q.OfficeOf(ctx, store.OfficeOfParams{AgencyID: agency, At: now})
		return &enforcementv1.PutOfficeResponse{Office: officeProto(row)}, err
	})
}

func shortTaken() error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
		"the word makes numbers of another agency: it must be this agency's alone (机关代字)")
}

// officeFor is the office of an agency now; an empty one when it has none.
func (s *Server) officeFor(ctx context.Context, q *store.Queries, agency string) (store.Office, error) {
	o, err := q.OfficeOf(ctx, store.OfficeOfParams{AgencyID: agency, At: s.now()})
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Office{}, nil
	}
	return o, err
}

func officeProto(o store.Office) *enforcementv1.Office {
	return &enforcementv1.Office{
		AgencyId: o.AgencyID, Name: o.Name, Short: o.Short, ReviewBody: o.ReviewBody, Court: o.Court, Address: o.Address, Telephone: o.Telephone,
		Department: o.Department, Payment: o.Payment, ToConfirm: o.ToConfirm, ValidFrom: timestamppb.New(o.ValidFrom),
	}
}
