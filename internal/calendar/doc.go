// Package calendar knows the working days of mainland China, the deadlines that the law and the programme set, and the
// programme's figures.
//
// All are data with valid time and source, a row each. holidays.csv holds the State Council's yearly notices: days off and
// weekends that are worked. A year without its notice is reckoned with weekends and the holidays of fixed date
// (fixed.csv), and everything that crosses it is provisional (暂定). deadlines.csv holds one row per basis and time: amount,
// unit (wd working days, cd calendar days, h hours, m months, y years), whether the day of the event counts (start same) or
// not (next_day) or the term lies before it (before: a minimum notice, counted back with both ends left out), whether a
// last day that is no working day moves to the next one or to the one before, what a day lasts in rehearsal, and the
// article or the programme rule it comes from. What nobody can have meant is refused at load, with the reason: hours that
// roll, a minimum notice that rolls towards its event, working days that roll. shares.csv holds shares and limits, read
// with Figure. extensions.csv says which term may be extended by which and how often, pauses.csv for what reasons a term
// may be paused, parties.csv which terms are a party's (当事人期限); owner is the service whose act it is.
//
// A Deadline is computed once with Due and then stored as a fact: start, term, last day, proof, changes. Paused, Extended
// and Settled are pure functions from a stored clock to the next one; its proof goes on. They read the term that was
// stored, not the table, so that no rule that changed moves an old clock. A date that a missing notice can move is
// provisional (暂定) until Settled reckons it anew, once: a party's term moves only later by it. Terms of calendar days,
// months and years that stay where they end hang on no notice.
//
// Files of the same names in a policy folder go before the built-in rows, and take effect without a new build or a new
// start: see Load. What counts for a clock is the row in force when it starts. So a changed rule, entered with the day
// from which it is valid, never moves a clock that runs.
//
// Terms in days end at the end of their last day in Shanghai. Nothing here reads the clock.
package calendar
