package enforcement

import (
	"strings"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// sheet is what a template is filled with: texts only, so that a template can show them and do nothing else.
type sheet struct {
	Draft                                          bool
	No, Kind, Date, CaseNo, Corrects               string
	Office, ReviewBody, Court, Contact             string
	Party, CreditCode, Role, Act                   string
	Person, HearingGranted                         bool
	Facts, Reasons, Defence, Payment, Ground       string
	Evidence, Basis, Orders, Attachments           []string
	Fine, FineWords, Confiscation                  string
	ConfiscationWords, Owed, OwedWords             string
	PerformBy, HearingTime, HearingPlace           string
	HearingChair, Recipient, ReferenceNo           string
	FirstMonth, LastMonth                          string
	ServedName, ServedNo, ServedMethod, ServedTime string
	Signer, SignedTime, Server                     string
	Address, Place, Time                           string
	StatementBy, HearingBy, PayBy                  string
	Officers                                       []string

	short string
}

var roleWords = map[string]string{
	"advertiser": "广告主", "caller": "号码使用主体", "data_supplier": "信息提供者", "access_operator": "接入企业",
}

var methodWords = map[string]string{
	"direct": "直接送达", "left": "留置送达", "mail": "邮寄送达", "entrusted": "委托送达", "electronic": "电子送达",
	"public_notice": "公告送达", "onspot": "当场交付",
}

// need is a field that a kind of document must have.
type need struct {
	field string
	lacks func(*enforcementv1.DocumentFacts) bool
}

var (
	needFacts    = need{"facts", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetFacts()) }}
	needEvidence = need{"evidence", func(f *enforcementv1.DocumentFacts) bool { return len(f.GetEvidence()) == 0 }}
	needReasons  = need{"reasons", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetReasons()) }}
	needBasis    = need{"basis", func(f *enforcementv1.DocumentFacts) bool { return len(f.GetBasis()) == 0 }}
	needOrders   = need{"orders", func(f *enforcementv1.DocumentFacts) bool { return len(f.GetOrders()) == 0 }}
	needContent  = need{"orders", func(f *enforcementv1.DocumentFacts) bool {
		return len(f.GetOrders()) == 0 && f.GetFine().GetFen() == 0 && f.GetConfiscation().GetFen() == 0
	}}
	needPayment = need{"payment", func(f *enforcementv1.DocumentFacts) bool {
		return blank(f.GetPayment()) && f.GetFine().GetFen()+f.GetConfiscation().GetFen() > 0
	}}
	needPerformBy = need{"perform_by", func(f *enforcementv1.DocumentFacts) bool { return f.GetPerformBy() == nil }}
	needReference = need{"reference_no", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetReferenceNo()) }}
	needGround    = need{"ground", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetGround()) }}
)

// needs are the fields of each kind, by the articles that say what it must hold.
var needs = map[string]struct {
	article string
	fields  []need
}{
	docNotice: {"行政处罚法 第四十四条", []need{needFacts, needReasons, needBasis, needContent}},
	docHearing: {"行政处罚法 第六十四条", []need{
		{"hearing_time", func(f *enforcementv1.DocumentFacts) bool { return f.GetHearingTime() == nil }},
		{"hearing_place", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetHearingPlace()) }},
		{"hearing_chair", func(f *enforcementv1.DocumentFacts) bool { return !isName(f.GetHearingChair()) }},
	}},
	docDecision:  {"行政处罚法 第五十九条", []need{needFacts, needEvidence, needBasis, needContent, needPayment}},
	docOnspot:    {"行政处罚法 第五十二条", []need{needFacts, needBasis, needContent, needPayment}},
	docNoPenalty: {"行政处罚法 第三十三条、第五十七条", []need{needFacts, needGround}},
	docTransfer: {"行政执法机关移送涉嫌犯罪案件的规定 第六条", []need{needFacts, needBasis,
		{"recipient", func(f *enforcementv1.DocumentFacts) bool { return blank(f.GetRecipient()) }},
		{"attachments", func(f *enforcementv1.DocumentFacts) bool { return len(f.GetAttachments()) == 0 }},
	}},
	docDemand:   {"行政强制法 第三十五条", []need{needReference, needPerformBy, {"owed", func(f *enforcementv1.DocumentFacts) bool { return f.GetOwed().GetFen() == 0 && len(f.GetOrders()) == 0 }}}},
	docReminder: {"工作方案", []need{needFacts, needOrders}},
	docOrder:    {"行政处罚法 第二十八条", []need{needFacts, needBasis, needOrders, needPerformBy}},
	docConsentDemand: {"行政处罚法 第五十五条", []need{needPerformBy,
		{"first_month", func(f *enforcementv1.DocumentFacts) bool { return f.GetFirstMonth() == "" || f.GetLastMonth() == "" }},
	}},
	docPublication: {"行政处罚法 第四十八条", []need{needFacts, needBasis, needReference, needContent}},
	docReceipt:     {"行政处罚法 第六十一条", nil},
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// checkFacts refuses a document that lacks what its kind must hold, or that says what its readers must not learn.
func checkFacts(kind string, f *enforcementv1.DocumentFacts, open bool, creditCode string) error {
	n, known := needs[kind]
	if !known {
		return errs.Field("kind", "must be a kind of documents")
	}
	for _, field := range n.fields {
		if field.lacks(f) {
			return errs.Field("facts."+field.field, "must be given (%s)", n.article)
		}
	}
	if f.GetFine().GetFen() < 0 || f.GetConfiscation().GetFen() < 0 || f.GetOwed().GetFen() < 0 {
		return errs.Field("facts", "must not have negative amounts")
	}
	if !open {
		return nil
	}
	return checkOpenTexts(f, creditCode)
}

