package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

func otherAgency(words string, args ...any) error {
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, words, args...)
}

// ListCampaignItems lists the resources in samples.
func (s *Server) ListCampaignItems(ctx context.Context, req *ledgerv1.ListCampaignItemsRequest) (*ledgerv1.ListCampaignItemsResponse, error) {
	after, err := afterID(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	campaign, err := optionalID("campaign_id", req.GetCampaignId())
	if err != nil {
		return nil, err
	}
	all, agency, party := standpoint(ctx)
	size := pg.PageSize(req.GetPageSize())
	items, last, err := s.items(ctx, store.New(s.db), store.ListCampaignItemsParams{
		After: after, CampaignID: campaign, Inspector: req.GetInspectorAgencyId(), State: req.GetState(), Overdue: req.GetOverdue(),
		SeesAll: all, AgencyID: agency, Party: party, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListCampaignItemsResponse{Items: items}
	if len(items) == int(size) {
		resp.NextPageToken = pg.EncodeToken(last)
	}
	return resp, nil
}

// items reads items with their findings.
func (s *Server) items(ctx context.Context, q *store.Queries, arg store.ListCampaignItemsParams) (items []*ledgerv1.CampaignItem, last string, err error) {
	arg.Now = s.now()
	rows, err := q.ListCampaignItems(ctx, arg)
	if err != nil || len(rows) == 0 {
		return nil, "", err
	}
	byID := map[string]*ledgerv1.CampaignItem{}
	for _, r := range rows {
		p := itemProto(r)
		if !arg.SeesAll { // holders learn which agency inspected, not who
			p.InspectedBy = agencyOf(p.GetInspectedBy())
		}
		byID[p.GetItemId()], last = p, p.GetItemId()
		items = append(items, p)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.CampaignItem.ItemID
	}
	if err := addClosings(ctx, q, byID, ids, arg.SeesAll); err != nil {
		return nil, "", err
	}
	found, err := q.FindingsOfItems(ctx, ids)
	for _, f := range found {
		p := byID[f.CampaignFinding.ItemID]
		p.Findings = append(p.Findings, &ledgerv1.CampaignFinding{
			Finding: findingProto(f.Finding, f.Article, f.Reason),
			Clock:   clockProto(f.CampaignFinding.Basis, f.CampaignFinding.Statutory, f.CampaignFinding.Proof, f.CampaignFinding.Provisional),
		})
	}
	return items, last, err
}

func itemProto(r store.ListCampaignItemsRow) *ledgerv1.CampaignItem {
	i := r.CampaignItem
	p := &ledgerv1.CampaignItem{
		ItemId: i.ItemID, CampaignId: i.CampaignID, Kind: i.Kind, InspectorAgencyId: i.InspectorAgencyID, State: r.StateNow,
		Resource:    resourceOf(r.Allocation, r.Holder, principal(r.Allocation, r.PrincipalName, r.PrincipalCode), ""),
		Declaration: i.Declaration, ReturnTime: timeProto(i.ReturnedAt), InspectTime: timeProto(i.InspectedAt),
		InspectedBy: i.InspectedBy, Note: i.Note,
	}
	for name, late := range map[string]bool{"return": r.ReturnLate, "inspection": r.InspectionLate, "rectification": r.RectificationLate} {
		if late {
			p.Overdue = append(p.Overdue, name)
		}
	}
	slices.Sort(p.GetOverdue())
	return p
}

func (s *Server) item(ctx context.Context, q *store.Queries, id string) (*ledgerv1.CampaignItem, error) {
	items, _, err := s.items(ctx, q, store.ListCampaignItemsParams{After: firstID, ItemID: &id, SeesAll: true, PageSize: 1})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return items[0], nil
}

// inspected locks an item that the caller's agency inspects.
func inspected(ctx context.Context, q *store.Queries, id string) (store.LockItemRow, error) {
	row, err := q.LockItem(ctx, id)
	if err != nil {
		return row, errs.NotFound(err, "no such item")
	}
	if agency := identity.ActorOf(ctx).GetAgencyId(); agency != row.CampaignItem.InspectorAgencyID && agency != leadMinistry {
		return row, otherAgency("the resource is inspected by %s", row.CampaignItem.InspectorAgencyID)
	}
	return row, nil
}

// RecordInspection says what an inspection found. Each finding gets its term, with its computation.
func (s *Server) RecordInspection(ctx context.Context, req *ledgerv1.RecordInspectionRequest) (*ledgerv1.RecordInspectionResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordInspectionResponse, error) {
		q := store.New(tx)
		row, err := inspected(ctx, q, req.GetItemId())
		if err != nil {
			return nil, err
		}
		if row.CampaignItem.State != itemPending {
			return nil, wrongState("the resource was inspected already")
		}
		if row.Campaign.State != campaignOpen {
			return nil, wrongState("the campaign is closed")
		}
		state := itemConforming
		for _, o := range req.GetFindings() {
			state = itemFound
			if err := s.observe(ctx, q, row, o); err != nil {
				return nil, err
			}
		}
		now := s.now()
		if err := q.SetItemInspected(ctx, store.SetItemInspectedParams{
			ItemID: row.CampaignItem.ItemID, State: state, InspectedAt: &now, InspectedBy: doneBy(identity.ActorOf(ctx)), Note: req.GetNote(),
		}); err != nil {
			return nil, err
		}
		item, err := s.item(ctx, q, row.CampaignItem.ItemID)
		return &ledgerv1.RecordInspectionResponse{Item: item}, err
	})
	s.followed(resp.GetItem(), err)
	return resp, err
}

// observe enters what was found, with the clock of its kind.
func (s *Server) observe(ctx context.Context, q *store.Queries, row store.LockItemRow, o *ledgerv1.Observation) error {
	kind, err := q.FindingKind(ctx, o.GetKind())
	if err != nil {
		return errs.NotFound(err, "no such kind of finding")
	}
	basis := fmt.Sprintf("rectify_%dd", kind.RectifyDays)
	term, err := s.clock("findings", basis, s.now())
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := s.now()
	_, err = q.InsertFinding(ctx, store.InsertFindingParams{
		FindingID: id.String(), ResourceID: row.CampaignItem.ResourceID, Source: "campaign", SourceRef: row.Campaign.CampaignID,
		Kind: o.GetKind(), Declared: declared(row.Allocation, o.GetKind()), Observed: o.GetObserved(), ObservedTime: now,
		DueTime: term.Due, FoundBy: doneBy(identity.ActorOf(ctx)),
	})
	if err != nil {
		return errs.NotFound(err, "one inspection finds each kind once")
	}
	return q.InsertCampaignFinding(ctx, store.InsertCampaignFindingParams{
		FindingID: id.String(), ItemID: row.CampaignItem.ItemID, Basis: basis, Due: term.Due, Statutory: term.Statutory,
		Proof: term.Proof, Provisional: term.Provisional,
	})
}

// declared is what the ledger says where a finding says otherwise.
func declared(a store.Allocation, kind string) string {
	switch kind {
	case "purpose_differs":
		return a.Purpose
	case "caller_not_permitted":
		return strings.Join(a.PermittedCallers, " ")
	case "access_differs":
		return a.AccessOperatorID + " " + a.AccessProvince
	case "holder_differs", "sublet_undeclared", "unlicensed":
		return "holder " + a.HolderID
	}
	return a.Basis
}

// RectifyFinding says that a finding of a campaign is put right.
func (s *Server) RectifyFinding(ctx context.Context, req *ledgerv1.RectifyFindingRequest) (*ledgerv1.RectifyFindingResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RectifyFindingResponse, error) {
		q := store.New(tx)
		id, err := q.ItemOfFinding(ctx, req.GetFindingId())
		if err != nil {
			return nil, errs.NotFound(err, "no such finding of a campaign")
		}
		row, err := inspected(ctx, q, id)
		if err != nil {
			return nil, err
		}
		if row.CampaignItem.State == itemClosed {
			return nil, wrongState("the line is closed")
		}
		err = s.decide(ctx, q, req.GetFindingId(), findingRectified, req.GetReason(), req.GetDocument(), doneBy(identity.ActorOf(ctx)))
		if err != nil {
			return nil, err
		}
		item, err := s.item(ctx, q, id)
		return &ledgerv1.RectifyFindingResponse{Item: item}, err
	})
	s.followed(resp.GetItem(), err)
	return resp, err
}

