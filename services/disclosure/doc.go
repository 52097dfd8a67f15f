// Package disclosure owns publications 公示 and the digests of reports 举报情况盘点.
//
// A publication passes the gate of its kind or does not come to be; an answer names all that is missing, with the articles.
// Which conditions a kind has, who publishes it, who keeps the register it stands in as well, and how long it stays are
// rows with valid time (gate_condition, publisher_policy, take_down_policy). The gate is checked three times, each on its
// own: by the service, by constraints and a trigger, and by the audit from the rows alone. Natural persons are published
// only under a rule (publication_person_policy, none at first), by surname; subscribers' numbers never.
//
// An exposure or a circular rests on no signed decision, so three people decide on it: one proposes, another reviews, a third
// releases. What it rests on is named, not claimed: its owner confirms it, and what is no longer confirmed is withdrawn.
//
//	PROPOSED -> PUBLISHED   three people, and its gate once more
//	PROPOSED -> RETURNED    by who reviews or signs
//	PROPOSED -> WITHHELD    its basis fell before the release
//
// A service by public notice is that of a step of a case, each step once.
//
// When it is taken down is computed at birth, from every basis at once, each kept with its proof: the earliest end holds.
// Repair may end it earlier, where every basis allows that. Its state follows from the time:
//
//	LIVE -> TAKEN_DOWN   at its take-down time, by itself
//	LIVE -> WITHDRAWN    by its agency, or because its decision was reversed or its listing repaired
//
// A reversal takes back all that is public of its case and bars what is not public yet, for it may overtake a publication;
// the term of three working days is kept with its proof. Of what is no longer live a tombstone stays at its address: that
// there was an item, of which agency, when, and why it went; nothing of the party. A correction is a new version with its
// note; a party is never corrected, nor are the words of an exposure, a circular or a digest, which one person alone does not
// change.
//
// The register is open to the public: by part of a firm's name, credit code, published code, region, kind and period. Those
// who follow it read ListPublicationChanges, which tells what was published, corrected, withdrawn, or ended by itself.
//
// A digest is one month's figures with shares that add to 100.0 %. It is never changed: a correction is a new version.
// Figures of too few reporters are hidden in one sum that no other figure lets anyone take apart.
package disclosure
