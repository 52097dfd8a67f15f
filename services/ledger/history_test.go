package ledger

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// acted is what is known after one act: the time by the database's clock, and the model as it was.
type acted struct {
	what  string
	known time.Time
	is    model
}

// machine does to the ledger what it does to the model.
type machine struct {
	t       *rapid.T
	w       *world
	clock   *atomic.Int64 // of the server, always after the valid times that are drawn
	base    int64         // each run has numbers of its own
	holders []string
	is      model
	log     []acted
	done    map[string]int // acts, over all runs
}

// TestHistoryEqualsItsReplay does random acts through the service and then asks as of random times, valid and known:
// nothing ever overlaps, nothing is lost, and every answer is what the model said at that time.
func TestHistoryEqualsItsReplay(t *testing.T) {
	clock := &atomic.Int64{}
	clock.Store(day(40).UnixMicro())
	w := newWorldAt(t, func() time.Time { return time.UnixMicro(clock.Load()) })
	var holders []string
	for _, name := range []string{"甲", "乙", "丙", "丁"} {
		holders = append(holders, w.holder(t, name, "").GetHolderId())
	}
	var bases atomic.Int64
	done := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: rt, w: w, clock: clock, base: 4008000000 + bases.Add(1)*1000, holders: holders, done: done}
		m.put("begin")
		acts := []func(){m.allocate, m.allocate, m.correct, m.end, m.changePurpose, m.sublet, m.sublet, m.endSublet, m.access, m.suspend}
		for range rapid.IntRange(6, 24).Draw(rt, "acts") {
			acts[rapid.IntRange(0, len(acts)-1).Draw(rt, "act")]()
		}
		for range 20 {
			m.ask()
		}
	})
	t.Logf("done: %v", done)
	q := store.New(w.db)
	overlaps, err := q.AuditOverlaps(t.Context(), store.AuditOverlapsParams{After: firstID, PageSize: 10})
	if err != nil || len(overlaps) > 0 {
		t.Errorf("overlaps: %v, %v", overlaps, err)
	}
	resp, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(resp.GetViolations()) > 0 {
		t.Errorf("violations: %v, %v", resp.GetViolations(), err)
	}
}

// put puts the model of now away with the time.
func (m *machine) put(what string) {
	var now time.Time
	if err := m.w.db.QueryRow(context.Background(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		m.t.Fatal(err)
	}
	m.log = append(m.log, acted{what, now, m.is.copy()})
	m.done[what]++
	m.clock.Add(int64(time.Minute / time.Microsecond))
}

func (m *machine) now() time.Time { return time.UnixMicro(m.clock.Load()).UTC() }

// took says whether an act was done; it may be refused for the reasons given only.
func (m *machine) took(err error, what string, reasons ...commonv1.ErrorReason) bool {
	if err != nil && !slices.Contains(reasons, errs.Reason(err)) {
		m.t.Fatalf("%s: %v", what, err)
	}
	return err == nil
}

const (
	overlapsOther = commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS
	wrongNow      = commonv1.ErrorReason_ERROR_REASON_WRONG_STATE
	invalid       = commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD
	missing       = commonv1.ErrorReason_ERROR_REASON_NOT_FOUND
	already       = commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS
)

func (m *machine) span() (time.Time, *time.Time) {
	from := rapid.IntRange(0, 20).Draw(m.t, "from")
	if rapid.Bool().Draw(m.t, "open") {
		return day(from), nil
	}
	to := day(from + rapid.IntRange(1, 10).Draw(m.t, "days"))
	return day(from), &to
}

// inside is a span that mostly lies inside another.
func (m *machine) inside(from time.Time, to *time.Time) (time.Time, *time.Time) {
	from = from.AddDate(0, 0, rapid.IntRange(0, 3).Draw(m.t, "later"))
	if rapid.Bool().Draw(m.t, "as long") {
		return from, to
	}
	end := from.AddDate(0, 0, rapid.IntRange(1, 5).Draw(m.t, "days"))
	return from, &end
}

func (m *machine) draw() modelAllocation {
	first := m.base + rapid.Int64Range(0, 10).Draw(m.t, "first")
	from, to := m.span()
	return modelAllocation{
		holder: rapid.SampledFrom(m.holders).Draw(m.t, "holder"), purpose: "customer_service",
		callers: rapid.SampledFrom([]string{"", "4008000000", "4008000001 4008000002"}).Draw(m.t, "callers"),
		first:   first, last: first + rapid.Int64Range(0, 3).Draw(m.t, "size"), from: from, to: to,
	}
}

func (m *machine) allocate() {
	a := m.draw()
	resp, err := m.w.registrar.AllocateResource(context.Background(), &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), HolderId: a.holder, Scheme: National, FirstNumber: fmt.Sprint(a.first), LastNumber: fmt.Sprint(a.last),
		AccessProvince: "11", Purpose: a.purpose, PermittedCallers: strings.Fields(a.callers), AccessOperatorId: "cmcc-11",
		ValidFrom: timestamppb.New(a.from), ValidTo: timeProto(a.to), Evidence: []string{"material"},
	})
	took := m.took(err, "allocate", overlapsOther)
	if took == m.is.meets(a, -1) {
		m.t.Fatalf("took %v: %+v", took, a)
	}
	if took {
		a.resource = resp.GetResource().GetResourceId()
		m.is.allocations = append(m.is.allocations, a)
		m.is.events = append(m.is.events, modelEvent{a.resource, stateActive, a.from})
		m.put("allocate")
	}
}

