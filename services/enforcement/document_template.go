package enforcement

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/enforcement/store"
)

// maxDocument bounds what a template may make of its facts.
const maxDocument = 1 << 20

//go:embed template/*.html
var builtIn embed.FS

// common are the head and foot that all documents share, built-in ones and offices' own.
var common = template.Must(template.New("").Funcs(template.FuncMap{"need": needed}).Option("missingkey=error").
	ParseFS(builtIn, "template/common.html"))

// form is a template with what is kept of it beside the document.
type form struct {
	version int32
	sum     [sha256.Size]byte
	body    string
	parsed  *template.Template
}

// needed makes a document fail when something is missing in it, instead of leaving a gap.
func needed(what string, value any) (any, error) {
	switch v := value.(type) {
	case string:
		if blank(v) {
			return nil, missing(what)
		}
	case []string:
		if len(v) == 0 {
			return nil, missing(what)
		}
	}
	return value, nil
}

type missing string

func (m missing) Error() string { return "the document lacks " + string(m) }

// parse reads a template: the common parts and its own body.
func parse(body string, version int32) (form, error) {
	t, err := common.Clone()
	if err == nil {
		t, err = t.New("document").Parse(body)
	}
	if err != nil {
		return form{}, errs.Field("body", "is not a template: %s", firstLine(err))
	}
	return form{version: version, sum: sha256.Sum256([]byte(body)), body: body, parsed: t}, nil
}

// templateFor is the template in force for an agency: its own, the one put for all, or the built-in one.
func (s *Server) templateFor(ctx context.Context, q *store.Queries, kind, agency string, at time.Time) (form, error) {
	row, err := q.DocumentTemplate(ctx, store.DocumentTemplateParams{Kind: kind, AgencyID: agency, At: at})
	if err == nil {
		return parse(row.Body, row.Version)
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return form{}, err
	}
	return builtInForm(kind)
}

func builtInForm(kind string) (form, error) {
	body, err := builtIn.ReadFile("template/" + kind + ".html")
	if err != nil {
		return form{}, fmt.Errorf("no template of %s: %w", kind, err)
	}
	return parse(string(body), 0)
}

// render fills the template.
func (f form) render(sh *sheet) ([]byte, error) {
	out := &bounded{}
	err := f.parsed.Execute(out, sh)
	var lacks missing
	switch {
	case errors.As(err, &lacks):
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "%s", lacks)
	case out.over:
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TOO_LARGE, "the document is larger than %d bytes", maxDocument)
	case err != nil:
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the template does not fit its document: %s", firstLine(err))
	}
	return out.Bytes(), nil
}

// bounded is a buffer that does not grow beyond maxDocument.
type bounded struct {
	bytes.Buffer

	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxDocument {
		b.over = true
		return 0, errors.New("too large")
	}
	return b.Buffer.Write(p)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(line, "template: ")
}

// checkTemplate refuses a template that loads anything from outside, or that leaves out what the law asks of its kind: it
// is filled with a sample whose every text is known, and each that the kind needs must come out.
func checkTemplate(kind, body string) (form, error) {
	if at := outside.FindString(body); at != "" {
		return form{}, errs.Field("body", "must not hold %q: a document stands alone, without scripts, styles of its own, pictures or links", at)
	}
	f, err := parse(body, 0)
	if err != nil {
		return f, err
	}
	sample, marks := sampleSheet(kind)
	html, err := f.render(sample)
	if err != nil {
		return f, err
	}
	for _, mark := range marks {
		if !bytes.Contains(html, []byte(mark)) {
			return f, errs.Field("body", "leaves out %s, which the law asks for (%s)", mark, needs[kind].article)
		}
	}
	return f, nil
}

