package format

import (
	"fmt"
	"time"
	_ "time/tzdata" // formats name zones of senders anywhere

	"quietline/deploy/formats"
	"quietline/internal/table"
)

// Fields that a column can be.
const (
	fieldSenderNo   = "sender_no"
	fieldChannel    = "channel"
	fieldReporter   = "reporter_number"
	fieldCalled     = "called_number"
	fieldDisplayed  = "displayed"
	fieldCallTime   = "call_time"
	fieldFiledTime  = "filed_time"
	fieldDuration   = "duration"
	fieldMethod     = "method"
	fieldType       = "type"
	fieldCompany    = "company"
	fieldText       = "text"
	fieldProvince   = "province"
	fieldConsent    = "consent"
	maxIgnoredCell  = 1000
	defaultTimeZone = "Asia/Shanghai"
)

// maxLength is the longest cell of each field in characters, as FileReport has it; a mapping file may say less or more.
var maxLength = map[string]int{
	fieldSenderNo: 100, fieldChannel: 40, fieldReporter: 40, fieldCalled: 40, fieldDisplayed: 60, fieldCallTime: 40,
	fieldFiledTime: 40, fieldDuration: 20, fieldMethod: 20, fieldType: 60, fieldCompany: 200, fieldText: 4000,
	fieldProvince: 20, fieldConsent: 20,
}

// Format is one mapping file.
type Format struct {
	Name     string `yaml:"name"`
	Title    string `yaml:"title"`
	Country  string `yaml:"country"` // how numbers are displayed, for phone.ParseIn
	Verified bool   `yaml:"verified"`

	TimeZone     string              `yaml:"time_zone"`
	Delimiter    string              `yaml:"delimiter"`
	Encodings    table.Encodings     `yaml:"encodings"`
	Channel      string              `yaml:"channel"` // for formats without a channel column
	TimeForms    []string            `yaml:"time_forms"`
	Columns      []Column            `yaml:"columns"`
	SenderNoFrom []string            `yaml:"sender_no_from"`
	Values       map[string]ValueMap `yaml:"values"`

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

// Load reads the mapping files of reports, the program's own and those of the given directories, as table.Mappings says.
func Load(extraDirs ...string) (map[string]*Format, error) {
	return table.Mappings(formats.Files, parseFormat, extraDirs...)
}

func parseFormat(raw []byte) (string, *Format, error) {
	f := &Format{TimeZone: defaultTimeZone, Delimiter: ",", Country: "CN"}
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
	return f.checkColumns()
}

func (f *Format) checkColumns() error {
	names, fields := map[string]bool{}, map[string]bool{}
	for i, c := range f.Columns {
		if c.Name == "" || names[c.Name] {
			return fmt.Errorf("columns: name %q is empty or there twice", c.Name)
		}
		names[c.Name] = true
		limit, ok := maxLength[c.Field]
		switch {
		case c.Field == "":
			limit = maxIgnoredCell
		case !ok:
			return fmt.Errorf("columns: %s: there is no field %q", c.Name, c.Field)
		case fields[c.Field]:
			return fmt.Errorf("columns: %s: field %s is there twice", c.Name, c.Field)
		}
		fields[c.Field] = true
		if c.Max == 0 {
			f.Columns[i].Max = limit
		}
	}
	for _, field := range []string{fieldDisplayed, fieldCallTime} {
		if !fields[field] {
			return fmt.Errorf("columns: no column is %s", field)
		}
	}
	if fields[fieldSenderNo] == (len(f.SenderNoFrom) > 0) {
		return fmt.Errorf("either a column is sender_no or sender_no_from names columns")
	}
	for _, name := range f.SenderNoFrom {
		if !names[name] {
			return fmt.Errorf("sender_no_from: there is no column %q", name)
		}
	}
	for field := range f.Values {
		if !fields[field] {
			return fmt.Errorf("values: no column is %q", field)
		}
	}
	return nil
}

// Comma is the delimiter as a byte, for table.Rows.
func (f *Format) Comma() byte { return f.Delimiter[0] }

// NameOf is the sender's word for a field, such as displayed or call_time; the field itself when no column has it.
func (f *Format) NameOf(field string) string {
	for _, c := range f.Columns {
		if c.Field == field {
			return c.Name
		}
	}
	return field
}
