package format

import (
	"slices"
	"strconv"
	"strings"
)

// What a row can be about (记录类型); without a column for it a row is about numbers. A file may hold rows of all kinds, or its
// mapping file says as a constant what all its rows are about: so columns of a wide file are sent once as what they are.
const (
	AboutNumber   = ""         // 号码
	AboutLicence  = "licence"  // 许可证: of the holder, with its scope
	AboutContract = "contract" // 合同: of the numbers with an operator
	AboutSublet   = "sublet"   // 转租: by the holder or a sub-holder to a sub-holder
)

// Fields of rows that are not about numbers.
const (
	About      = "about"             // 记录类型
	Kinds      = "licence_kinds"     // 业务种类
	Scope      = "licence_provinces" // 业务覆盖范围
	Outbound   = "licence_outbound"  // 外呼承诺: yes, no
	Contract   = "contract_number"   // 合同编号
	Limit      = "call_limit"        // 呼叫频次限制
	Unit       = "limit_unit"        // 频次单位
	Complaints = "complaint_clauses" // 举报处置条款
	Handling   = "handling_clauses"  // 拦截和处置条款
	SubHolder  = "sub_holder"        // 转租承租方
	SubCode    = "sub_holder_code"   // 承租方信用代码
)

// Reasons of their own.
const (
	ReasonAbout = "no kind of row (记录类型无法识别)"
	ReasonCount = "no whole number above zero (数值无法识别)"
	ReasonYesNo = "neither yes nor no (是否无法识别)"
)

const (
	yes      = "yes"
	no       = "no"
	aboutAll = "number" // the word for rows about numbers in a mapping file
)

// needed are the fields that a row cannot do without; rows about numbers need what the mapping file says.
var needed = map[string][]string{
	AboutNumber:   {},
	AboutLicence:  {CreditCode, Licence},
	AboutContract: {Contract},
	AboutSublet:   {SubCode},
}

// Statement are the fields of a kind of row that are held against the ledger, in the order of the report.
func Statement(about string) []string {
	return map[string][]string{
		AboutLicence:  {CreditCode, Kinds, Scope, Outbound, Basis},
		AboutContract: {Contract, Limit, Unit, Complaints, Handling},
		AboutSublet:   {Purpose, Basis},
	}[about]
}

// about is what a row is about, read before its other cells.
func (h *Header) about(cells []string) string {
	value := h.format.Constant[About]
	for i, c := range h.format.Columns {
		if at := h.At[i]; c.Field == About && at >= 0 {
			value = strings.TrimSpace(cells[at])
		}
	}
	if m, ok := h.format.Values[About]; ok {
		value = m.of(value)
	}
	if value == aboutAll {
		return AboutNumber
	}
	return value
}

// complete refuses a row that lacks what its kind needs.
func (p *parser) complete() {
	names, ok := needed[p.about]
	if !ok {
		p.refuse(p.f.NameOf(About), ReasonAbout)
		return
	}
	for _, name := range names {
		if p.row[name] == "" {
			p.refuse(p.f.NameOf(name), ReasonMissing)
			return
		}
	}
}

// provinces reads several provinces, by the words of this field or those of the access.
func (p *parser) provinces(cell string) (value, reason string) {
	var out []string
	for _, part := range strings.FieldsFunc(cell, p.between) {
		code := p.f.Values[Province].of(p.f.Values[Scope].of(part))
		if !provinceCode.MatchString(code) {
			return "", ReasonProvince
		}
		out = append(out, code)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "; "), ""
}

func (f *Format) provinceNames(name, value, between string) string {
	parts := strings.Split(value, "; ")
	for i, code := range parts {
		if word := f.Values[name].word(code); word != code {
			parts[i] = word
			continue
		}
		parts[i] = f.Values[Province].word(code)
	}
	return strings.Join(parts, between)
}

func counted(cell string) (value, reason string) {
	n, err := strconv.ParseInt(strings.ReplaceAll(fold(cell), ",", ""), 10, 32)
	if err != nil || n <= 0 {
		return "", ReasonCount
	}
	return strconv.FormatInt(n, 10), ""
}
