package format

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
	_ "time/tzdata" // formats name zones

	"quietline/deploy/formats"
	"quietline/internal/table"
)

// Fields that a column can be.
const (
	Scheme         = "scheme"            // 号码方案
	First          = "first_number"      // 起始号码
	Last           = "last_number"       // 结束号码
	Range          = "range"             // 号码段: both in one column
	Holder         = "holder"            // 使用主体
	CreditCode     = "credit_code"       // 统一社会信用代码
	Licence        = "licence"           // 许可证
	Sector         = "sector"            // 行业
	Province       = "access_province"   // 接入省份
	Purpose        = "purpose"           // 资源用途
	Callers        = "permitted_callers" // 允许传送的主叫号码
	Operator       = "access_operator"   // 接入企业
	Operation      = "operation"         // 自营/外包: in_house, outsourced
	Principal      = "principal"         // 委托方, its credit code
	Approval       = "approval_document" // 从严审批文件
	ApprovalReason = "approval_reason"   // 从严审批理由
	Evidence       = "evidence"          // 资质审查材料
	From           = "valid_from"        // 生效时间
	To             = "valid_to"          // 失效时间
	Basis          = "basis"             // 批准文件
	Change         = "change"            // 变更类型
	Effect         = "effect_time"       // 变更生效时间
	Known          = "known_time"        // 入账时间
	Reason         = "reason"            // 变更理由
	PrincipalName  = "principal_name"    // 委托方名称
)

// kind is how a field is read.
type kind int

const (
	text kind = iota
	digits
	code
	list
	names
	date
	province
	provinces
	count
	yesNo
)

// field is what is known of a field: its kind, its greatest length in characters.
type field struct {
	kind kind
	max  int
}

var fields = map[string]field{
	Scheme: {text, 10}, First: {digits, 40}, Last: {digits, 40}, Range: {text, 80}, Holder: {text, 200}, CreditCode: {code, 18},
	Licence: {text, 200}, Sector: {text, 60}, Province: {province, 20}, Purpose: {text, 60}, Callers: {list, 2000},
	Operator: {text, 60}, Operation: {text, 20}, Principal: {code, 18}, Approval: {text, 200}, ApprovalReason: {text, 500},
	Evidence: {names, 2000}, From: {date, 40}, To: {date, 40}, Basis: {text, 200}, Change: {text, 40}, Effect: {date, 40},
	Known: {date, 40}, Reason: {text, 200}, PrincipalName: {text, 200}, About: {text, 20}, Kinds: {names, 200}, Scope: {provinces, 400},
	Outbound: {yesNo, 10}, Contract: {text, 100}, Limit: {count, 10}, Unit: {text, 20}, Complaints: {text, 2000}, Handling: {text, 2000},
	SubHolder: {text, 200}, SubCode: {code, 18},
}

const maxIgnored = 1000

// Format is one mapping file.
type Format struct {
	Name      string              `yaml:"name"`
	Title     string              `yaml:"title"`
	TimeZone  string              `yaml:"time_zone"`
	Delimiter string              `yaml:"delimiter"`
	Encodings table.Encodings     `yaml:"encodings"`
	TimeForms []string            `yaml:"time_forms"` // the first one is written
	Between   string              `yaml:"between"`    // characters between the numbers of a list; the first one is written
	Columns   []Column            `yaml:"columns"`
	Values    map[string]ValueMap `yaml:"values"`
	Constant  map[string]string   `yaml:"constant"` // fields that all rows of such files have alike

	zone *time.Location
}

// Column is one column of the header row.
type Column struct {
	Name     string `yaml:"name"`
	Field    string `yaml:"field"`
	Required bool   `yaml:"required"`
	Max      int    `yaml:"max"`
}

// ValueMap turns a sender's words into ours. Without a default unknown words stay as they are.
type ValueMap struct {
	Map     map[string]string `yaml:"map"`
	Default *string           `yaml:"default"`
}

func (m ValueMap) of(word string) string {
	if v, ok := m.Map[word]; ok {
		return v
	}
	if m.Default != nil && word != "" {
		return *m.Default
	}
	return word
}