// CloseNonConforming signs an approved closing and closes the line.
func (s *Server) CloseNonConforming(ctx context.Context, req *ledgerv1.CloseNonConformingRequest) (*ledgerv1.CloseNonConformingResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.CloseNonConformingResponse, error) {
		q := store.New(tx)
		row, c, err := s.closing(ctx, q, req.GetItemId())
		if err != nil {
			return nil, err
		}
		by := doneBy(identity.ActorOf(ctx))
		if row.CampaignItem.State == itemClosed {
			item, err := s.item(ctx, q, row.CampaignItem.ItemID)
			return &ledgerv1.CloseNonConformingResponse{Item: item}, err
		}
		if err := mayClose(row, c, by); err != nil {
			return nil, err
		}
		if err := s.overdue(ctx, q, row.CampaignItem); err != nil { // it may have been put right meanwhile
			return nil, err
		}
		if err := s.closeLine(ctx, tx, q, row, c, by); err != nil {
			return nil, err
		}
		item, err := s.item(ctx, q, row.CampaignItem.ItemID)
		return &ledgerv1.CloseNonConformingResponse{Item: item}, err
	})
	s.followed(resp.GetItem(), err)
	return resp, err
}

// overdue refuses what is not: the holder has its whole term.
func (s *Server) overdue(ctx context.Context, q *store.Queries, i store.CampaignItem) error {
	found, err := q.FindingsOfItems(ctx, []string{i.ItemID})
	if err != nil {
		return err
	}
	last, open := time.Time{}, false
	for _, f := range found {
		if f.Finding.State != "OPEN" && f.Finding.State != "CONFIRMED" {
			continue
		}
		open = true
		if f.CampaignFinding.Due.Before(s.now()) {
			return nil
		}
		last = f.CampaignFinding.Due
	}
	if !open {
		return wrongState("nothing that was found on the line is left to be put right")
	}
	return wrongState("the term for putting it right runs until %s", last.In(shanghai).Format("2006-01-02 15:04"))
}

