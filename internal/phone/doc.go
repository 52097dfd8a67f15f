// Package phone reads telephone numbers as people and machines write them: it finds the normal form (规范号码), the
// kind, the province by the numbering plan and the operator that the segment was allocated to, and it recognises
// displayed numbers that cannot be genuine.
//
// Normal forms are fixed points: Parse of a normal form gives the same normal form and kind. They are
//
//	mobile             11 digits                                  13114590000
//	landline           trunk 0, area code, subscriber             087180000000
//	codes              the digits as dialled                      95588, 4008895580, 12345, 10086
//	96 codes           as displayed, with the area code if given  96110, 087196533
//	foreign            + and country code                         +14156677870
//	forged             with the prefix that gives it away         +8695588, 0010086
//	invalid            the digits as displayed, or nothing        1380000000
//	text, empty        nothing
//
// The plan is data: segments.csv has the segments and their operators, provinces.csv the provinces. Mobiles and codes
// take the fast path (well under a microsecond); landlines and foreign numbers ask github.com/nyaruka/phonenumbers.
package phone
