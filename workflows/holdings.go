package workflows

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const (
	// nobody is the holder of a number at calls when nobody held it; the owner of complaints knows it by this name.
	nobody = "none"
	// lookUps of the ledger for one complaint at a time: each tells of all calls in its holder's time.
	lookUps = 24
	// splitGroups are as many groups as one split takes.
	splitGroups = 20
)

// holding is who held a number for a time (归属): as long as the ledger's row says, at least.
type holding struct {
	holder      string
	from, until time.Time // zero: without end
}

func (h holding) holds(call time.Time) bool {
	return (h.from.IsZero() || !call.Before(h.from)) && (h.until.IsZero() || call.Before(h.until))
}

// held finds who held a complaint's number at its calls. Where nobody did nothing is known but that very moment.
type held struct {
	ask    func(time.Time) (holding, error)
	spans  []holding
	moment map[time.Time]bool // when nobody held it
	asked  int
}

// at is who held the number at a call; ok is false when the ledger has been asked often enough.
func (h *held) at(call time.Time) (holder string, ok bool, err error) {
	if i := slices.IndexFunc(h.spans, func(s holding) bool { return s.holds(call) }); i >= 0 {
		return h.spans[i].holder, true, nil
	}
	if h.moment[call] {
		return nobody, true, nil
	}
	if h.asked >= lookUps {
		return "", false, nil
	}
	h.asked++
	found, err := h.ask(call)
	if err != nil {
		return "", false, err
	}
	if found.holder == nobody {
		h.moment[call] = true
	} else {
		h.spans = append(h.spans, found)
	}
	return found.holder, true, nil
}

// held asks the ledger about a complaint's number.
func (a *Activities) held(ctx context.Context, n *commonv1.Number, reporters string) *held {
	return &held{moment: map[time.Time]bool{}, ask: func(call time.Time) (holding, error) {
		r, err := a.resource(ctx, n, timestamppb.New(call), reporters)
		if err != nil || r.GetHolder().GetHolderId() == "" {
			return holding{holder: nobody}, err
		}
		h := holding{holder: r.GetHolder().GetHolderId()}
		if from := r.GetValidFrom(); from != nil {
			h.from = from.AsTime()
		}
		if until := r.GetValidTo(); until != nil {
			h.until = until.AsTime()
		}
		return h, nil
	}}
}

// splitByHolder splits a complaint whose calls fall into the times of different holders of its number: each holder's is a
// complaint of its own. It says whether anything was moved; then the facts are other ones. Without difference, as nearly
// always, it costs nothing for one report and a look-up or two for more.
func (a *Activities) splitByHolder(ctx context.Context, place string, f *reportingv1.GetFactsResponse) (bool, error) {
	c := f.GetComplaint()
	if !splittable(f) {
		return false, nil
	}
	h := a.held(ctx, c.GetNumber(), mostReporters(f.GetReports()))
	differ, err := h.differ(f)
	if err != nil || !differ {
		return false, err
	}
	reports := f.GetReports()
	if int(c.GetReportCount()) > len(reports) { // these are some of them only
		all, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: c.GetComplaintId(), MaxReports: maxNamed})
		if err != nil {
			return false, err
		}
		reports = all.GetReports()
	}
	req, err := h.split(c, reports)
	if err != nil || len(req.GetGroups()) == 0 {
		return false, err
	}
	if req.RequestId, err = requestOf(place+"/holders", req); err != nil {
		return false, err
	}
	resp, err := a.Reporting.SplitComplaint(ctx, req)
	if superseded(err) { // merged or re-opened in this moment: whoever drives it now will see
		return false, nil
	}
	return len(resp.GetParts()) > 0, err
}

// splittable: a forged number says nothing about its true holder, and one call has one holder.
func splittable(f *reportingv1.GetFactsResponse) bool {
	c := f.GetComplaint()
	if c.GetState() != "RECEIVED" && c.GetState() != "OPEN" || c.GetForged() || spoofed(c.GetNumber().GetKind()) {
		return false
	}
	first, last := f.GetFirstCallTime(), f.GetLastCallTime()
	return digits(c.GetNumber().GetNormal()) && first != nil && (c.GetHolderId() != "" || !first.AsTime().Equal(last.AsTime()))
}

