// Package calendar knows the working days of mainland China and the deadlines that the law and the programme set.
//
// Both are data. data/<year>.csv holds the State Council's yearly notice: days off and weekends that are worked. A year
// without its notice is reckoned with weekends and the holidays of fixed date, and everything that crosses it is
// provisional (暂定). data/deadlines.csv holds one row per basis: amount, unit (wd working days, cd calendar days,
// h hours), whether the day of the event counts (start same) or not (next_day), whether a last day that is no working day
// rolls to the next one, what a day lasts in rehearsal, and the article or the programme rule it comes from.
//
// Terms in days end at the end of their last day in Shanghai. Nothing here reads the clock.
package calendar
