// Package disclosure owns publications 公示 and the digests of reports 举报情况盘点.
//
// A publication passes the gate of its kind or does not come to be: a penalty needs notice, decision and delivery in that
// order, social impact and more than a warning; a listing the same but the impact; an exposure a warning before; the notice of a
// recall a signature, its outcome a notice before. Natural persons are not published. When it is taken down is fixed at its birth. Its state follows from the time:
//
//	LIVE -> TAKEN_DOWN   at its take-down time, by itself
//	LIVE -> WITHDRAWN    with a reason
//
// Of what is no longer live a tombstone stays: that there was an item, of which agency, when, and why it went; nothing
// of the party.
//
// A digest is one month's figures with shares that add to 100.0 %. It is never changed: a correction is a new version.
// Figures of too few reporters are hidden in one sum that no other figure lets anyone take apart.
package disclosure
