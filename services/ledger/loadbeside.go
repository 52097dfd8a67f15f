package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// besider judges the rows of a load that are about licences, contracts and sublets. They may rest on each other and on the
// numbers of the same file, and the rules of the single acts are asked of each: so a row is judged by entering it. For the
// report all of that is rolled back; applied, it must come out as the report said.
type besider struct {
	s         *Server
	load      store.Load
	registrar bool
	agency    string
	by        string
	since     time.Time
	holders   map[string]string // by credit code
	entered   map[string]bool   // holders with licences of the file
	rows      int64
}

// outcome gets what became of a row.
type outcome func(row store.BesideRowsRow, d difference, ids []string) error

func (s *Server) beside(ctx context.Context, q *store.Queries, l store.Load) (*besider, error) {
	a := identity.ActorOf(ctx)
	b := &besider{
		s: s, load: l, registrar: registrar(a), agency: a.GetAgencyId(), by: doneBy(a), since: sentSince(l, s.now()),
		holders: map[string]string{}, entered: map[string]bool{},
	}
	var err error
	if b.rows, err = q.CountBeside(ctx, l.LoadID); err != nil || b.rows == 0 {
		return b, err
	}
	known, err := q.LoadHolders(ctx, l.LoadID)
	for _, h := range known {
		b.holders[h.CreditCode] = h.HolderID
	}
	return b, err
}

// applyAll does what a load does, in the order in which its rows may rest on each other.
func (b *besider) applyAll(ctx context.Context, tx pgx.Tx, req *ledgerv1.ApplyLoadRequest, each outcome) error {
	q := store.New(tx)
	if err := endRows(ctx, q, b.load, req, b.by); err != nil {
		return err
	}
	if err := b.run(ctx, tx, format.AboutLicence, each); err != nil {
		return err
	}
	if err := applyRows(ctx, q, b.load, b.by); err != nil {
		return err
	}
	for _, about := range []string{format.AboutContract, format.AboutSublet} {
		if err := b.run(ctx, tx, about, each); err != nil {
			return err
		}
	}
	return nil
}

// run enters the rows of a kind, each by itself. A sublet may rest on one that stands further down in the file: those that
// are refused are tried again as long as others get in.
func (b *besider) run(ctx context.Context, tx pgx.Tx, about string, each outcome) error {
	if b.rows == 0 {
		return nil
	}
	var again []store.BesideRowsRow
	for after := int32(0); ; {
		rows, err := store.New(tx).BesideRows(ctx, store.BesideRowsParams{LoadID: b.load.LoadID, About: about, After: after, PageSize: judgedAtOnce})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		refused, err := b.tryAll(ctx, tx, rows, about != format.AboutSublet, each)
		if err != nil {
			return err
		}
		again = append(again, refused...)
		after = rows[len(rows)-1].Line
	}
	for left := -1; len(again) > 0; {
		last := len(again) == left // nothing got in
		left = len(again)
		var err error
		if again, err = b.tryAll(ctx, tx, again, last, each); err != nil {
			return err
		}
	}
	return nil
}

