package portability

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"quietline/internal/calendar"
)

// table is all portings in the order of number and time, a column each: 18 bytes a row, so that a country's portings fit.
type table struct {
	numbers   []uint64 // keyOf
	from, to  []uint32 // seconds since 1970; to is open at its end: never
	operators []uint16 // into names
	names     []string
}

// never is later than all times: the row holds until the next one.
const never = math.MaxUint32

// servedBy is the row of a number that holds at a time; not ok, the last one that has ended by then.
func (t *table) servedBy(key uint64, at uint32) (Porting, bool) {
	// the first row behind it
	i := sort.Search(len(t.numbers), func(i int) bool { return t.numbers[i] > key || t.numbers[i] == key && t.from[i] > at })
	if i == 0 || t.numbers[i-1] != key {
		return Porting{}, false
	}
	p := Porting{OperatorID: t.names[t.operators[i-1]], Since: time.Unix(int64(t.from[i-1]), 0).UTC()}
	if t.to[i-1] != never {
		p.Until = time.Unix(int64(t.to[i-1]), 0).UTC()
	}
	return p, t.to[i-1] > at
}

// keyOf packs a number with its length, for numbers of different lengths are different.
func keyOf(number string) (uint64, bool) {
	const longest = 15
	if number == "" || len(number) > longest {
		return 0, false
	}
	var v uint64
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			return 0, false
		}
		v = v*10 + uint64(number[i]-'0')
	}
	return uint64(len(number))<<56 | v, true
}

func (t *table) Len() int { return len(t.numbers) }

func (t *table) Less(i, j int) bool { return t.compare(i, j) < 0 }

func (t *table) compare(i, j int) int {
	return cmp.Or(cmp.Compare(t.numbers[i], t.numbers[j]), cmp.Compare(t.from[i], t.from[j]))
}

func (t *table) Swap(i, j int) {
	t.numbers[i], t.numbers[j] = t.numbers[j], t.numbers[i]
	t.from[i], t.from[j] = t.from[j], t.from[i]
	t.to[i], t.to[j] = t.to[j], t.to[i]
	t.operators[i], t.operators[j] = t.operators[j], t.operators[i]
}

// read reads a table: number, operator_id, from and, where a porting has ended, to. Times are RFC 3339 or days in
// Asia/Shanghai. What is wrong is said by row and column; numbers are personal data and stand in no error.
func read(r io.Reader) (*table, error) {
	in := csv.NewReader(r)
	in.ReuseRecord, in.FieldsPerRecord = true, -1
	header, err := in.Read()
	if err != nil {
		return nil, errors.New("has no header")
	}
	at, err := columns(header)
	if err != nil {
		return nil, err
	}
	t, names := &table{}, map[string]uint16{}
	for row := 2; ; row++ {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("row %d is not CSV", row)
		}
		if len(line) != len(header) {
			return nil, fmt.Errorf("row %d has %d columns, the header %d", row, len(line), len(header))
		}
		if err := t.add(line, at, names); err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
	}
	t.names = make([]string, len(names))
	for name, i := range names {
		t.names[i] = name
	}
	if !sort.IsSorted(t) {
		sort.Sort(t)
	}
	return t, t.check()
}

// at says where the columns are; to is -1 without one.
type place struct{ number, operator, from, to int }

func columns(header []string) (place, error) {
	names := slices.Clone(header)
	names[0] = strings.TrimPrefix(names[0], "\ufeff")
	p := place{
		slices.Index(names, "number"), slices.Index(names, "operator_id"), slices.Index(names, "from"), slices.Index(names, "to"),
	}
	if p.number < 0 || p.operator < 0 || p.from < 0 {
		return p, errors.New("the header needs number, operator_id and from")
	}
	return p, nil
}

func (t *table) add(line []string, at place, names map[string]uint16) error {
	key, ok := keyOf(line[at.number])
	if !ok {
		return errors.New("number: must be the normal form, 1 to 15 digits")
	}
	operator := line[at.operator]
	if operator == "" {
		return errors.New("operator_id: is missing")
	}
	i, ok := names[operator]
	if !ok {
		if len(names) > math.MaxUint16 {
			return errors.New("operator_id: too many different ones")
		}
		operator = strings.Clone(operator) // the line's memory is used again
		i = uint16(len(names))
		names[operator] = i
	}
	from, err := second(line[at.from])
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	to := uint32(never)
	if at.to >= 0 && line[at.to] != "" {
		if to, err = second(line[at.to]); err != nil {
			return fmt.Errorf("to: %w", err)
		}
		if to <= from {
			return errors.New("to: must be after from")
		}
	}
	t.numbers, t.operators = append(t.numbers, key), append(t.operators, i)
	t.from, t.to = append(t.from, from), append(t.to, to)
	return nil
}

// check refuses two rows of a number that begin at once: nobody could say which holds.
func (t *table) check() error {
	for i := 1; i < t.Len(); i++ {
		if t.compare(i-1, i) == 0 && t.operators[i-1] != t.operators[i] {
			return errors.New("two operators take over one number at the same time")
		}
	}
	return nil
}

var errTime = errors.New("must be a day (2026-01-31) or a time (2026-01-31T08:00:00+08:00) from 1970 on")

func second(s string) (uint32, error) {
	day, err := time.ParseInLocation(time.DateOnly, s, calendar.Shanghai)
	if err != nil {
		if day, err = time.Parse(time.RFC3339, s); err != nil {
			return 0, errTime
		}
	}
	return clamp(day)
}

func clamp(at time.Time) (uint32, error) {
	s := at.Unix()
	if s < 0 || s >= never {
		return 0, errTime
	}
	return uint32(s), nil
}

func (t *table) String() string { return strconv.Itoa(t.Len()) + " portings" }