// differ says whether the calls of a complaint have different holders, as far as a few look-ups show: its first and last
// call, and some between.
func (h *held) differ(f *reportingv1.GetFactsResponse) (bool, error) {
	const between, unheld = 6, 4 // where nobody held it, as with most mobiles, a few of them are enough
	calls := []time.Time{f.GetFirstCallTime().AsTime(), f.GetLastCallTime().AsTime()}
	step := max(len(f.GetReports())/between, 1)
	for i := 0; i < len(f.GetReports()); i += step {
		if r := f.GetReports()[i].GetReport(); ofNumber(f.GetComplaint(), r) {
			calls = append(calls, r.GetCallTime().AsTime())
		}
	}
	one := f.GetComplaint().GetHolderId() // split before: what stayed has this holder
	for i, call := range calls {
		if one == nobody && i == unheld {
			return false, nil
		}
		holder, ok, err := h.at(call)
		if err != nil {
			return false, err
		}
		one = orElse(one, holder)
		if ok && holder != one {
			return true, nil
		}
	}
	return false, nil
}

// ofNumber says whether a report is about its complaint's own number: of numbers merged into it nobody asks whose they are.
func ofNumber(c *reportingv1.Complaint, r *reportingv1.Report) bool {
	return r.GetCallTime() != nil && !r.GetWithdrawn() &&
		(r.GetNumber() == nil || r.GetNumber().GetNormal() == c.GetNumber().GetNormal())
}

// split makes groups of the reports by holder. What stays is the holder's whom the complaint was split for before, else
// the one's whom its first report was about.
func (h *held) split(c *reportingv1.Complaint, reports []*reportingv1.ReportFacts) (*reportingv1.SplitComplaintRequest, error) {
	byHolder := map[string][]*reportingv1.Report{}
	first := ""
	kept := ""
	for _, x := range reports {
		r := x.GetReport()
		if !ofNumber(c, r) {
			continue
		}
		holder, ok, err := h.at(r.GetCallTime().AsTime())
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // it stays until it is looked at again
		}
		byHolder[holder] = append(byHolder[holder], r)
		if first == "" || r.GetReportId() < first { // identifiers are in the order of filing
			first, kept = r.GetReportId(), holder
		}
	}
	if known := c.GetHolderId(); known != "" && len(byHolder[known]) > 0 {
		kept = known
	}
	req := &reportingv1.SplitComplaintRequest{
		ComplaintId: c.GetComplaintId(), KeptHolderId: kept, Reason: "来电时该号码的使用主体不同，按使用主体分别办理",
	}
	for _, holder := range slices.Sorted(keysOf(byHolder)) {
		if holder != kept {
			req.Groups = append(req.Groups, h.groups(holder, byHolder[holder])...)
		}
	}
	req.Groups = req.Groups[:min(len(req.Groups), splitGroups)]
	return req, nil
}

// groups are the reports of one holder: one group for each time that he held the number, for later reports too.
func (h *held) groups(holder string, reports []*reportingv1.Report) []*reportingv1.SplitGroup {
	var groups []*reportingv1.SplitGroup
	for _, s := range joinedSpans(h.spans, holder) {
		g := &reportingv1.SplitGroup{HolderId: holder}
		if !s.from.IsZero() {
			g.HeldFromTime = timestamppb.New(s.from)
		}
		if !s.until.IsZero() {
			g.HeldUntilTime = timestamppb.New(s.until)
		}
		for _, r := range reports {
			if s.holds(r.GetCallTime().AsTime()) {
				g.ReportIds = append(g.ReportIds, r.GetReportId())
			}
		}
		groups = append(groups, g)
	}
	if holder == nobody {
		g := &reportingv1.SplitGroup{HolderId: nobody}
		for _, r := range reports {
			g.ReportIds = append(g.ReportIds, r.GetReportId())
		}
		groups = append(groups, g)
	}
	return groups
}

// joinedSpans are a holder's times, those that touch as one: a correction or another purpose is another row of the ledger.
func joinedSpans(spans []holding, holder string) []holding {
	var own []holding
	for _, s := range spans {
		if s.holder == holder {
			own = append(own, s)
		}
	}
	slices.SortFunc(own, func(a, b holding) int { return a.from.Compare(b.from) })
	var out []holding
	for _, s := range own {
		if n := len(out); n > 0 && (out[n-1].until.IsZero() || !s.from.After(out[n-1].until)) {
			if out[n-1].until.IsZero() || s.until.IsZero() {
				out[n-1].until = time.Time{}
			} else if s.until.After(out[n-1].until) {
				out[n-1].until = s.until
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
