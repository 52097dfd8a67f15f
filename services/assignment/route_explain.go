package assignment

import (
	"strings"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Names of codes for sentences (中文名称).
var (
	categoryTexts = map[string]string{commercial: "商业营销", malicious: "恶意骚扰", criminal: "违法犯罪"}
	sectorTexts   = map[string]string{
		"loans": "贷款理财", "credit_card": "信用卡", "insurance": "保险", "securities": "证券股票", "funds": "基金", "real_estate": "房产中介",
		"education": "教育培训", "medical_maternity": "医疗和母婴保健", "medical_beauty": "医疗美容", "health_food": "保健食品",
		"recruitment": "人才招聘", "housekeeping": "家政服务", "travel": "旅游签证", "retail": "零售推销", "telecom": "电信业务",
		"debt_collection": "催收", "other": "其他",
	}
	regionTexts = map[string]string{byAccess: "接入地", byNumber: "号码归属地", byReporters: "多数举报人所在地"}
	lenderTexts = map[string]string{"licensed": "持牌机构放贷", "small_lender": "小额贷款公司放贷", "unlicensed": "无照放贷"}
	reasonTexts = map[string]string{noCompetentAgency: "没有已明确的主管部门", ruleFailed: "规则条件无法判断"}
)

// explain is the route in one sentence: what it is about, by which region, who leads by which row, who takes part, and on
// what ground. It names agencies and codes only.
func (r *routing) explain(resp *assignmentv1.RouteResponse) string {
	var b strings.Builder
	b.WriteString(r.about())
	b.WriteString(",")
	if place := r.place(); place != "" {
		b.WriteString(regionTexts[r.source] + place + ",")
	} else {
		b.WriteString("地域不明,")
	}
	switch {
	case !resp.GetSettled():
		b.WriteString("主管不明确(" + orCode(reasonTexts, resp.GetUnsettledReason()) + "),由" + resp.GetLeadName() + "确定主办单位")
	case r.aside != "":
		b.WriteString(r.name(r.aside) + "是被举报单位,应当回避,由" + resp.GetLeadName() + "主办")
	case resp.GetForOnwardAssignment():
		b.WriteString("由" + resp.GetLeadName() + "转办")
	default:
		b.WriteString("由" + resp.GetLeadName() + "主办")
	}
	b.WriteString("(规则 " + resp.GetRuleId() + ",路由表 " + resp.GetVersion() + ")")
	if len(resp.GetCoAgencyIds()) > 0 {
		names := make([]string, len(resp.GetCoAgencyIds()))
		for i, id := range resp.GetCoAgencyIds() {
			names[i] = r.name(id)
		}
		b.WriteString("," + strings.Join(names, "、") + "协办")
	}
	if r.forged() { // nobody holds it: it is traced back from where the call came in
		b.WriteString(",由接收来电的企业溯源,企业不明的由" + r.name(resp.GetVerifierAgencyId()) + "溯源")
	} else {
		b.WriteString("," + r.name(resp.GetVerifierAgencyId()) + "核查号码")
	}
	if source := r.rule.GetSource(); source != "" {
		b.WriteString(",依据:" + source)
	}
	return b.String() + "。"
}

// namedTexts say how a lead was named that stands whatever the table says.
var namedTexts = map[string]string{
	designated: "指定管辖", coordinationOpinion: "出具协调意见", jointMeeting: "联席会议", reassigned: "退办后改派", "centre": "举报中心确定主办单位",
	"reopened": "超过重新办理次数",
}

// explainNamed says in the sentence of a route that its lead was named, how and by whom, and what the table would have said.
func (v view) explainNamed(req *assignmentv1.RouteComplaintRequest, table string) string {
	lead, by, how := v.name(req.GetNamedLeadId()), "", namedTexts[req.GetNamedHow()]
	if id := req.GetNamedById(); id != "" {
		by = v.name(id)
	}
	switch {
	case how == "":
		how = "主办单位已指定"
	case req.GetNamedHow() == jointMeeting:
		return how + "议定前由" + lead + "暂行主办;按路由表:" + table
	}
	return by + how + ",由" + lead + "主办;按路由表:" + table
}

// about is what the matter is about.
func (r *routing) about() string {
	what := orCode(categoryTexts, r.req.GetCategory())
	if sector := orCode(sectorTexts, r.req.GetSector()); sector != "" && what != "" {
		what += "—" + sector
	} else {
		what += sector
	}
	if what == "" {
		return "类别不明"
	}
	what += "类"
	// in a crime a licensed lender is who was impersonated, not who lends
	impersonated := r.req.GetCategory() == criminal && r.req.GetLender() == "licensed"
	if lender := lenderTexts[r.req.GetLender()]; lender != "" && !impersonated {
		what += "(" + lender + ")"
	}
	if r.forged() {
		what += ",主叫系伪造"
	}
	return what
}

func (r *routing) forged() bool { return strings.HasSuffix(r.req.GetNumberKind(), "_spoofed") }

// place is the province's name, by its communications administration.
func (r *routing) place() string {
	if r.province == "" {
		return ""
	}
	return strings.TrimSuffix(r.name("ca-"+r.province), "通信管理局")
}

// orCode is the name of a code, or the code itself.
func orCode(names map[string]string, code string) string {
	if name, ok := names[code]; ok {
		return name
	}
	return code
}