// word is the sender's word for ours: of several the first in order, so that the same is always written.
func (m ValueMap) word(value string) string {
	best := value
	for word, v := range m.Map {
		if v == value && (best == value || len(word) < len(best) || len(word) == len(best) && word < best) {
			best = word
		}
	}
	return best
}

// Load reads the mapping files of ledgers, the program's own and those of the given directories, as table.Mappings says.
func Load(extraDirs ...string) (map[string]*Format, error) {
	own, err := fs.Sub(formats.Ledger, "ledger")
	if err != nil {
		return nil, err
	}
	return table.Mappings(own, parseFormat, extraDirs...)
}

func parseFormat(raw []byte) (string, *Format, error) {
	f := &Format{TimeZone: "Asia/Shanghai", Delimiter: ",", Between: " "}
	if err := table.ParseMapping(raw, f); err != nil {
		return "", nil, err
	}
	if err := f.check(); err != nil {
		return "", nil, err
	}
	zone, err := time.LoadLocation(f.TimeZone)
	if err != nil {
		return "", nil, fmt.Errorf("time_zone: %w", err)
	}
	f.zone = zone
	return f.Name, f, nil
}

// check refuses a mapping file that could not work, with the entry named.
func (f *Format) check() error {
	if err := table.CheckMapping(f.Name, f.Delimiter, f.TimeForms, f.Encodings); err != nil {
		return err
	}
	if f.Between == "" {
		return errors.New("between: at least one character is needed")
	}
	return f.checkColumns()
}

func (f *Format) checkColumns() error {
	known, has := map[string]bool{}, map[string]bool{}
	for i, c := range f.Columns {
		if c.Name == "" || known[c.Name] {
			return fmt.Errorf("columns: name %q is empty or there twice", c.Name)
		}
		known[c.Name] = true
		limit := maxIgnored
		if c.Field != "" {
			is, ok := fields[c.Field]
			if !ok {
				return fmt.Errorf("columns: %s: there is no field %q", c.Name, c.Field)
			}
			if has[c.Field] {
				return fmt.Errorf("columns: %s: field %s is there twice", c.Name, c.Field)
			}
			limit = is.max
		}
		has[c.Field] = true
		if c.Max == 0 {
			f.Columns[i].Max = limit
		}
	}
	for name := range f.Constant {
		if _, ok := fields[name]; !ok || has[name] {
			return fmt.Errorf("constant: %q is no field, or a column has it", name)
		}
	}
	about := f.Constant[About]
	if _, ok := needed[about]; !ok {
		return fmt.Errorf("constant: %s: there is no %q", About, about)
	}
	if about != AboutLicence && has[First] == has[Range] {
		return fmt.Errorf("columns: either one is %s or one is %s", First, Range)
	}
	if about == AboutNumber && !has[Holder] {
		return fmt.Errorf("columns: no column is %s", Holder)
	}
	for name := range f.Values {
		if !has[name] {
			return fmt.Errorf("values: no column is %q", name)
		}
	}
	return nil
}

// Comma is the delimiter as a byte, for table.Rows.
func (f *Format) Comma() byte { return f.Delimiter[0] }

// NameOf is the sender's word for a field; the field itself when no column has it.
func (f *Format) NameOf(name string) string {
	for _, c := range f.Columns {
		if c.Field == name {
			return c.Name
		}
	}
	return name
}

// Header is the header row of one file, matched with its format. It is safe for concurrent use.
type Header struct {
	format *Format
	table.Header
}

// Header reads a raw header row.
func (f *Format) Header(raw []byte) (*Header, error) {
	columns := make([]table.Column, len(f.Columns))
	for i, c := range f.Columns {
		columns[i] = table.Column{Name: c.Name, Required: c.Required}
	}
	h, err := table.ReadHeader(raw, f.Encodings, f.Comma(), columns)
	if err != nil {
		return nil, err
	}
	return &Header{format: f, Header: h}, nil
}

// Format is the format the header belongs to.
func (h *Header) Format() *Format { return h.format }

// Names are the column names in order, for a header row that is written.
func (f *Format) Names() []string {
	out := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		out[i] = c.Name
	}
	return slices.Clip(out)
}
