package assignment

import "slices"

// designation is what becomes of a bounced matter.
type designation struct {
	how, decider, next string
}

// The ways a bounced matter goes.
const (
	reassigned          = "reassigned"
	designated          = "designation"
	coordinationOpinion = "coordination_opinion"
	jointMeeting        = "joint_meeting"
)

// designate says who acts after a bounce: the first goes to who should act, the second is decided by the nearest common
// superior or, between ministries, by the lead ministry's opinion, and from the third on the joint meeting has it with
// the lead ministry as caretaker. Only authorities are given a matter, and never the reported party: where it should
// act, its provincial administration does.
func (v view) designate(bouncedBy, shouldAct, party string, bounces int32) designation {
	if bounces >= 3 {
		return designation{how: jointMeeting, next: leadMinistry}
	}
	province := v.provinceOf(bouncedBy)
	next := v.notParty(v.levelThatActs(shouldAct, province), party, province)
	if bounces == 1 && next != bouncedBy && v.competentToLead(next) {
		return designation{how: reassigned, next: next}
	}
	if next == bouncedBy { // told to keep what it bounced: its superior decides
		if superior := v.superior(bouncedBy); v.decides(superior, party) {
			return designation{how: designated, decider: superior}
		}
		return designation{how: coordinationOpinion, decider: leadMinistry}
	}
	theirs := v.line(next)
	for _, id := range v.line(bouncedBy) {
		if slices.Contains(theirs, id) && v.decides(id, party) {
			return designation{how: designated, decider: id}
		}
	}
	return designation{how: coordinationOpinion, decider: leadMinistry}
}

// decides says whether an agency may say who acts: an authority that is not itself reported.
func (v view) decides(id, party string) bool { return v.competentToLead(id) && !v.isParty(id, party) }
