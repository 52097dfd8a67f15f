package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/phone"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// published are the kinds of numbers whose holders everybody may know: codes of firms and services, never subscribers'.
var published = []string{phone.Code95Enterprise, phone.Code95CallCentre, phone.Code95Public, phone.Code96, phone.AreaCode96, phone.Code400, phone.Code1010}

// announced are the states that everybody may know: that a code is held, that its recall was announced or carried out, that
// its use ended. A warning or suspension is between its holder and who ordered it: a sanction is published by a decision of
// its own only, behind the gate of its kind (行政处罚法 48).
var announced = []string{stateActive, stateNotice, stateRecalled, stateEnded}

// LookupCode tells the public who holds a code now, since when and through whom. A subscriber's number, a code that nobody
// holds and one that no firm holds get the same answer.
func (s *Server) LookupCode(ctx context.Context, req *ledgerv1.LookupCodeRequest) (*ledgerv1.LookupCodeResponse, error) {
	const unknown = "nobody is on record for this code; only codes of the 95, 96, 400 and 1010 ranges are published"
	n := phone.Parse(req.GetCode())
	scheme := "" // an area says nothing of other codes
	if n.GetKind() == phone.Code96 {
		scheme = req.GetArea()
	}
	if !slices.Contains(published, n.GetKind()) || n.GetKind() == phone.Code96 && scheme == "" {
		return nil, errs.NotFound(pgx.ErrNoRows, unknown)
	}
	asked, err := canonical(scheme, n.GetNormal(), "")
	if err != nil {
		return nil, err
	}
	q, now := store.New(s.db), s.now()
	row, err := q.WhoHeld(ctx, store.WhoHeldParams{
		Scheme: asked.scheme, Digits: asked.from.digits, Number: asked.from.value, At: now, KnownAt: always, SeesAll: true,
	})
	if err != nil {
		return nil, errs.NotFound(err, unknown)
	}
	if !publishable(row.CreditCode) {
		return nil, errs.NotFound(pgx.ErrNoRows, unknown)
	}
	since, err := q.HeldSince(ctx, store.HeldSinceParams{ResourceID: row.ResourceID, HolderID: row.HolderID, At: now})
	if err != nil {
		return nil, err
	}
	names, err := q.PublicNames(ctx)
	if err != nil {
		return nil, err
	}
	held, err := heldProto(row)
	if err != nil {
		return nil, err
	}
	return publicOf(n.GetNormal(), held, timestamppb.New(since), names), nil
}

// publishable says whether who has a credit code is a body, not a person: no person is published, whatever is on record.
func publishable(creditCode string) bool { return creditCode != "" && !format.IsPersonalID(creditCode) }

// publicOf leaves out what is nobody's business: identifiers, contracts, permitted callers, persons.
func publicOf(code string, held *ledgerv1.WhoHeldResponse, since *timestamppb.Timestamp, names []store.OperatorName) *ledgerv1.LookupCodeResponse {
	r := held.GetResource()
	out := &ledgerv1.LookupCodeResponse{
		Code: code, HolderName: r.GetHolder().GetName(), CreditCode: r.GetHolder().GetCreditCode(),
		SinceTime: since, State: r.GetState(), Purpose: r.GetPurpose(),
	}
	if !slices.Contains(announced, out.GetState()) {
		out.State = stateActive // it is held
	}
	for _, x := range held.GetAccesses() {
		p := &ledgerv1.PublicAccess{Province: x.GetProvince(), OperatorId: x.GetOperatorId()}
		for _, n := range names {
			if whole, _, _ := strings.Cut(x.GetOperatorId(), "-"); whole == n.OperatorID {
				p.OperatorName = n.Name
			}
		}
		out.Accesses = append(out.Accesses, p)
	}
	for _, x := range held.GetSublets() {
		if publishable(x.GetLessee().GetCreditCode()) {
			out.SubHolderNames = append(out.SubHolderNames, x.GetLessee().GetName())
		}
	}
	return out
}