// fill writes the facts into the sheet.
func (sh *sheet) fill(d drawing) error {
	f := d.Facts
	sh.HearingGranted = f.GetHearingGranted()
	sh.Facts, sh.Reasons, sh.Defence, sh.Payment, sh.Ground = f.GetFacts(), f.GetReasons(), f.GetDefence(), f.GetPayment(), f.GetGround()
	sh.Evidence, sh.Orders, sh.Attachments = f.GetEvidence(), f.GetOrders(), f.GetAttachments()
	for _, b := range f.GetBasis() {
		sh.Basis = append(sh.Basis, lawMarks(b))
	}
	sh.Reasons, sh.Ground, sh.Payment = lawMarks(sh.Reasons), lawMarks(sh.Ground), lawMarks(sh.Payment)
	sh.set(d.Set)
	sh.Fine, sh.FineWords = amount(f.GetFine())
	sh.Confiscation, sh.ConfiscationWords = amount(f.GetConfiscation())
	sh.Owed, sh.OwedWords = amount(f.GetOwed())
	sh.HearingPlace, sh.HearingChair, sh.Recipient, sh.ReferenceNo = f.GetHearingPlace(), f.GetHearingChair(), f.GetRecipient(), f.GetReferenceNo()
	if f.GetPerformBy() != nil {
		sh.PerformBy = dayWords(f.GetPerformBy().AsTime())
	}
	if f.GetHearingTime() != nil {
		sh.HearingTime = timeWords(f.GetHearingTime().AsTime())
	}
	if f.GetFirstMonth() != "" {
		var err error
		if sh.FirstMonth, err = monthWords(f.GetFirstMonth()); err != nil {
			return errs.Field("facts.first_month", "must be a month")
		}
		if sh.LastMonth, err = monthWords(f.GetLastMonth()); err != nil {
			return errs.Field("facts.last_month", "must be a month")
		}
	}
	if r := d.Receipt; r != nil {
		sh.ServedName, sh.ServedNo, sh.ServedMethod, sh.Signer = r.Name, r.No, methodWords[r.Method], r.Signer
		sh.ServedTime, sh.Server = timeWords(r.Served), r.Server
		if !r.Signed.IsZero() {
			sh.SignedTime = timeWords(r.Signed)
		}
	}
	return nil
}

// set writes the setting of a document.
func (sh *sheet) set(s *setting) {
	if s == nil {
		return
	}
	sh.Place = s.Place
	if !s.Time.IsZero() {
		sh.Time = timeWords(s.Time)
	}
	if !s.StatementBy.IsZero() {
		sh.StatementBy = lastDay(s.StatementBy)
	}
	if !s.Perform.IsZero() {
		sh.PayBy = lastDay(s.Perform)
	}
}

func amount(m *commonv1.Money) (figures, words string) {
	if m.GetFen() == 0 {
		return "", ""
	}
	return yuan(m.GetFen()), yuanWords(m.GetFen())
}
