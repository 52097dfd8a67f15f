package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// judgedAtOnce is how many rows are in memory at a time.
const judgedAtOnce = 2000

// CompareLoad makes the difference report: which row is about which allocation, what it would change, and what speaks
// against it. What it would write is written down to the letter, so that overlaps are found as the ledger would find them
// and applying it is copying.
func (s *Server) CompareLoad(ctx context.Context, req *ledgerv1.CompareLoadRequest) (*ledgerv1.CompareLoadResponse, error) {
	if err := store.New(s.db).AnalyzeLoads(ctx); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.CompareLoadResponse, error) {
		q := store.New(tx)
		l, err := lockLoad(ctx, q, req.GetLoadId(), loadOpen, loadCompared)
		if err != nil {
			return nil, err
		}
		if err := startOver(ctx, q, l); err != nil {
			return nil, err
		}
		j := &judging{
			s: s, q: q, load: l, registrar: registrar(identity.ActorOf(ctx)), agency: identity.ActorOf(ctx).GetAgencyId(),
			since: sentSince(l, s.now()), holders: map[string]string{}, names: map[string]string{}, firms: map[string]*applicant{},
		}
		if err := j.compareAll(ctx, tx); err != nil {
			return nil, err
		}
		if err := s.setCompared(ctx, q, l); err != nil {
			return nil, err
		}
		if l, err = q.LoadByID(ctx, store.LoadByIDParams{LoadID: l.LoadID, SeesAll: true}); err != nil {
			return nil, err
		}
		p, err := loadProto(ctx, q, l)
		return &ledgerv1.CompareLoadResponse{Load: p}, err
	})
}