// tryAll enters rows and returns those that were refused, unless this is their last try.
func (b *besider) tryAll(ctx context.Context, tx pgx.Tx, rows []store.BesideRowsRow, last bool, each outcome) (refused []store.BesideRowsRow, err error) {
	for _, r := range rows {
		var said format.Row
		if err := json.Unmarshal(r.Said, &said); err != nil {
			return nil, fmt.Errorf("load row: %w", err)
		}
		d, ids, err := b.tried(ctx, tx, said)
		if err != nil {
			return nil, err
		}
		if d.fate == fateConflict && !last {
			refused = append(refused, r)
			continue
		}
		if err := each(r, d, ids); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// tried enters a row; one that is refused leaves nothing behind.
func (b *besider) tried(ctx context.Context, tx pgx.Tx, said format.Row) (d difference, ids []string, err error) {
	sub, err := tx.Begin(ctx)
	if err != nil {
		return d, nil, err
	}
	d, ids, err = b.enter(ctx, store.New(sub), said)
	if err == nil && d.fate != fateConflict {
		return d, ids, sub.Commit(ctx)
	}
	if rolled := sub.Rollback(ctx); rolled != nil {
		return d, nil, rolled
	}
	if status, ok := errs.Refusal(err); ok && status.Code() != codes.Unavailable {
		return conflict(d.changes, "%s", errs.Text(err)), nil, nil
	}
	if pg.Code(err) == "40001" { // closed in this transaction already
		return conflict(d.changes, "another row of this file changes the same: apply that first and send this one again"), nil, nil
	}
	return d, nil, err
}

func (b *besider) enter(ctx context.Context, q *store.Queries, said format.Row) (difference, []string, error) {
	switch act := said[format.Change]; act {
	case "", changeEntered, changeChanged, changeEnded:
	default:
		return conflict(nil, "%s is an act of its own and is not entered by a file (不随文件入账)", act), nil, nil
	}
	switch said[format.About] {
	case format.AboutLicence:
		return b.licence(ctx, q, said)
	case format.AboutContract:
		return b.contract(ctx, q, said)
	}
	return b.sublet(ctx, q, said)
}

// write enters the versions of a row, each by the act that it is.
func (b *besider) write(d difference, versions []version, act func(says format.Row, e entry) error) (difference, []string, error) {
	var ids []string
	for _, v := range versions {
		id, err := uuid.NewV7()
		if err != nil {
			return d, nil, err
		}
		e := entry{id: id.String(), from: v.from, to: v.to, corrects: pointer(v.replaces), by: b.by}
		if v.replaces != "" {
			e.reason = basisOf(b.load)
		}
		ids = append(ids, e.id)
		e.closed = len(ids) > 1
		if err := act(v.says, e); err != nil {
			return d, nil, err
		}
	}
	return d, ids, nil
}

// firm is the holder of a credit code, entered with the load where it is new.
func (b *besider) firm(ctx context.Context, q *store.Queries, code string) (string, error) {
	h, err := q.HolderByCreditCode(ctx, code)
	if !errors.Is(err, pgx.ErrNoRows) {
		return h.HolderID, err
	}
	id, ok := b.holders[code]
	if !ok {
		return "", errs.Field("credit_code", "names a firm that the ledger does not know, and the row has no name for it")
	}
	return id, q.EnterLoadHolder(ctx, store.EnterLoadHolderParams{LoadID: b.load.LoadID, HolderID: id, CreatedBy: b.by})
}

const registrarsOnly = "is put on record by a registrar's file (由登记机关登记)"

func (b *besider) licence(ctx context.Context, q *store.Queries, said format.Row) (difference, []string, error) {
	known, err := q.LicencesByNumber(ctx, said[format.Licence])
	if err != nil {
		return difference{}, nil, err
	}
	holder, err := b.firm(ctx, q, said[format.CreditCode])
	if err != nil {
		return difference{}, nil, err
	}
	all := make([]kept, len(known))
	for i, l := range known {
		if all[i] = licenceSays(l, said[format.CreditCode]); l.HolderID != holder {
			return conflict(nil, "the licence of this number is another firm's"), nil, nil
		}
	}
	d, versions := compareBeside(said, asked(all, said, b.load.AsOf), b.load.AsOf)
	if len(versions) > 0 && !b.registrar {
		return conflict(d.changes, "a licence "+registrarsOnly), nil, nil
	}
	b.entered[holder] = true
	return b.write(d, versions, func(says format.Row, e entry) error {
		in := licenceIn(says, holder)
		if err := rpc.Validate(in); err != nil {
			return err
		}
		_, err := enterLicence(ctx, q, in, e)
		return err
	})
}

// begins is from when a row says that what it states holds.
func (b *besider) begins(said format.Row) time.Time {
	if from, ok := said.Time(format.From); ok {
		return from
	}
	return b.load.AsOf
}

// about is the allocation that a row's numbers are of, when it says.
func (b *besider) about(ctx context.Context, q *store.Queries, said format.Row) (store.Allocation, error) {
	first, last, err := block(said[format.First], said[format.Last])
	if err != nil {
		return store.Allocation{}, err
	}
	a, err := q.AllocationHolding(ctx, store.AllocationHoldingParams{
		Scheme: said[format.Scheme], Digits: first.digits, FirstNumber: first.value, LastNumber: last.value, At: b.begins(said),
	})
	return a, errs.NotFound(err, "the numbers are not allocated then, or not as one (号码当时未分配)")
}

func (b *besider) contract(ctx context.Context, q *store.Queries, said format.Row) (difference, []string, error) {
	a, err := b.about(ctx, q, said)
	if err != nil {
		return difference{}, nil, err
	}
	if said[format.First] != digitsOf(a.Digits, a.FirstNumber) || said[format.Last] != digitsOf(a.Digits, a.LastNumber) {
		return conflict(nil, "a contract is of all numbers that are allocated together: %s to %s", digitsOf(a.Digits, a.FirstNumber), digitsOf(a.Digits, a.LastNumber)), nil, nil
	}
	operator := cmp.Or(said[format.Operator], a.AccessOperatorID)
	if !b.registrar {
		gives, err := q.HasAccess(ctx, store.HasAccessParams{ResourceID: a.ResourceID, OperatorID: operator, At: b.begins(said)})
		if err != nil {
			return difference{}, nil, err
		}
		if !branchOf(b.agency, operator) || !gives && !branchOf(b.agency, a.AccessOperatorID) {
			return conflict(nil, "an operator states its own contracts, of what it gives access to (谁接入谁负责)"), nil, nil
		}
	}
	known, err := q.ContractsKnown(ctx, store.ContractsKnownParams{ResourceID: a.ResourceID, OperatorID: operator})
	if err != nil {
		return difference{}, nil, err
	}
	all := make([]kept, len(known))
	for i, c := range known {
		all[i] = contractSays(c)
	}
	d, versions := compareBeside(said, asked(all, said, b.load.AsOf), b.load.AsOf)
	if d.fate == fateChanged && !b.registrar && (d.effect.Before(b.since) || d.ends != nil && d.ends.Before(b.since)) {
		return conflict(d.changes, "it takes effect before the file was sent; the past is corrected by a registrar (由登记机关更正)"), nil, nil
	}
	return b.write(d, versions, func(says format.Row, e entry) error {
		in := contractIn(says, a.ResourceID, operator)
		if err := rpc.Validate(in); err != nil {
			return err
		}
		_, err := enterContract(ctx, q, in, e)
		return err
	})
}

func (b *besider) sublet(ctx context.Context, q *store.Queries, said format.Row) (difference, []string, error) {
	a, err := b.about(ctx, q, said)
	if err != nil {
		return difference{}, nil, err
	}
	lessor := a.HolderID
	if code := said[format.CreditCode]; code != "" {
		if lessor, err = b.firm(ctx, q, code); err != nil {
			return difference{}, nil, err
		}
	}
	lessee, err := b.firm(ctx, q, said[format.SubCode])
	if err != nil {
		return difference{}, nil, err
	}
	first, last, err := block(said[format.First], said[format.Last])
	if err != nil {
		return difference{}, nil, err
	}
	known, err := q.SubletsKnown(ctx, store.SubletsKnownParams{
		ResourceID: a.ResourceID, LessorID: lessor, LesseeID: lessee, FirstNumber: first.value, LastNumber: last.value,
	})
	if err != nil {
		return difference{}, nil, err
	}
	all := make([]kept, len(known))
	for i, x := range known {
		all[i] = subletSays(x)
	}
	d, versions := compareBeside(said, asked(all, said, b.load.AsOf), b.load.AsOf)
	if len(versions) > 0 && !b.registrar {
		return conflict(d.changes, "a sublet is approved (电信条例 28) and "+registrarsOnly), nil, nil
	}
	return b.write(d, versions, func(says format.Row, e entry) error {
		in := subletIn(says, a.ResourceID, lessor, lessee)
		if err := rpc.Validate(in); err != nil {
			return err
		}
		_, _, err := b.s.enterSublet(ctx, q, in, e)
		return err
	})
}

// asReported refuses what comes out otherwise than the report said, and writes down what was entered.
func (b *besider) asReported(ctx context.Context, q *store.Queries) outcome {
	return func(row store.BesideRowsRow, d difference, ids []string) error {
		changes, err := changesOf(d)
		if err != nil {
			return err
		}
		if d.fate != row.Fate || stampOf(d.effect) != stampOf(row.EffectTime) || !sameChanges(changes, row.Changes) {
			return moved()
		}
		if len(ids) == 0 {
			return nil
		}
		return q.SetEntered(ctx, store.SetEnteredParams{LoadID: b.load.LoadID, Line: row.Line, Entered: ids})
	}
}

// sameChanges compares two reports of a row; the database writes JSON in its own way.
func sameChanges(now, then []byte) bool {
	var a, b []fieldChange
	if json.Unmarshal(now, &a) != nil || json.Unmarshal(then, &b) != nil {
		return false
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// changesOf are the changes of a difference as they are stored.
func changesOf(d difference) ([]byte, error) {
	if d.changes == nil {
		d.changes = []fieldChange{}
	}
	return json.Marshal(d.changes)
}