// one draws an allocation of now.
func (m *machine) one() (int, modelAllocation, bool) {
	if len(m.is.allocations) == 0 {
		return 0, modelAllocation{}, false
	}
	i := rapid.IntRange(0, len(m.is.allocations)-1).Draw(m.t, "which")
	return i, m.is.allocations[i], true
}

func (m *machine) held(number int64, at time.Time, known *time.Time) (*ledgerv1.WhoHeldResponse, error) {
	return m.w.worker.WhoHeld(context.Background(), &ledgerv1.WhoHeldRequest{
		Number: fmt.Sprint(number), At: timestamppb.New(at), KnownAt: timeProto(known),
	})
}

func (m *machine) correct() {
	i, old, ok := m.one()
	if !ok {
		return
	}
	row, err := m.held(old.first, old.from, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	a := m.draw()
	a.resource, a.purpose = old.resource, old.purpose
	_, err = m.w.registrar.CorrectAllocation(context.Background(), &ledgerv1.CorrectAllocationRequest{
		RequestId: uuid.NewString(), AllocationId: row.GetResource().GetAllocationId(), Reason: "a slip of the pen", HolderId: a.holder,
		FirstNumber: fmt.Sprint(a.first), LastNumber: fmt.Sprint(a.last), PermittedCallers: strings.Fields(a.callers),
		NoPermittedCallers: a.callers == "", ValidFrom: timestamppb.New(a.from), ValidTo: timeProto(a.to), NoEnd: a.to == nil,
		Evidence: []string{"material"},
	})
	took := m.took(err, "correct", overlapsOther, wrongNow) // not longer than what has ended
	if took && m.is.meets(a, i) {
		m.t.Fatalf("took what overlaps: %+v", a)
	}
	if took {
		m.is.allocations[i] = a
		m.is.loosen(a.resource)
		m.put("correct")
	}
}

func (m *machine) end() {
	_, a, ok := m.one()
	if !ok {
		return
	}
	at := day(rapid.IntRange(0, 30).Draw(m.t, "end"))
	_, err := m.w.registrar.EndAllocation(context.Background(), &ledgerv1.EndAllocationRequest{
		RequestId: uuid.NewString(), ResourceId: a.resource, EndTime: timestamppb.New(at), Reason: "given back",
	})
	if m.took(err, "end", wrongNow, invalid) {
		m.is.end(a.resource, at)
		m.is.events = append(m.is.events, modelEvent{a.resource, stateEnded, at})
		m.put("end")
	}
}

func (m *machine) changePurpose() {
	_, a, ok := m.one()
	if !ok {
		return
	}
	at, purpose := day(rapid.IntRange(0, 30).Draw(m.t, "change")), rapid.SampledFrom([]string{"inbound", "verification"}).Draw(m.t, "purpose")
	_, err := m.w.registrar.ChangePurpose(context.Background(), &ledgerv1.ChangePurposeRequest{
		RequestId: uuid.NewString(), ResourceId: a.resource, Purpose: purpose, DecisionDocument: "decision 1", Reason: "asked for",
		EffectTime: timestamppb.New(at),
	})
	if m.took(err, "change purpose", wrongNow) {
		m.is.changePurpose(a.resource, at, purpose)
		m.put("change purpose")
	}
}

func (m *machine) sublet() {
	_, a, ok := m.one()
	if !ok {
		return
	}
	x := modelSublet{
		resource: a.resource, lessor: a.holder, lessee: rapid.SampledFrom(m.holders).Draw(m.t, "lessee"),
	}
	if rapid.Bool().Draw(m.t, "let on") {
		x.lessor = rapid.SampledFrom(m.holders).Draw(m.t, "lessor")
	}
	x.from, x.to = m.inside(a.from, a.to)
	resp, err := m.w.registrar.DeclareSublet(context.Background(), &ledgerv1.DeclareSubletRequest{
		RequestId: uuid.NewString(), Sublet: &ledgerv1.Sublet{
			ResourceId: x.resource, LessorId: x.lessor, Lessee: &ledgerv1.Holder{HolderId: x.lessee}, Purpose: "customer_service",
			Document: "approval 1", ValidFrom: timestamppb.New(x.from), ValidTo: timeProto(x.to),
		},
	})
	if m.took(err, "sublet", invalid, missing, already) {
		x.first, _ = strconv.ParseInt(resp.GetSublet().GetFirstNumber(), 10, 64)
		x.last, _ = strconv.ParseInt(resp.GetSublet().GetLastNumber(), 10, 64)
		m.is.sublets = append(m.is.sublets, x)
		m.put("sublet")
	}
}

func (m *machine) endSublet() {
	if len(m.is.sublets) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.is.sublets)-1).Draw(m.t, "which sublet")
	x := m.is.sublets[i]
	to := x.from.AddDate(0, 0, rapid.IntRange(1, 10).Draw(m.t, "days"))
	id := m.subletOf(x)
	x.to = &to
	_, err := m.w.registrar.DeclareSublet(context.Background(), &ledgerv1.DeclareSubletRequest{
		RequestId: uuid.NewString(), Corrects: id, Reason: "it ended", Sublet: &ledgerv1.Sublet{
			FirstNumber: fmt.Sprint(x.first), LastNumber: fmt.Sprint(x.last), ResourceId: x.resource, LessorId: x.lessor, Lessee: &ledgerv1.Holder{HolderId: x.lessee}, Purpose: "customer_service",
			Document: "approval 1", ValidFrom: timestamppb.New(x.from), ValidTo: timeProto(x.to),
		},
	})
	if m.took(err, "end sublet", invalid, missing, already, wrongNow) {
		m.is.sublets[i] = x
		m.put("end sublet")
	}
}