// startOver forgets an earlier report and finds out which row is about which allocation.
func startOver(ctx context.Context, q *store.Queries, l store.Load) error {
	for _, step := range []func(context.Context, string) error{
		q.ClearLoadPieces, q.ClearLoadMissing, q.ClearLoadFirms, q.ClearLoadHolders, q.ResetLoadRows, q.MatchByBeginning,
		func(ctx context.Context, id string) error {
			return q.MatchByTime(ctx, store.MatchByTimeParams{LoadID: id, AsOf: l.AsOf})
		},
		func(ctx context.Context, id string) error {
			return q.MatchByFile(ctx, store.MatchByFileParams{LoadID: id, AsOf: l.AsOf})
		},
	} {
		if err := step(ctx, l.LoadID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) setCompared(ctx context.Context, q *store.Queries, l store.Load) error {
	if _, err := q.FindMissing(ctx, l.LoadID); err != nil {
		return err
	}
	rows, err := q.CountLedgerRows(ctx, l.AccessOperatorID)
	if err != nil {
		return err
	}
	return q.SetCompared(ctx, store.SetComparedParams{LoadID: l.LoadID, Version: uuid.NewString(), LedgerRows: rows})
}

// judging is one comparison with what it has asked so far.
type judging struct {
	s         *Server
	q         *store.Queries
	load      store.Load
	registrar bool
	agency    string
	since     time.Time // what an operator's file says holds from then at the earliest
	policy    []store.AllocationPolicy
	purposes  []store.Purpose
	brought   map[string][]store.Licence // by holder: as they are with what the file says of them
	holders   map[string]string          // by credit code
	names     map[string]string          // of holders without one
	firms     map[string]*applicant      // by holder
}

// applicant is what the rules look at of a holder.
type applicant struct {
	code     string // credit code
	lists    *lists
	licences []store.Licence
	live     bool  // or vetted with an earlier row of the file
	vetted   int32 // that row
}

// settle judges the rows until what stands stands by itself. A row may rest on an earlier one of its firm that was vetted: when
// that falls out, the firm's rows are judged again without it.
func (j *judging) settle(ctx context.Context) error {
	var err error
	if j.policy, err = j.q.ListPolicy(ctx, j.s.now()); err != nil {
		return err
	}
	if j.purposes, err = j.q.ListPurposes(ctx); err != nil {
		return err
	}
	for {
		if err := j.judgeAll(ctx); err != nil {
			return err
		}
		refused, err := j.overlaps(ctx)
		if err != nil {
			return err
		}
		again := j.unvetted(refused)
		if len(again) == 0 {
			return j.writeFirms(ctx)
		}
		if _, err := j.q.RestageRows(ctx, store.RestageRowsParams{LoadID: j.load.LoadID, HolderIds: again}); err != nil {
			return err
		}
		if err := j.q.DropStagedPieces(ctx, j.load.LoadID); err != nil {
			return err
		}
	}
}

// unvetted are the firms that were vetted with a row that was refused.
func (j *judging) unvetted(refused map[int32]bool) []string {
	var out []string
	for holder, f := range j.firms {
		if f.live && refused[f.vetted] {
			f.live, f.vetted = false, 0
			out = append(out, holder)
		}
	}
	return out
}

func (j *judging) judgeAll(ctx context.Context) error {
	for after := int32(0); ; {
		rows, err := j.q.LoadRowsToJudge(ctx, store.LoadRowsToJudgeParams{LoadID: j.load.LoadID, After: after, PageSize: judgedAtOnce})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := j.page(ctx, rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].Line
	}
}

// page judges some rows and writes down what it found.
func (j *judging) page(ctx context.Context, rows []store.LoadRowsToJudgeRow) error {
	said := make([]format.Row, len(rows))
	var ids []string
	for i, r := range rows {
		if err := json.Unmarshal(r.Said, &said[i]); err != nil {
			return fmt.Errorf("load row: %w", err)
		}
		if r.AllocationID != nil {
			ids = append(ids, *r.AllocationID)
		}
	}
	held, err := j.held(ctx, ids)
	if err != nil {
		return err
	}
	if err := j.findHolders(ctx, said); err != nil {
		return err
	}
	out := store.JudgeRowsParams{LoadID: j.load.LoadID}
	var pieces []store.InsertLoadPiecesParams
	for i, r := range rows {
		var is *heldRow
		if r.AllocationID != nil {
			is = held[*r.AllocationID]
		}
		d, err := j.judge(ctx, r.Line, said[i], is)
		if err != nil {
			return err
		}
		if err := judged(&out, r.Line, d); err != nil {
			return err
		}
		written, err := j.pieces(r.Line, d, is)
		if err != nil {
			return err
		}
		pieces = append(pieces, written...)
	}
	if err := j.q.JudgeRows(ctx, out); err != nil {
		return err
	}
	_, err = j.q.InsertLoadPieces(ctx, pieces)
	return err
}

func (j *judging) held(ctx context.Context, ids []string) (map[string]*heldRow, error) {
	rows, err := j.q.AllocationsToJudge(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*heldRow, len(rows))
	for _, r := range rows {
		out[r.Allocation.AllocationID] = &heldRow{Allocation: r.Allocation, holder: r.Holder, principal: r.PrincipalCode, state: r.State}
	}
	return out, nil
}

// judge says what becomes of a row.
func (j *judging) judge(ctx context.Context, line int32, said format.Row, is *heldRow) (difference, error) {
	if !j.registrar {
		switch {
		case said[format.Operator] != "" && !branchOf(j.agency, said[format.Operator]):
			return conflict(nil, "an operator loads what it gives access to itself (谁接入谁负责)"), nil
		case is != nil && !branchOf(j.agency, is.AccessOperatorID):
			return conflict(nil, "these numbers have their access through another operator"), nil
		}
		said = unapprovedRow(said)
	}
	by := parties{holder: j.holderOf(said), principal: j.holders[said[format.Principal]]}
	if said[format.Principal] != "" && by.principal == "" {
		return conflict(nil, "the principal has no entry in the ledger and the row no name for it (委托方名称)"), nil
	}
	if said[format.Principal] == "" && is != nil && is.PrincipalHolderID != nil {
		by.principal = *is.PrincipalHolderID
	}
	d := compareRow(said, is, by, j.load.AsOf, j.registrar)
	if why := beyondOperators(d, j.since); why != "" && !j.registrar {
		return conflict(d.changes, "%s", why), nil
	}
	for i := range d.pieces {
		why, err := j.refuses(ctx, line, d, d.pieces[i].Allocation)
		if err != nil {
			return d, err
		}
		if why != "" {
			if f := j.firms[d.pieces[i].HolderID]; f != nil && f.vetted == line {
				f.live, f.vetted = false, 0
			}
			return conflict(d.changes, "%s", why), nil
		}
	}
	return d, nil
}

// refuses says what the rules of allocation have against a row that would be written, as AllocateResource would say it.
func (j *judging) refuses(ctx context.Context, line int32, d difference, a store.Allocation) (string, error) {
	first, last := digitsOf(a.Digits, a.FirstNumber), digitsOf(a.Digits, a.LastNumber)
	purpose := slices.IndexFunc(j.purposes, func(p store.Purpose) bool { return p.Purpose == a.Purpose })
	switch {
	case purpose < 0:
		return "the ledger knows no purpose of that name", nil
	case !slices.Contains([]string{"", inHouse, outsourced}, a.Operation):
		return "a call centre is run in_house or outsourced", nil
	}
	form := draft{Operation: a.Operation, HolderID: a.HolderID, ApprovalDocument: a.ApprovalDocument, ApprovalReason: a.ApprovalReason}
	if a.PrincipalHolderID != nil {
		form.PrincipalID = *a.PrincipalHolderID
	}
	if err := checkApproval(form); err != nil {
		return errs.Text(err), nil
	}
	if err := checkCallers(a.PermittedCallers); err != nil {
		return errs.Text(err), nil
	}
	if !d.grows {
		return "", nil
	}
	if j.registrar && !administers(j.agency, a.AccessProvince) {
		return "the access is in another province: its administration allocates there (电信条例 3)", nil
	}
	f, err := j.firmOf(ctx, a.HolderID)
	if err != nil {
		return "", err
	}
	n, err := canonical(a.Scheme, first, last)
	if err != nil {
		return errs.Text(err), nil
	}
	kinds := kindsOf(n.scheme, n.first(), n.last())
	if f.code == "" && (j.purposes[purpose].Markets || slices.ContainsFunc(kinds, named)) {
		return "the holder of such a number, or of a line for calls out, has a credit code: without one no credit list can be asked (统一社会信用代码)", nil
	}
	err = judge(application{
		numbers: &n, creditCode: f.code, operatorID: a.AccessOperatorID,
		numberKinds: kinds, purpose: a.Purpose, operation: a.Operation, province: a.AccessProvince,
		newHolder: !f.live, lists: *f.lists, licences: f.licencesAt(a.ValidFrom), approved: a.ApprovalDocument != "",
		evidenced: len(a.Evidence) > 0,
	}, j.policy)
	if err == nil {
		if !f.live {
			f.live, f.vetted = true, line
		}
		return "", nil
	}
	return errs.Text(err), nil
}

func (f *applicant) licencesAt(at time.Time) []store.Licence {
	var in []store.Licence
	for _, l := range f.licences {
		if !l.ValidFrom.After(at) && (l.ValidTo == nil || l.ValidTo.After(at)) {
			in = append(in, l)
		}
	}
	return in
}

// pieces are the rows that a difference would write, under identifiers of their own.
func (j *judging) pieces(line int32, d difference, is *heldRow) ([]store.InsertLoadPiecesParams, error) {
	if d.fate == fateConflict {
		return nil, nil
	}
	out := make([]store.InsertLoadPiecesParams, len(d.pieces))
	for i, p := range d.pieces {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		row := store.InsertLoadPiecesParams{
			LoadID: j.load.LoadID, Line: line, AllocationID: id.String(), ResourceID: p.ResourceID, Begins: p.begins, HolderID: p.HolderID,
			Scheme: p.Scheme, Digits: p.Digits, FirstNumber: p.FirstNumber, LastNumber: p.LastNumber, AccessProvince: p.AccessProvince,
			Purpose: p.Purpose, PermittedCallers: list(p.PermittedCallers), AccessOperatorID: p.AccessOperatorID, Basis: p.Basis,
			ValidFrom: p.ValidFrom, ValidTo: p.ValidTo, Operation: p.Operation, PrincipalHolderID: p.PrincipalHolderID,
			ApprovalDocument: p.ApprovalDocument, ApprovalReason: p.ApprovalReason, Evidence: list(p.Evidence),
		}
		if p.begins {
			resource, err := uuid.NewV7()
			if err != nil {
				return nil, err
			}
			row.ResourceID = resource.String()
		} else {
			row.Corrects, row.Reason = &is.AllocationID, "台账文件 "+j.load.FileName
		}
		out[i] = row
	}
	return out, nil
}

// judged adds a row to the statement that writes down what was found.
func judged(out *store.JudgeRowsParams, line int32, d difference) error {
	changes, err := changesOf(d)
	if err != nil {
		return err
	}
	out.Lines, out.Fates, out.Reasons = append(out.Lines, line), append(out.Fates, d.fate), append(out.Reasons, d.reason)
	out.Changes, out.Effects, out.Ends = append(out.Changes, string(changes)), append(out.Effects, stampOf(d.effect)), append(out.Ends, stampOf(d.ends))
	return nil
}

// overlaps finds rows that cannot stand beside what is held or beside an earlier row. What is refused writes nothing, so
// what it would have replaced goes on: it is looked again until nothing more is found.
func (j *judging) overlaps(ctx context.Context) (map[int32]bool, error) {
	all := map[int32]bool{}
	for {
		rows, err := j.q.PiecesInConflict(ctx, j.load.LoadID)
		if err != nil || len(rows) == 0 {
			return all, err
		}
		refused := store.RefuseRowsParams{LoadID: j.load.LoadID}
		for _, r := range rows {
			all[r.Line] = true
			by := fmt.Sprintf("the ledger has %s to %s since %s", digitsOf(r.Digits, r.FirstNumber), digitsOf(r.Digits, r.LastNumber),
				r.ValidFrom.In(shanghai).Format(time.DateOnly))
			if r.OtherLine > 0 {
				by = fmt.Sprintf("line %d has %s to %s", r.OtherLine, digitsOf(r.Digits, r.FirstNumber), digitsOf(r.Digits, r.LastNumber))
			}
			refused.Lines = append(refused.Lines, r.Line)
			refused.Reasons = append(refused.Reasons, "overlaps what holds at the same time (号码重叠): "+by)
		}
		if err := j.q.RefuseRows(ctx, refused); err != nil {
			return all, err
		}
		if err := j.q.DropPieces(ctx, store.DropPiecesParams{LoadID: j.load.LoadID, Lines: refused.Lines}); err != nil {
			return all, err
		}
	}
}
