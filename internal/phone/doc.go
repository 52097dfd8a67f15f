// Package phone reads telephone numbers as people, spreadsheets and machines write them: it finds the normal form
// (规范号码), the kind, the place and the operator that the segment was allocated to, and it recognises displayed numbers
// that cannot be genuine.
//
// Normal forms are fixed points: Parse of a normal form gives the same normal form and kind. They are
//
//	mobile             11 digits                                  13114590000
//	landline           trunk 0, area code, subscriber             087180000000
//	codes              the digits as dialled                      95588, 4008895580, 12345, 10086
//	code96, area+96    as displayed, without or with area code    96110, 087196533
//	foreign            + and country code                         +14156677870
//	forged             with the prefix that gives it away         +8695588, 0010086
//	invalid            the digits, or the text when they are not  1380000000
//	                   one number
//	text               the text itself, at most 512 bytes         unknown
//	empty              nothing
//
// Only usable numbers (see Usable) are keys; texts may hold anything, so they are kept in no column of their own and never
// logged.
//
// The plan is data, with its source beside every row: plan/segments.csv has the mobile segments and their operators,
// codes.csv the service codes by length, areas.csv the area codes, prefixes.csv what is dialled before a number, operators.csv
// and services.csv whose codes are whose, inferred.csv how segments are given out where no place data has them. The place of
// mobiles comes from github.com/nyaruka/phonenumbers, once for each block of 10,000 numbers; LoadPlaces puts an operator's
// or registry's own table before it. Foreign numbers are read by that library; everything else costs well under a
// microsecond.
package phone