// sampleSheet is a sheet full of marks, and those that a template of the kind must show.
func sampleSheet(kind string) (*sheet, []string) {
	sh := &sheet{
		No: "〈文号〉", Kind: "〈文书名称〉", Date: "〈日期〉", CaseNo: "〈案号〉", Office: "〈机关名称〉", ReviewBody: "〈复议机关〉", Court: "〈管辖法院〉",
		Contact: "〈联系方式〉", Party: "〈当事人〉", CreditCode: "〈信用代码〉", Role: "〈链条角色〉", Act: "〈违法行为〉", HearingGranted: true,
		Facts: "〈事实〉", Reasons: "〈理由〉", Defence: "〈申辩采纳情况〉", Payment: "〈缴款方式〉", Ground: "〈不予处罚事由〉",
		Evidence: []string{"〈证据〉"}, Basis: []string{"〈依据〉"}, Orders: []string{"〈内容〉"}, Attachments: []string{"〈材料〉"},
		Fine: "〈罚款〉", FineWords: "〈罚款大写〉", Confiscation: "〈没收〉", ConfiscationWords: "〈没收大写〉", Owed: "〈尚欠〉", OwedWords: "〈尚欠大写〉",
		PerformBy: "〈期限〉", HearingTime: "〈听证时间〉", HearingPlace: "〈听证地点〉", HearingChair: "〈主持人〉", Recipient: "〈移送机关〉",
		ReferenceNo: "〈所依文号〉", FirstMonth: "〈起始月〉", LastMonth: "〈截止月〉", ServedName: "〈送达文书〉", ServedNo: "〈送达文号〉",
		Address: "〈地址〉", Place: "〈地点〉", Time: "〈时间〉", StatementBy: "〈申辩截止〉", PayBy: "〈履行截止〉", Officers: []string{"〈执法人员〉"},
		ServedMethod: "〈送达方式〉", ServedTime: "〈送达时间〉", Signer: "〈签收人〉", SignedTime: "〈签收时间〉", Server: "〈送达人〉",
	}
	all := []string{sh.No, sh.Date, sh.Office, "印章"}
	return sh, append(all, map[string][]string{
		docNotice:   {sh.Party, sh.Facts, sh.Reasons, sh.Basis[0], sh.Orders[0], sh.FineWords, "陈述", "申辩", "听证", sh.Contact},
		docHearing:  {sh.Party, sh.HearingTime, sh.HearingPlace, sh.HearingChair, sh.Contact},
		docDecision: {sh.Party, sh.Address, sh.Facts, sh.Evidence[0], sh.Basis[0], sh.Orders[0], sh.FineWords, sh.Payment, "十五日", sh.ReviewBody, sh.Court, "六十日", "六个月"},
		docOnspot: {sh.Party, sh.Facts, sh.Basis[0], sh.Orders[0], sh.FineWords, sh.Payment, sh.Time, sh.Place, sh.Officers[0], "当场", "签名",
			"十五日", "先向" + sh.ReviewBody, sh.Court, "六十日"},
		docNoPenalty:     {sh.Party, sh.Facts, sh.Ground, sh.ReviewBody, sh.Court},
		docTransfer:      {sh.Party, sh.Facts, sh.Basis[0], sh.Recipient, sh.Attachments[0]},
		docDemand:        {sh.Party, sh.ReferenceNo, sh.PerformBy, sh.OwedWords, "陈述", "申辩"},
		docReminder:      {sh.Party, sh.Facts, sh.Orders[0]},
		docOrder:         {sh.Party, sh.Facts, sh.Basis[0], sh.Orders[0], sh.PerformBy, sh.ReviewBody},
		docConsentDemand: {sh.Party, sh.FirstMonth, sh.LastMonth, sh.PerformBy},
		docPublication:   {sh.Party, sh.Facts, sh.Basis[0], sh.ReferenceNo, sh.FineWords},
		docReceipt:       {sh.Party, sh.ServedName, sh.ServedNo, sh.ServedMethod, sh.ServedTime, sh.Signer, sh.SignedTime},
	}[kind]...)
}