// subletOf is what the ledger calls a sublet, which gets another name with every cut.
func (m *machine) subletOf(x modelSublet) string {
	got, err := m.held(x.first, x.from, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, s := range got.GetSublets() {
		if s.GetLessorId() == x.lessor && s.GetLessee().GetHolderId() == x.lessee {
			return s.GetSubletId()
		}
	}
	m.t.Fatalf("the ledger has no sublet %+v", x)
	return ""
}

func (m *machine) access() {
	_, a, ok := m.one()
	if !ok {
		return
	}
	x := modelAccess{resource: a.resource, province: rapid.SampledFrom([]string{"31", "44"}).Draw(m.t, "place"), operator: "ctcc"}
	x.from, x.to = m.inside(a.from, a.to)
	_, err := m.w.registrar.RecordAccess(context.Background(), &ledgerv1.RecordAccessRequest{
		RequestId: uuid.NewString(), Access: &ledgerv1.Access{
			ResourceId: x.resource, Province: x.province, OperatorId: x.operator, ValidFrom: timestamppb.New(x.from), ValidTo: timeProto(x.to),
		},
	})
	if m.took(err, "access", missing, already, invalid) {
		if x.to == nil { // as long as the resource is allocated
			x.to = m.is.until(x.resource, x.from)
		}
		m.is.accesses = append(m.is.accesses, x)
		m.put("access")
	}
}

func (m *machine) suspend() {
	_, a, ok := m.one()
	if !ok {
		return
	}
	at := m.now()
	_, err := m.w.workflows.SuspendResource(context.Background(), &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: a.resource, ReasonCode: "harassment", Basis: "电信条例 28",
		Nature: "administrative_order", PriorNotice: "given", Remedy: "reconsideration", TaskId: uuid.NewString(),
	})
	if m.took(err, "suspend", wrongNow) {
		m.is.events = append(m.is.events, modelEvent{a.resource, stateSuspended, at})
		m.put("suspend")
	}
}

