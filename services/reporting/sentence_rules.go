package reporting

import "strings"

// Stages of feedback that this package gives by itself.
const (
	feedbackAccepted = "accepted"
	feedbackResult   = "result"
	feedbackReopened = "reopened"
	feedbackWatching = "watching"
	feedbackReversed = "reversed" // 撤销告知
)

// unpublished is the code of a reversal with which a publication was withdrawn.
const unpublished = "unpublished"

// feedbackOfRound are the stages that all reports of a round are told alike, also those that join it later. The others
// depend on the report or on what it was asked.
var feedbackOfRound = []string{feedbackAccepted, "assigned", "measure"}

var feedbackStages = []string{
	feedbackAccepted, "not_accepted", "supplement_asked", "assigned", "checked", "measure", feedbackResult, feedbackReopened, feedbackWatching,
}

// sentences are what reporters are told, by stage and code; {office} is the office in charge. No sentence names a number
// or a party.
var sentences = map[string]map[string]string{
	feedbackAccepted: {
		"":       "您的举报已受理，将依法分送主管单位办理。",
		"joined": "您的举报已受理，已并入同一号码的在办事项一并核查处置。",
	},
	"not_accepted": {
		"":             "您的举报不予受理。",
		"no_call":      "您的举报不予受理：所述内容未涉及骚扰电话或短信。",
		"consented":    "您的举报不予受理：所述来电系您此前同意接听的服务来电，您可随时向对方撤回同意。",
		"out_of_scope": "您的举报不属于本机制受理范围，请向有权处理的部门反映。",
		"too_little":   "您的举报不予受理：现有信息不足以核查，您可补充信息后重新举报。",
		"abusive":      "您的举报不予受理：内容不符合举报要求。",
	},
	"supplement_asked": {
		"": "为核查您的举报，请凭受理号和查询码补充来电情况或证据材料。",
	},
	"assigned": {
		"":         "您的举报已分送{office}办理。",
		"criminal": "您的举报涉嫌违法犯罪，已转有关主管机关处理。如有紧急情况请拨打110。",
	},
	"checked": {
		"":                  "您的举报已完成核查。",
		"substantiated":     "您的举报经核查属实，主管单位将依法处置。",
		"not_substantiated": "您的举报经核查，未发现所述违规情形。",
		"no_evidence":       "您的举报经核查，现有证据不足以认定。",
	},
	"measure": {
		"": "主管单位已对所举报的号码采取处置措施。",
	},
	feedbackResult: {
		"":                  "您的举报已办结。",
		"measures":          "您的举报经核查属实，主管单位已依法采取处置措施。如仍收到同类来电，请在回访时告知。",
		"case":              "您的举报经核查属实，主管单位已立案查处。案件结果将依法公开。",
		"case_no_penalty":   "您的举报经核查属实，主管单位已立案查处，案件已依法办结，未予行政处罚。",
		"no_measure":        "您的举报经核查属实，情节轻微，主管单位已予提醒，未采取其他措施。",
		"not_substantiated": "您的举报经核查，未发现所述违规情形。",
		"no_evidence":       "您的举报经核查，现有证据不足以认定。如有新的证据，欢迎再次举报。",
		"not_accepted":      "您的举报不予受理。",
		"forged":            "经核查，来电显示的号码系伪造，与该号码的真实用户无关，已转入溯源处理。",
		"transferred":       "您的举报涉嫌违法犯罪，已移送有关主管机关处理。",
		"withdrawn":         "您的举报已按您的要求撤回。",
	},
	feedbackReopened: {
		"": "您反映的问题仍未停止，事项已重新办理。",
	},
	feedbackMoved: {
		"":         "您的举报已转入相关事项继续办理，受理号和查询码不变。",
		linkSplit:  "您的举报经甄别已另行立项办理，受理号和查询码不变。",
		linkMerged: "您的举报已与同一主体的其他举报并案办理，受理号和查询码不变。",
	},
	feedbackReversed: {
		"":          "您的举报所涉{office}作出的行政处罚决定已由有权机关依法撤销。",
		unpublished: "您的举报所涉{office}作出的行政处罚决定已由有权机关依法撤销，相关公示已撤回。",
	},
	feedbackWatching: {
		"": "该号码的在先事项已处置，正在回访观察期内。您的举报已计入，达到重新办理条件时将自动重新办理。",
	},
}

// sentence is what a reporter is told. An unknown code gets the stage's general sentence.
func sentence(stage, code, office string) string {
	of := sentences[stage]
	text, ok := of[code]
	if !ok {
		text = of[""]
	}
	if office == "" {
		office = "主管单位"
	}
	return strings.ReplaceAll(text, "{office}", office)
}
