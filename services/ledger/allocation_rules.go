package ledger

import (
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/ledger/store"
)

// Ways to operate the call centre behind a resource (经营方式).
const (
	inHouse    = "in_house"   // 自营
	outsourced = "outsourced" // 外包
)

// wholeCountry is the scope of a licence that no province bounds.
const wholeCountry = "00"

// Effects of a rule of the allocation policy.
const (
	needsLicence    = "licence"
	needsCommitment = "outbound_licence"
	needsApproval   = "approval"
	needsEvidence   = "evidence"
)

// lists says on which credit lists a firm is (不良名单, 失信名单).
type lists struct{ bad, dishonest bool }

func (l lists) on(list string) bool {
	return list == "bad" && l.bad || list == "dishonest" && l.dishonest
}

// application is what the rules of allocation look at: all facts are read before, none is asked here.
type application struct {
	numbers     *numbers // nil: they were allocated before and do not change
	creditCode  string   // of the holder
	operatorID  string
	numberKinds []string // of the first and the last number
	purpose     string
	operation   string
	province    string
	newHolder   bool // no allocation of its is live
	lists       lists
	licences    []store.Licence // in force when the allocation begins
	approved    bool            // a reasoned approval is on file
	evidenced   bool            // vetting documents are named
}

// judge holds an application against the policy of its time. The first rule that it fails is the answer, in words and with
// its article.
func judge(a application, policy []store.AllocationPolicy) error {
	if a.numbers != nil {
		if err := possible(*a.numbers, a.creditCode); err != nil {
			return err
		}
		if err := checkOperator(a.operatorID); err != nil {
			return err
		}
	}
	for _, r := range policy {
		if !concerns(r, a) {
			continue
		}
		if why := fails(r, a); why != "" {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
				"%s (%s; %s; rule %s)", why, r.Article, r.Source, r.Rule)
		}
	}
	return nil
}

// concerns says whether an application meets all conditions of a rule; an empty condition is met by everything.
func concerns(r store.AllocationPolicy, a application) bool {
	matches := func(wanted []string, is ...string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(is, func(s string) bool { return slices.Contains(wanted, s) })
	}
	return matches(r.NumberKinds, a.numberKinds...) && matches(r.Purposes, a.purpose) && matches(r.Operations, a.operation) &&
		(r.List == "" || a.lists.on(r.List)) && (!r.NewHolder || a.newHolder)
}

// fails says in words what an application lacks; empty when it has what the rule asks for.
func fails(r store.AllocationPolicy, a application) string {
	switch r.Effect {
	case needsLicence, needsCommitment:
		return unlicensed(r, a)
	case needsApproval:
		if a.approved {
			return ""
		}
	case needsEvidence:
		if a.evidenced {
			return ""
		}
	}
	return r.Words
}

// unlicensed tells no licence 无证 from one that does not reach 超范围.
func unlicensed(r store.AllocationPolicy, a application) string {
	why := "the holder has no licence of kind " + strings.Join(r.LicenceKinds, " or ") + " in force"
	for _, l := range a.licences {
		if !slices.ContainsFunc(l.Kinds, func(kind string) bool { return covers(r.LicenceKinds, kind) }) {
			continue
		}
		if !slices.Contains(l.Provinces, wholeCountry) && !slices.Contains(l.Provinces, a.province) {
			why = "the holder's licence does not cover province " + a.province
			continue
		}
		if r.Effect == needsCommitment && !l.Outbound {
			why = "the holder's licence and commitments do not cover calls out"
			continue
		}
		return ""
	}
	return r.Words + ": " + why
}

// covers says whether a kind of business, or the kind that it is a part of, is wanted: B24-1 is B24.
func covers(wanted []string, kind string) bool {
	whole, _, _ := strings.Cut(kind, "-")
	return slices.Contains(wanted, kind) || slices.Contains(wanted, whole)
}

// kindsOf are the kinds of the first and last number of an allocation.
func kindsOf(scheme, first, last string) []string {
	if n, err := canonical(scheme, first, last); err == nil { // a row of before numbers had one form
		first, last = n.first(), n.last()
	}
	return slices.Compact([]string{phone.Parse(first).GetKind(), phone.Parse(last).GetKind()})
}

// grows says whether a correction gives the holder more than the row that it replaces: then the rules of allocation hold
// for it too. What was only written down wrongly can always be put right.
func grows(old store.Allocation, d draft) bool {
	n, err := canonical(d.Scheme, d.First, d.Last)
	if err != nil {
		return true
	}
	if was, err := canonical(old.Scheme, digitsOf(old.Digits, old.FirstNumber), digitsOf(old.Digits, old.LastNumber)); err == nil {
		old.Scheme, old.Digits, old.FirstNumber, old.LastNumber = was.scheme, was.from.digits, was.from.value, was.to.value
	}
	longer := d.ValidFrom.Before(old.ValidFrom) || old.ValidTo != nil && (d.ValidTo == nil || d.ValidTo.After(*old.ValidTo))
	more := n.scheme != old.Scheme || n.from.digits != old.Digits || n.from.value < old.FirstNumber || n.to.value > old.LastNumber
	return longer || more || d.HolderID != old.HolderID || d.Province != old.AccessProvince || d.Operation != old.Operation ||
		d.Purpose != old.Purpose
}
