package phone

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
)

// How digits are grouped tells where a number ends: an extension, a remark or the number itself once more stands behind it.

// from is the run without its first digits.
func (r run) from(start int) run { return run{digits: r.digits[start:]}.within(r, start) }

// between is a part of the run.
func (r run) between(start, end int) run {
	return run{plus: r.plus && start == 0, digits: r.digits[start:end]}.within(r, start)
}

// within takes over how the whole is grouped.
func (r run) within(whole run, start int) run {
	for i, end := range whole.groups {
		if at := end - start; at > 0 && at <= len(r.digits) {
			r.groups, r.marked = append(r.groups, at), append(r.marked, whole.marked[i])
		}
	}
	return r
}

// endsAt says whether a group ends behind so many digits.
func (r run) endsAt(n int) bool { return slices.Contains(r.groups, n) }

// splitsAtArea says whether the digits may be a landline without its trunk 0: they stand together, or their first group is
// the area code. 95588 95533 is no number of Ningxia.
func (r run) splitsAtArea() bool {
	return len(r.groups) < 2 || r.groups[0] == areaLength("0"+r.digits)-1
}

// beijing reads 10-62671188-8001, which begins like an SMS port: a group of its own and eight digits.
func beijing(n *commonv1.Number, r run) bool {
	const length = 10
	return len(r.groups) > 1 && strings.HasPrefix(r.digits, "10") && (r.groups[0] == 2 || r.groups[0] == length) && r.endsAt(length) &&
		(r.groups[0] == 2 || len(r.digits) > length) && landline(n, "0"+r.digits[:length])
}

// grouped reads the number in a run: all of it, unless a code stands complete at its front, else a part of it.
func grouped(n *commonv1.Number, r run, loose bool) (why string) {
	if leading(n, r) {
		return ""
	}
	why = read(n, r, loose)
	guess := n.GetKind() == Foreign && n.GetReason() != ""
	if len(r.groups) < 2 || why == "" && !guess || iot(strings.TrimPrefix(strings.TrimPrefix(r.digits, "00"), "86")) {
		return why
	}
	if guess { // a code of a few digits with 00 before it fits some country or other
		got := &commonv1.Number{Displayed: n.GetDisplayed()}
		if part(got, r) && Forged(got.GetKind()) {
			n.Reset()
			proto.Merge(n, got)
		}
		return ""
	}
	if part(n, r) {
		return ""
	}
	return read(n, run{plus: r.plus, digits: r.digits}, loose)
}

// leading reads a code that stands unbroken at the front, when what follows is no part of it: 10086（2）, 95013-1,
// 10086 10086. Digits of one code may stand apart, 950 1234: then its first group is no code.
func leading(n *commonv1.Number, r run) bool {
	for k := range min(len(r.groups)-1, 4) {
		code := r.codeAt(k)
		if code == "" {
			continue
		}
		end := r.groups[k]
		head, rest := &commonv1.Number{}, r.digits[end:]
		if r.chosen() || r.abroad() || read(head, r.between(0, end), false) != "" || !isCode(head.GetKind()) {
			return false
		}
		next := r.digits[end:r.groups[k+1]]
		again := &commonv1.Number{}
		switch {
		case !Forged(head.GetKind()) && len(rest) <= maxDigits && read(again, run{digits: rest}, false) == "" && Forged(again.GetKind()) &&
			shows(again, code):
			head = again
		case r.marked[k+1], repeats(rest, code), rest == r.digits[:end], len(next) >= 5 && codeOf(next) != nil:
		default:
			return false
		}
		head.Displayed = n.GetDisplayed()
		n.Reset()
		proto.Merge(n, head)
		return true
	}
	return false
}

// codeAt is the code of five digits or more that group k is, in the first group with what may stand before a code.
func (r run) codeAt(k int) string {
	if k > 0 {
		return complete(r.digits[r.groups[k-1]:r.groups[k]])
	}
	d := r.digits[:r.groups[0]]
	for _, country := range []string{"0086", "086", "86", "00", ""} {
		rest, ok := strings.CutPrefix(d, country)
		if !ok {
			continue
		}
		bare := strings.TrimPrefix(rest, "0")
		if code := cmp.Or(complete(rest), complete(bare)); code != "" {
			return code
		}
		if _, length, ok := areaOf("0" + bare); ok && (len(bare) < len(rest) || len(country) > 1 && country != "00") {
			if code := complete(bare[length-1:]); code != "" {
				return code
			}
		}
	}
	return ""
}

