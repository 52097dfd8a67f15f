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
		if grouped(found, r, false) != "" {
			continue
		}
		// a form that gives it away says more about the call than the same code without
		if best > 0 && Forged(found.GetKind()) && !Forged(n.GetKind()) && found.GetNormal() != n.GetNormal() && shows(found, n.GetNormal()) {
			n.Reset()
			proto.Merge(n, found)
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
