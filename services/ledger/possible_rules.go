package ledger

import (
	"regexp"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
)

// allocatable are the kinds of numbers that the numbering plan (电信网编号计划) gives to a user or a service.
var allocatable = []string{
	phone.Mobile, phone.Landline, phone.Code400, phone.Code800, phone.Code1010, phone.Code95Enterprise, phone.Code95CallCentre,
	phone.Code95Public, phone.Code96, phone.Carrier, phone.Public, phone.SMS,
}

// ofPublicBodies are the kinds that are for public services only (社会公共服务).
var ofPublicBodies = []string{phone.Public, phone.Code95Public}

// operatorForm is how the directory names who gives access: a basic operator or its branch in a province, or a resale
// operator (移动转售). Which of them there are, the directory's owner knows.
var operatorForm = regexp.MustCompile(`^(?:(?:cmcc|ctcc|cucc|cbn)(?:-([0-9]{2}))?|mvno-[a-z0-9]{1,40}(?:-([0-9]{2}))?)$`)

func checkOperator(id string) error {
	m := operatorForm.FindStringSubmatch(id)
	if m == nil || m[1] != "" && phone.ProvinceName(m[1]) == "" || m[2] != "" && phone.ProvinceName(m[2]) == "" {
		return errs.Field("access_operator_id", "must be an operator that gives access, such as cmcc or its branch cmcc-31: "+
			"cmcc, ctcc, cucc, cbn or mvno-*, and a province's GB/T 2260 code")
	}
	return nil
}

// checkCallers sees that permitted callers are numbers that a call can show.
func checkCallers(callers []string) error {
	for _, c := range callers {
		n := phone.Parse(c)
		if local(c) {
			continue // of the line's own area
		}
		if !caller.MatchString(c) || !phone.Usable(n) || phone.Forged(n.GetKind()) || n.GetKind() == phone.Foreign {
			return errs.Field("permitted_callers", "must be numbers of the numbering plan, of 3 to %d digits (允许传送的主叫号码)", maxDigits)
		}
	}
	return nil
}

// possible holds numbers against the numbering plan: what nobody can be given, no policy has to refuse.
func possible(n numbers, creditCode string) error {
	kinds, wide := kindsBetween(n)
	if wide {
		return errs.Field("last_number", "the block is too wide to be one allocation")
	}
	for _, kind := range kinds {
		if !slices.Contains(allocatable, kind) {
			return errs.Field("first_number", "the numbering plan has no such number to give: %s (电信网编号计划)", whyNot(n))
		}
	}
	if len(kinds) > 1 {
		return errs.Field("last_number", "a block is of one kind, this one has numbers of %s", strings.Join(kinds, " and "))
	}
	if slices.Contains(ofPublicBodies, kinds[0]) && !strings.HasPrefix(creditCode, "1") {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the number is one of public services, which a public body holds: its credit code begins with 1 (电信网编号计划; GB 32100 登记管理部门代码 1 机构编制)")
	}
	return nil
}

// whyNot is what the plan says of the end of a block that it does not have.
func whyNot(n numbers) string {
	for _, number := range []string{n.first(), n.last()} {
		if p := phone.Parse(number); p.GetReason() != "" {
			return p.GetReason()
		}
	}
	return "不符合编号计划"
}

// widest is over how many groups of numbers with the same first five digits a block may reach: a hundred mobile segments.
const widest = 1000

// kindsBetween are the kinds of numbers in a block. The plan tells kinds by the first five digits at most, so it is asked
// once for each five; the first and the last alone would let a block reach over codes of another kind.
func kindsBetween(n numbers) (kinds []string, wide bool) {
	step := int64(1)
	for range max(int(n.from.digits)-5, 0) {
		step *= 10
	}
	if n.to.value/step-n.from.value/step > widest {
		return nil, true
	}
	for v := n.from.value; v <= n.to.value; v = (v/step + 1) * step {
		last := min(n.to.value, (v/step+1)*step-1)
		for _, number := range []int64{v, last} {
			if kind := phone.Parse(digitsOf(n.from.digits, number)).GetKind(); !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds, false
}