// complete is d if it is a code of five digits or more; those of SMS go on as long as they like.
func complete(d string) string {
	if c := codeOf(d); len(d) >= 5 && c != nil && c.kind != SMS && c.kind != Code400 && c.kind != Code800 {
		return d
	}
	return ""
}

func isCode(kind string) bool {
	switch kind {
	case Carrier, Public, Code96, AreaCode96, Code1010:
		return true
	}
	return is95(kind) || Forged(kind)
}

// abroad says whether the digits are a foreign number that a country code begins like a forged code: 00966...
func (r run) abroad() bool {
	if r.plus {
		return !strings.HasPrefix(r.digits, "86")
	}
	if !strings.HasPrefix(r.digits, "00") || strings.HasPrefix(r.digits, "0086") {
		return false
	}
	n := &commonv1.Number{}
	return len(r.digits) <= maxDigits && abroad(n, r.digits[2:]) == "" && n.GetReason() == ""
}

// chosen says whether a code that chose an operator stands before a number.
func (r run) chosen() bool {
	d := strings.TrimPrefix(strings.TrimPrefix(r.digits, "00"), "86")
	_, ok := cutPrefix(d)
	return ok
}

func repeats(rest, code string) bool { return strings.ReplaceAll(rest, code, "") == "" }

// shows says whether a forged number shows a code.
func shows(forged *commonv1.Number, code string) bool {
	return len(code) >= 3 && strings.HasSuffix(forged.GetNormal(), code)
}

// access says whether a code is dialled before numbers.
func access(code string) bool {
	if len(code) < 5 {
		return false
	}
	for _, p := range plan.prefixes[code[:3]] {
		if p.digits == code {
			return true
		}
	}
	return false
}

// part tries parts of what stands there, from the front and longest first: 010-62671188-8001, 2026-10-15 13814590000. Parts
// further back must have a subscriber, or be a code behind a date.
func part(n *commonv1.Number, r run) bool {
	if len(r.groups) < 2 || len(r.groups) > maxGroups {
		return false
	}
	last := len(r.groups) - 1
	for from := range r.groups {
		start := 0
		if from > 0 {
			start = r.groups[from-1]
		}
		for to := last; to >= from; to-- {
			if from == 0 && to == last {
				continue
			}
			got := &commonv1.Number{}
			if read(got, r.between(start, r.groups[to]), false) != "" || len(got.GetNormal()) < 5 {
				continue
			}
			if isCode(got.GetKind()) && len(r.digits)-r.groups[to] >= 7 && access(strings.TrimPrefix(got.GetNormal(), "+86")) {
				continue // a number stands behind it that cannot be read
			}
			dated := from == last && complete(got.GetNormal()) != "" && r.dated(from)
			if from > 0 && !subscriber(got.GetKind()) && !dated {
				continue
			}
			got.Displayed = n.GetDisplayed()
			n.Reset()
			proto.Merge(n, got)
			return true
		}
	}
	return false
}

// dated says whether the groups before one are a date, the rest of a time or the number in a list, and no area code.
func (r run) dated(group int) bool {
	values, lengths := make([]int, group), make([]int, group)
	start := 0
	for i := range group {
		d := r.digits[start:r.groups[i]]
		if len(d) > 8 {
			return false
		}
		values[i], lengths[i], start = number(d), len(d), r.groups[i]
	}
	switch {
	case group == 1 && lengths[0] == 8:
		v := values[0]
		return isDate(v/10000, v/100%100, v%100)
	case group == 1 && lengths[0] == 4:
		return isDate(values[0], 1, 1)
	case group == 1:
		return lengths[0] <= 2 && values[0] >= 1 && values[0] < 60 && plan.areas["0"+r.digits[:lengths[0]]].digits == ""
	case group == 2 && lengths[0] == 4:
		return isDate(values[0], values[1], 1)
	case group == 2:
		return lengths[0] <= 2 && lengths[1] <= 2 && isDate(2000, values[0], values[1])
	}
	return false
}

func subscriber(kind string) bool {
	return kind == Mobile || kind == Landline || kind == Code400 || kind == Code800
}
