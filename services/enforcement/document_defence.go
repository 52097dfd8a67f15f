package enforcement

import (
	"fmt"
	"strings"
)

// defence tells all that the party said to every notice of the case, and what became of it (行政处罚法 45, 59, 65). On the spot
// it was heard there, which the document says itself.
func (m *matter) defence(kind string) string {
	if kind == docOnspot {
		return ""
	}
	var said []string
	open, spoken := false, false // a notice was served; something was said to it
	silent := func() {
		if open && !spoken {
			said = append(said, "当事人在期限内未提出陈述、申辩。")
		}
	}
	for i := range m.events {
		e := &m.events[i]
		day := dayWords(e.EventTime)
		var line string
		switch e.Step {
		case stepNotice:
			silent()
			open, spoken = true, false
			said = append(said, fmt.Sprintf("本机关于%s依法送达行政处罚事先告知书。", dayWords(servedAt(e))))
			continue
		case logStatement:
			line = fmt.Sprintf("当事人于%s提出陈述、申辩。", day)
			if e.Outcome == "late" {
				line = fmt.Sprintf("当事人于%s逾期提出陈述、申辩。", day)
			}
		case logWaiver:
			line = fmt.Sprintf("当事人于%s书面放弃陈述、申辩。", day)
		case stepAnswer:
			line = map[string]string{
				outAdopted:    "经复核，当事人提出的事实、理由或者证据成立，本机关予以采纳，重新提出处理意见。",
				"not_adopted": "经复核，当事人提出的事实、理由或者证据不成立，本机关不予采纳。",
			}[e.Outcome] + m.why(e.Note)
		default:
			line = hearingLine(e.Step, e.Outcome, day)
		}
		if line != "" {
			spoken = spoken || e.Step == logStatement || e.Step == logWaiver
			said = append(said, line)
		}
	}
	silent()
	return strings.Join(said, "")
}

// hearingLine tells of a hearing: asked for, given up, held (行政处罚法 63, 64, 65).
func hearingLine(step, outcome, day string) string {
	switch step {
	case logHearingRequest:
		if outcome != "" && outcome != outInTime {
			return fmt.Sprintf("当事人于%s要求听证，本机关依法未予组织。", day)
		}
		return fmt.Sprintf("当事人于%s要求听证。", day)
	case logHearingWaiver:
		return fmt.Sprintf("当事人于%s书面放弃听证。", day)
	case logHearingWithdrawn:
		return fmt.Sprintf("当事人于%s撤回听证要求。", day)
	case stepHold:
		if outcome == outHeld {
			return fmt.Sprintf("本机关于%s依法举行听证，并根据听证笔录作出本决定。", day)
		}
		return fmt.Sprintf("当事人未出席%s的听证或者中途退出，视为放弃听证。", day)
	}
	return ""
}

// why are the words in which an officer gave reasons, where they may be told to the party.
func (m *matter) why(note string) string {
	note = strings.TrimSpace(note)
	if note == "" || singlesOut(note) != "" {
		return ""
	}
	return "理由：" + strings.TrimRight(note, "。") + "。"
}
