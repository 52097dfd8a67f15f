package phone

import (
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
)

// search finds the number among words or several numbers: the first one with a subscriber, else the first code.
func search(n *commonv1.Number, w written) *commonv1.Number {
	best := 0
	for _, r := range w.runs {
		found := &commonv1.Number{Displayed: n.GetDisplayed()}
		if why := read(found, r, false); why != "" && !part(found, r) {
			continue
		}
		worth := weigh(found, w)
		if worth > best {
			best = worth
			n.Reset()
			proto.Merge(n, found)
		}
	}
	switch {
	case best > 0:
		return n
	case w.words:
		return text(n, w)
	}
	var all strings.Builder // 138/1459/0000
	for _, r := range w.runs {
		all.WriteString(r.digits)
	}
	if read(n, run{plus: w.runs[0].plus, digits: all.String()}, false) == "" {
		return n
	}
	return invalid(n, w.text, "不是一个完整的号码")
}

// weigh says how sure it is that a number found among words is the one that is meant; 0: it is none. Three digits are
// taken for a code only where the text ends with them.
func weigh(n *commonv1.Number, w written) int {
	switch {
	case n.GetKind() == Foreign && n.GetReason() != "":
		return 0
	case len(n.GetNormal()) == 3:
		if len(w.runs) > 1 || !w.last {
			return 0
		}
		return 1
	case len(n.GetNormal()) >= 9:
		return 3
	}
	return 2
}

// part tries parts of what stands there, from the front and longest first: 010-62671188-8001, 2026-10-15 13814590000. Parts
// further back must have a subscriber.
func part(n *commonv1.Number, r run) bool {
	if len(r.groups) < 2 || len(r.groups) > maxGroups {
		return false
	}
	for from := range r.groups {
		start := 0
		if from > 0 {
			start = r.groups[from-1]
		}
		for to := len(r.groups) - 1; to >= from; to-- {
			if from == 0 && to == len(r.groups)-1 {
				continue
			}
			got := &commonv1.Number{}
			if read(got, run{plus: r.plus && from == 0, digits: r.digits[start:r.groups[to]]}, false) != "" {
				continue
			}
			if len(got.GetNormal()) < 5 || from > 0 && !subscriber(got.GetKind()) {
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

func subscriber(kind string) bool {
	return kind == Mobile || kind == Landline || kind == Code400 || kind == Code800
}
