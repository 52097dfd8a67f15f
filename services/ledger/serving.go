package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/portability"
	"quietline/services/ledger/store"
)

// ParseNumber reads numbers; it looks nothing up.
func (s *Server) ParseNumber(_ context.Context, req *ledgerv1.ParseNumberRequest) (*ledgerv1.ParseNumberResponse, error) {
	resp := &ledgerv1.ParseNumberResponse{Numbers: make([]*commonv1.Number, 0, len(req.GetRaw()))}
	for _, raw := range req.GetRaw() {
		resp.Numbers = append(resp.Numbers, phone.Parse(raw))
	}
	return resp, nil
}

// GetServingOperator says who serves a number as of a time: the access operator of the ledger, else who it was ported to,
// else the owner of its segment.
func (s *Server) GetServingOperator(ctx context.Context, req *ledgerv1.GetServingOperatorRequest) (*ledgerv1.GetServingOperatorResponse, error) {
	n := phone.Parse(req.GetNumber())
	at := s.now()
	if t := timeOf(req.GetAt()); t != nil {
		at = *t
	}
	resp := &ledgerv1.GetServingOperatorResponse{
		AllocatedCarrier: n.GetAllocatedCarrier(), Resale: n.GetResale(),
		Source: ledgerv1.ServingSource_SERVING_SOURCE_UNKNOWN, Explanation: unserved(n),
	}
	if !phone.Usable(n) || phone.Forged(n.GetKind()) || n.GetKind() == phone.Foreign {
		return resp, nil
	}
	bySegment(resp, n)
	if n.GetResale() {
		resp.HostOperatorId = branch(n.GetAllocatedCarrier(), phone.SureProvince(n))
	}
	if n.GetKind() == phone.Mobile {
		p, ok, err := s.portedTo(ctx, n.GetNormal(), at)
		if err != nil {
			return nil, err
		}
		if ok {
			byPorting(resp, n, p)
		}
	}
	if n.GetPlaceBasis() == phone.BasisInferred && resp.GetOperatorId() != "" {
		resp.Explanation += "；归属地仅为推断，未据以确定省级公司"
	}
	return resp, s.byLedger(ctx, req, n, resp)
}

// unserved says why nobody here serves a number.
func unserved(n *commonv1.Number) string {
	switch {
	case phone.Forged(n.GetKind()):
		return "伪造主叫，无服务企业；由举报人所属企业溯源"
	case n.GetKind() == phone.Foreign:
		return "境外号码，境内无服务企业；由举报人所属企业溯源"
	case !phone.Usable(n):
		return "不是可用的号码"
	}
	return "编号计划与台账均无记载"
}

func bySegment(resp *ledgerv1.GetServingOperatorResponse, n *commonv1.Number) {
	if n.GetAllocatedCarrier() == "" {
		return
	}
	resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_SEGMENT, branch(n.GetAllocatedCarrier(), phone.SureProvince(n))
	resp.Explanation = "按号段推定"
	if n.GetKind() == phone.Mobile {
		resp.Explanation = "按号段推定，可能已携号转网"
	}
}

// byPorting takes over who a number was ported to. A ported number stays in its local network, so in its province; it
// leaves its resale operator with its host.
func byPorting(resp *ledgerv1.GetServingOperatorResponse, n *commonv1.Number, p portability.Porting) {
	resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_PORTABILITY, branch(p.OperatorID, phone.SureProvince(n))
	resp.Explanation = fmt.Sprintf("已携号转网，%s起由该企业服务", p.Since.In(calendar.Shanghai).Format("2006年1月2日"))
	resp.Since = timestamppb.New(p.Since)
	resp.HostOperatorId = ""
}

// byLedger puts the ledger's access operator before everything else. The holder of a block of a resold segment is the
// resale operator, on the network of who gives it access.
func (s *Server) byLedger(ctx context.Context, req *ledgerv1.GetServingOperatorRequest, n *commonv1.Number, resp *ledgerv1.GetServingOperatorResponse) error {
	if n.GetKind() == phone.Code96 && req.GetScheme() == "" {
		return nil // of which province, nobody knows
	}
	if _, ok := keyOf(n.GetNormal()); !ok {
		return nil
	}
	asked, err := canonical(req.GetScheme(), n.GetNormal(), "")
	if err != nil {
		return err
	}
	arg := s.asked(ctx, asked, req.GetAt(), nil)
	arg.SeesAll = true // who serves a number is no secret among those who may ask
	row, err := store.New(s.db).WhoHeld(ctx, arg)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("holding of a number: %w", err)
	}
	held, err := heldProto(row)
	if err != nil {
		return err
	}
	if n.GetResale() && resp.GetSource() == ledgerv1.ServingSource_SERVING_SOURCE_PORTABILITY {
		return nil // it has left the block
	}
	access := accessAt(held.GetAccesses(), req.GetProvince())
	resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_LEDGER_ACCESS, access.GetOperatorId()
	resp.Since, resp.Explanation = access.GetValidFrom(), "台账记载的接入企业"
	if n.GetResale() {
		resp.ResaleOperator, resp.HostOperatorId = held.GetResource().GetHolder().GetName(), access.GetOperatorId()
	}
	return nil
}

// accessAt is the access of the place where a call was received, else that of the resource's own location, which comes
// first.
func accessAt(all []*ledgerv1.Access, province string) *ledgerv1.Access {
	for _, x := range all {
		if province != "" && x.GetProvince() == province {
			return x
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// branch is an operator's branch in a province, as the directory names them; the operator itself where no province is known.
func branch(operator, province string) string {
	if province == "" || strings.Contains(operator, "-") {
		return operator
	}
	return operator + "-" + province
}

// portedTo joins the portability source with what operators have answered. Of both, what is known of the time closest
// before the call holds; the answer of an operator, who has looked, when both speak of the same time. What the source knows
// to have ended since the answer is over: the owner of the segment serves the number again.
func (s *Server) portedTo(ctx context.Context, number string, at time.Time) (portability.Porting, bool, error) {
	p, ok, err := s.ports.ServedBy(ctx, number, at)
	if err != nil {
		return p, false, fmt.Errorf("portability source: %w", err)
	}
	told, err := store.New(s.db).LastPorting(ctx, store.LastPortingParams{Number: number, At: at})
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ok, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("answers of operators: %w", err)
	}
	if ok && p.Since.After(told.ServedTime) || !ok && p.Until.After(told.ServedTime) {
		return p, ok, nil
	}
	return portability.Porting{OperatorID: told.OperatorID, Since: told.ServedTime}, true, nil
}

// RecordPorting keeps an operator's answer. Only mobiles are ported.
func (s *Server) RecordPorting(ctx context.Context, req *ledgerv1.RecordPortingRequest) (*ledgerv1.RecordPortingResponse, error) {
	if n := phone.Parse(req.GetNumber()); n.GetKind() != phone.Mobile || n.GetNormal() != req.GetNumber() {
		return nil, errs.Field("number", "must be the normal form of a mobile: no other numbers are ported (携号转网服务管理规定)")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordPortingResponse, error) {
		err := store.New(tx).InsertPorting(ctx, store.InsertPortingParams{
			Number: req.GetNumber(), OperatorID: req.GetOperatorId(), ServedTime: req.GetAt().AsTime(), TaskID: req.GetTaskId(),
			DoneBy: doneBy(identity.ActorOf(ctx)),
		})
		return &ledgerv1.RecordPortingResponse{}, err
	})
}