// closeLine writes the closing with its grounds (反电信网络诈骗法 32) and ends the allocation with all that hangs on it.
func (s *Server) closeLine(ctx context.Context, tx pgx.Tx, q *store.Queries, row store.LockItemRow, c *store.Closing, by string) error {
	resource := row.CampaignItem.ResourceID
	if err := q.LockKey(ctx, "resource/"+resource); err != nil {
		return err
	}
	_, at, err := s.enter(ctx, q, store.AddEventParams{
		ResourceID: resource, Event: closed, ReasonCode: "audit_non_conforming", Basis: c.Basis, Nature: byLaw,
		PriorNotice: c.PriorNotice, Remedy: c.Remedy,
	})
	if err != nil {
		return err
	}
	found, err := q.FindingsOfItems(ctx, []string{row.CampaignItem.ItemID})
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.Finding.State != findingOpen && f.Finding.State != findingConfirmed {
			continue
		}
		if err := s.decide(ctx, q, f.Finding.FindingID, findingClosed, "清查关停 "+row.Campaign.Name, c.Basis, by); err != nil {
			return err
		}
	}
	now := effectAfter(s.now(), at) // it was held when it was closed: its holder can appeal
	if err := s.end(ctx, tx, resource, now, "清查关停 "+row.Campaign.Name, c.Basis, by); err != nil {
		return err
	}
	if err := q.SignClosing(ctx, store.SignClosingParams{ClosingID: c.ClosingID, SignedBy: by, SignedAt: now}); err != nil {
		return err
	}
	return q.SetItemClosed(ctx, store.SetItemClosedParams{ItemID: row.CampaignItem.ItemID, ClosedAt: &now, ClosingID: c.ClosingID})
}

// SubmitSelfInspection takes a return. The holder speaks for its resources, an operator for the lines of its access.
func (s *Server) SubmitSelfInspection(ctx context.Context, req *ledgerv1.SubmitSelfInspectionRequest) (*ledgerv1.SubmitSelfInspectionResponse, error) {
	_, agency, party := standpoint(ctx)
	said := store.InsertDeclarationsParams{}
	for _, d := range req.GetDeclarations() {
		if slices.Contains(said.Items, d.GetItemId()) {
			return nil, errs.Field("declarations", "a return speaks of each resource once")
		}
		said.Items, said.Results, said.Words = append(said.Items, d.GetItemId()), append(said.Results, d.GetResult()), append(said.Words, d.GetText())
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.SubmitSelfInspectionResponse, error) {
		q := store.New(tx)
		c, err := q.CampaignByID(ctx, req.GetCampaignId())
		if err != nil {
			return nil, errs.NotFound(err, "no such campaign")
		}
		if c.State != campaignOpen {
			return nil, wrongState("the campaign is closed")
		}
		own, err := q.ItemsToDeclare(ctx, store.ItemsToDeclareParams{CampaignID: c.CampaignID, Items: said.Items, Party: party, AgencyID: agency})
		if err != nil {
			return nil, err
		}
		if len(own) != len(said.Items) {
			return nil, errs.NotFound(pgx.ErrNoRows, "not all of these are resources of this campaign that you hold or give access to")
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		now := s.now()
		said.ReturnID = id.String()
		who := party
		if who == "" {
			who = agency
		}
		late := now.After(c.ReturnDue)
		err = q.InsertReturn(ctx, store.InsertReturnParams{
			ReturnID: said.ReturnID, CampaignID: c.CampaignID, Party: who, Statement: req.GetStatement(), SignedBy: req.GetSignedBy(),
			Late: late, SubmittedBy: doneBy(identity.ActorOf(ctx)),
		})
		if err != nil {
			return nil, err
		}
		if err := q.InsertDeclarations(ctx, said); err != nil {
			return nil, err
		}
		err = q.SetDeclarations(ctx, store.SetDeclarationsParams{
			Items: said.Items, Results: said.Results, ReturnedAt: &now, Party: party,
		})
		return &ledgerv1.SubmitSelfInspectionResponse{ReturnId: said.ReturnID, Late: late}, err
	})
}