// ask compares an answer with the model that was put away. It asks near what ever was there.
func (m *machine) ask() {
	then := rapid.SampledFrom(m.log).Draw(m.t, "known")
	number, at := m.base+rapid.Int64Range(0, 16).Draw(m.t, "number"), day(rapid.IntRange(-1, 32).Draw(m.t, "at"))
	if all := then.is.allocations; len(all) > 0 && rapid.IntRange(0, 4).Draw(m.t, "near") > 0 {
		a := rapid.SampledFrom(all).Draw(m.t, "allocation")
		number = rapid.Int64Range(a.first-1, a.last+1).Draw(m.t, "its number")
		at = rapid.SampledFrom([]time.Time{a.from, a.from.AddDate(0, 0, 1), a.from.AddDate(0, 0, 4), m.now().AddDate(1, 0, 0)}).Draw(m.t, "its time")
	}
	var known *time.Time
	if then.known != m.log[len(m.log)-1].known || rapid.Bool().Draw(m.t, "as of the last") {
		known = &then.known
	}
	got, err := m.held(number, at, known)
	m.took(err, "who held", missing)
	want := then.is.answer(number, at)
	if want != "" && !strings.HasSuffix(want, " let ") {
		m.done["answers with a chain"]++
	} else if want != "" {
		m.done["answers"]++
	}
	if inWords(got) != want {
		m.t.Fatalf("%d at %s, known after %q:\n the ledger %q\n the model  %q", number, stamp(&at), then.what, inWords(got), want)
	}
}

// inWords is an answer in the words of the model.
func inWords(h *ledgerv1.WhoHeldResponse) string {
	r := h.GetResource()
	if r == nil {
		return ""
	}
	var through, let []string
	for _, x := range h.GetAccesses()[1:] {
		through = append(through, x.GetProvince()+x.GetOperatorId())
	}
	for _, x := range h.GetSublets() {
		let = append(let, x.GetLessee().GetHolderId())
	}
	slices.Sort(through)
	from := r.GetValidFrom().AsTime()
	return fmt.Sprintf("%s %s %s [%s] %s-%s %s via %s let %s", r.GetResourceId(), r.GetHolder().GetHolderId(), r.GetPurpose(),
		strings.Join(r.GetPermittedCallers(), " "), stamp(&from), stamp(timeOf(r.GetValidTo())), r.GetState(),
		strings.Join(through, ","), strings.Join(let, ">"))
}
