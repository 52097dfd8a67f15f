package phone

import (
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// The numbering plan (电信网编号计划) as data; every row names its source.
//
//go:embed plan/*.csv
var planFiles embed.FS

var plan = loadPlan()

// A segment is a range of mobile prefixes (号段) and the operator that it was allocated to.
type segment struct {
	carrier string
	resale  bool
}

// A code is a range of service codes of certain lengths. Digits of first and last are prefixes: a number of min to max
// digits belongs to the row whose range its first digits fall into.
type code struct {
	first, last string
	min, max    int
	kind        string
	carrier     string
}

func (c *code) holds(d string) bool {
	n := len(c.first)
	return len(d) >= c.min && len(d) <= c.max && len(d) >= n && d[:n] >= c.first && d[:n] <= c.last
}

// An area is what a long-distance area code (长途区号) stands for; digits says which lengths its subscribers' numbers have.
type area struct {
	digits string
	place  uint32
}

// A prefix was dialled before a number to choose a long-distance operator or a second number; old exchanges still show it.
type prefix struct {
	digits, then string // then: what must follow
}

type numberingPlan struct {
	segments  [10000]uint8 // first four digits -> index of kinds, 0 is none
	kinds     []segment
	codes     [1000][]*code // by the first three digits
	operators map[string]string
	prefixes  map[string][]prefix // by the first three digits
	areas     map[string]area
	provinces map[string]string // short name -> GB/T 2260 code
	names     map[string]string // and back
	services  map[string]string // number -> organisation
	families  map[string]string // the same for everything that begins so
	inferred  [10000]inference
	around    map[string]uint32 // first three digits of area codes that all stand in one province -> the province
	places    *places
}

// An inference is a place that follows from how a segment is given out, where no place data has it.
type inference struct {
	rule  string
	place uint32
}

func loadPlan() *numberingPlan {
	p := &numberingPlan{
		kinds: make([]segment, 1), operators: map[string]string{}, prefixes: map[string][]prefix{}, areas: map[string]area{},
		provinces: map[string]string{}, names: map[string]string{}, services: map[string]string{}, families: map[string]string{},
		around: map[string]uint32{},
	}
	for _, r := range planRows("provinces") {
		p.provinces[r["name"]], p.names[r["code"]] = r["code"], r["name"]
	}
	p.places = newPlaces(p.provinces)
	for _, r := range planRows("segments") {
		p.kinds = append(p.kinds, segment{carrier: r["carrier"], resale: r["use"] == "resale"})
		for i := number(r["first"]); i <= number(r["last"]); i++ {
			p.segments[i] = uint8(len(p.kinds) - 1)
		}
	}
	for _, r := range planRows("codes") {
		c := &code{first: r["first"], last: r["last"], min: number(r["min"]), max: number(r["max"]), kind: r["kind"], carrier: r["carrier"]}
		for i := number(c.first[:3]); i <= number(c.last[:3]); i++ {
			p.codes[i] = append(p.codes[i], c)
		}
	}
	for _, r := range planRows("operators") {
		p.operators[r["prefix"]] = r["carrier"]
	}
	for _, r := range planRows("prefixes") {
		key := r["prefix"][:3]
		p.prefixes[key] = append(p.prefixes[key], prefix{digits: r["prefix"], then: r["then"]})
	}
	for _, r := range planRows("areas") {
		p.areas[r["area"]] = area{digits: r["digits"], place: p.places.add(r["province"], r["city"])}
	}
	for d, a := range p.areas {
		whole := p.places.enter(place{province: p.places.at(a.place).province})
		if was, ok := p.around[d[:3]]; ok && was != whole {
			whole = 0
		}
		p.around[d[:3]] = whole
	}
	for _, r := range planRows("services") {
		if r["match"] == "prefix" {
			p.families[r["number"]] = r["organization"]
		} else {
			p.services[r["number"]] = r["organization"]
		}
	}
	for _, r := range planRows("inferred") {
		for i := number(r["first"]); i <= number(r["last"]); i++ {
			p.inferred[i] = inference{rule: r["rule"], place: p.places.add(r["province"], r["city"])}
		}
	}
	return p
}

// planRows are the rows of a file of the plan, by column. The files are part of the program: a mistake in one is found by
// any test.
func planRows(name string) []map[string]string {
	f, err := planFiles.Open("plan/" + name + ".csv")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		panic(fmt.Errorf("plan/%s.csv: %w", name, err))
	}
	rows := make([]map[string]string, 0, len(lines))
	for _, line := range lines[1:] {
		row := make(map[string]string, len(line))
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// segmentOf is the segment of a mobile number; ok is false where none is in use.
func segmentOf(d string) (segment, bool) {
	if len(d) != 11 || d[0] != '1' || !allDigits(d[:4]) {
		return segment{}, false
	}
	i := plan.segments[int(d[0]-'0')*1000+int(d[1]-'0')*100+int(d[2]-'0')*10+int(d[3]-'0')]
	return plan.kinds[i], i != 0
}

// codeOf is the row of the plan that a code without subscribers belongs to: 95, 96, 1010, 12x, 100xx, 106, 400. Nil: none.
func codeOf(d string) *code {
	if len(d) < 3 || !allDigits(d[:3]) { // a normal form may be +86... or a text
		return nil
	}
	for _, c := range plan.codes[int(d[0]-'0')*100+int(d[1]-'0')*10+int(d[2]-'0')] {
		if c.holds(d) {
			return c
		}
	}
	return nil
}

// carrierOf is the operator that a code is allocated to, where the code tells it.
func (c *code) carrierOf(d string) string {
	if c.kind == Code400 || c.kind == Code800 {
		return plan.operators[d[:4]]
	}
	return c.carrier
}

// organizationOf is the organisation that a service code is published for.
func organizationOf(d string) string {
	if name, ok := plan.services[d]; ok {
		return name
	}
	for n := min(len(d), 6); n >= 4; n-- {
		if name, ok := plan.families[d[:n]]; ok {
			return name
		}
	}
	return ""
}

// areaOf splits a number with its trunk 0 into area code and the rest; ok is false where there is no such area.
func areaOf(d string) (a area, length int, ok bool) {
	length = areaLength(d)
	if len(d) <= length {
		return area{}, length, false
	}
	a, ok = plan.areas[d[:length]]
	return a, length, ok
}

// areaLength is the length of an area code with its trunk 0: 010, 02x, 0xxx.
func areaLength(d string) int {
	if len(d) > 1 && (d[1] == '1' || d[1] == '2') {
		return 3
	}
	return 4
}

func (a area) takes(subscriber string) bool {
	n := len(subscriber)
	return (n == 7 || n == 8) && subscriber[0] >= '2' && subscriber[0] <= '8' && strings.IndexByte(a.digits, byte('0'+n)) >= 0
}

// cutPrefix takes off what was dialled before a number to choose an operator.
func cutPrefix(d string) (rest string, ok bool) {
	if len(d) < 14 {
		return "", false
	}
	for _, p := range plan.prefixes[d[:3]] {
		rest, ok := strings.CutPrefix(d, p.digits)
		if !ok || p.then != "" && !strings.HasPrefix(rest, p.then) {
			continue
		}
		if len(rest) >= 10 {
			return rest, true
		}
	}
	return "", false
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
