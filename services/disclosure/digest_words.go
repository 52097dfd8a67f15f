package disclosure

import (
	"fmt"
	"strings"
)

// words are what keys of a table are called in Chinese. Keys that are not here are called by what the directory of agencies
// says, or else by themselves.
var words = map[string]map[string]string{
	"total": {"verified": "计入统计的举报", "unverified": "未经验证的举报(另计)", "same_call": "同一来电的重复举报(不计)"},
	"category": {
		"commercial": "商业营销类", "malicious": "恶意骚扰类", "criminal": "违法犯罪类", "unknown": "未归类",
	},
	"sector": {
		"loans": "贷款理财", "credit_card": "信用卡", "insurance": "保险推销", "securities": "证券股票", "funds": "基金", "real_estate": "房产中介",
		"education": "教育培训", "medical_maternity": "医疗与妇幼保健", "medical_beauty": "医疗美容", "health_food": "保健食品",
		"recruitment": "人才招聘", "housekeeping": "家政服务", "travel": "旅游签证", "retail": "零售推销", "telecom": "电信业务",
		"debt_collection": "违规催收", "other": "其他行业", "unknown": "行业不明",
	},
	"method": {
		"human": "人工拨打", "manual": "人工拨打", "recorded": "录音播放", "robot": "机器人外呼", "one_ring": "响一声", "bombing": "呼死你",
		"silent": "接通无声", "sms": "短信", "other": "其他方式", "unknown": "方式不明",
	},
	"number_kind": {
		"mobile": "移动电话(基础企业号段)", resale: "移动电话(转售号段)", "landline": "固定电话", "code400": "400号码", "code95_enterprise": "95号码(企业客服)",
		"code95_callcentre": "95号码(呼叫中心)", "code95_public": "95号码(公共服务)", "code96": "96号码", "area+96": "区号+96号码",
		"carrier1xx": "运营企业客服号码", "public12x": "公共服务号码", "sms106": "106短信号码", "foreign": "境外号码", "code95_spoofed": "伪造95号码",
		"public_spoofed": "伪造公共服务号码", "carrier_spoofed": "伪造运营企业号码", "text": "文字", "empty": "无号码", "invalid": "无效号码", "iot": "物联网号码",
		"unknown": "不明",
	},
	"operator": {"cmcc": "中国移动", "ctcc": "中国电信", "cucc": "中国联通", "cbn": "中国广电", "unknown": "不明或无"},
	"channel": {
		"web": "网站", "app": "客户端", "mini_program": "小程序", "phone": "电话", "operator": "基础电信企业", "agency": "行业主管部门", "police": "公安机关",
		"other": "其他渠道", "unknown": "不明",
	},
	"relapse":           {"relapse": "处置后再次来电(回潮)", "first": "其他"},
	"complaint_relapse": {"reopened": "重新办理的事项", "not_reopened": "未重新办理的事项"},
	"origin":            {"report": "由举报形成", "marks": "由标记线索形成"},
	"outcome": {
		"open": "办理中", "not_accepted": "不予受理", "withdrawn": "举报人撤回", "merged": "并入其他事项", "transferred": "移送公安机关", "handled": "已处置",
		"penalty": "已处罚", "no_measure": "未采取措施", "not_substantiated": "经核查不属实", "no_evidence": "证据不足", "not_found": "未查到来电",
		"forged": "虚假主叫", "measures": "已采取措施", "case": "已立案", "measures_and_case": "已采取措施并立案", "case_no_penalty": "案件未予处罚",
		"clue_found": "线索查有来电", "clue_not_found": "线索未查到来电", "clue_forged": "线索为虚假主叫",
	},
	"step": {
		"accept": "受理", "assign": "分办", "preserve": "证据保全", "number_check": "号码核查", "traceback": "溯源", "fact_check": "事实核查",
		"designate": "指定管辖", "recheck": "复核", "late_check": "补充核查", "transfer": "公安受理", "handle": "处置", "review": "审核", "sign": "签发",
		"execute": "执行", "investigate": "调查", "case_review": "案件审核", "serve_notice": "告知", "case_sign": "案件签发", "deliver": "送达",
		"case_open": "立案", "appoint": "指派办案人员", "answer_statement": "复核陈述申辩", "announce_hearing": "听证通知", "hold_hearing": "听证",
		"legal_review": "法制审核", "discuss": "集体讨论", "onspot": "当场处罚", "confirm_performance": "核实履行", "instalments_sign": "分期延期审批",
		"demand": "催告", "apply_court": "申请强制执行", "court_result": "强制执行结果", "transfer_approve": "移送审批", "transfer_send": "案件移送",
		"police_decide": "公安立案审查", "police_result": "公安办理结果", "extend_sign": "延期审批", "reverse": "撤销决定", "designate_case": "案件指定管辖",
		"recall_review": "收回码号审核", "recall_sign": "收回码号签发", "decide_objection": "异议处理", "appeal_review": "申诉受理", "appeal_answer": "申诉答复",
		"restore": "恢复码号", "audit_rectify": "检查整改", "audit_accept": "整改验收", "listing_review": "列入名单审核", "listing_notify": "列入告知",
		"listing_objection": "列入异议处理", "listing_sign": "列入签发", "repair_review": "信用修复审核", "lift_measure": "解除惩戒措施",
		"publication_review": "公示审核", "publication_sign": "公示签发",
	},
	"penalty": {
		"none": "不予处罚", "warning": "警告", "criticism": "通报批评", "fine": "罚款", "confiscation": "没收违法所得", "closure": "责令停业",
		"revocation": "吊销许可证件", "detention": "行政拘留",
	},
	"measure": {
		"caution": "警示", "interview": "约谈", "reminder_letter": "提示函", "warn_holder": "约谈警示使用主体", "criticism": "行业内通报", "rectify_order": "责令限期改正", "suspend_number": "暂停码号或线路使用",
		"restrict_outbound": "限制外呼", "mark_risk": "来电风险提示", "intercept": "网内拦截", "refer_platform": "移送互联网平台清理信息",
	},
	"mark_label": {
		"harassment": "骚扰", "one_ring": "响一声", "bombing": "呼死你", "debt_collection": "催收", "fraud": "诈骗", "fake_papers": "发票办证",
		"illegal_finance": "非法金融", "advertising": "广告推销", "real_estate": "房产中介", "insurance": "保险理财", "loans": "贷款理财",
		"credit_card": "信用卡", "securities": "证券股票", "funds": "基金", "education": "教育培训", "medical_beauty": "医疗美容",
		"medical_maternity": "医疗与妇幼保健", "health_food": "保健食品", "recruitment": "招聘猎头", "housekeeping": "家政服务", "travel": "旅游",
		"retail": "零售推销", "telecom": "电信业务", "delivery": "快递送餐", "taxi": "出租车", "service": "客服", "other": "其他",
	},
	"agency": {"none": "尚无主办单位"},
	"region": {
		"11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古", "21": "辽宁", "22": "吉林", "23": "黑龙江", "31": "上海", "32": "江苏",
		"33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东", "41": "河南", "42": "湖北", "43": "湖南", "44": "广东", "45": "广西",
		"46": "海南", "50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏", "61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏",
		"65": "新疆", "71": "台湾", "81": "香港", "82": "澳门", "unknown": "不明",
	},
}

// labelOf is what a key is called.
func labelOf(vocabulary, key string, names map[string]string) string {
	switch vocabulary {
	case "hour":
		if len(key) == 2 {
			return key + "时"
		}
	case "segment":
		return key + "号段"
	}
	if name, ok := words[vocabulary][key]; ok {
		return name
	}
	if name, ok := names[key]; ok {
		return name
	}
	return key
}

// labelOfGroup names a row of the public edition.
func labelOfGroup(g group, vocabulary string, least int64, names map[string]string) string {
	switch {
	case len(g) == 1:
		return labelOf(vocabulary, g[0].key, names)
	case g.small(least):
		return fmt.Sprintf("其他(各少于%d人)", least)
	default:
		var large []string
		few := false
		for _, c := range g {
			if c.people.size() >= least {
				large = append(large, labelOf(vocabulary, c.key, names))
			} else {
				few = true
			}
		}
		label := strings.Join(large, "、")
		if few {
			label += fmt.Sprintf("及其他(少于%d人)", least)
		}
		return label
	}
}
