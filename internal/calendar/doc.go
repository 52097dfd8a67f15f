// Package calendar knows the working days of mainland China, the deadlines that the law and the programme set, and the
// programme's figures.
//
// All are data with valid time and source, a row each. holidays.csv holds the State Council's yearly notices: days off and
// weekends that are worked. A year without its notice is reckoned with weekends and the holidays of fixed date
// (fixed.csv), and everything that crosses it is provisional (暂定). deadlines.csv holds one row per basis and time: amount,
// unit (wd working days, cd calendar days, h hours, m months, y years), whether the day of the event counts (start same) or
// not (next_day) or the term lies before it (before: a minimum notice, counted back with both ends left out), whether a
// last day that is no working day moves to the next one or to the one before, what a day lasts in rehearsal, and the
// article or the programme rule it comes from. shares.csv holds shares and limits, read with Figure.
//
// Files of the same names in a policy folder go before the built-in rows, and take effect without a new build or a new
// start: see Load. What counts for a clock is the row in force when it starts. So a changed rule, entered with the day
// from which it is valid, never moves a clock that runs.
//
// Terms in days end at the end of their last day in Shanghai. Nothing here reads the clock.
package calendar
