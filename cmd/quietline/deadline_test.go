package main

// A hearing on 2026-10-12 shows the last day for its announcement: seven working days lie between, across the national
// holiday and mid-autumn.
func Example_hearingIsAnnouncedBy() {
	if err := (deadlineCmd{Basis: "hearing_notice_7wd", From: "2026-10-12T09:00"}).Run(); err != nil {
		panic(err)
	}
	// Output:
	// 2026-09-23 23:59:59
	// 7 wd before 2026-10-12: [10-11 weekend], 10-10 (worked Saturday), 10-9, 10-8, [10-1 to 10-7 holiday], 9-30, 9-29, 9-28, [9-25 to 9-27 holiday], 9-24, at the latest 9-23
	// 行政处罚法 第六十四条、第八十五条 (听证的七日前通知，七日为工作日)
}

// A term shows how it was counted, what can extend it, and what it stands still for.
func Example_termsOfACheck() {
	if err := (deadlineCmd{Basis: "evidence_registration_7wd", From: "2026-09-30"}).Run(); err != nil {
		panic(err)
	}
	if err := (deadlineCmd{Basis: "fact_check_15wd", From: "2026-11-02"}).Run(); err != nil {
		panic(err)
	}
	// Output:
	// 2026-10-15 23:59:59
	// 7 wd from 2026-09-30: [10-1 to 10-7 holiday], 10-8, 10-9, 10-10 (worked Saturday), [10-11 weekend], 10-12, 10-13, 10-14, 10-15
	// 行政处罚法 第五十六条、第八十五条 (先行登记保存的 7 日为工作日)
	// 2026-11-23 23:59:59
	// 15 wd from 2026-11-02: 11-3, 11-4, 11-5, 11-6, [11-7 to 11-8 weekend], 11-9, 11-10, 11-11, 11-12, 11-13, [11-14 to 11-15 weekend], 11-16, 11-17, 11-18, 11-19, 11-20, [11-21 to 11-22 weekend], 11-23
	// 市场监督管理投诉举报处理暂行办法 第二十一条 (15 个工作日内核查)
	// may be extended 1 times by fact_check_extend_15wd: 市场监督管理投诉举报处理暂行办法 第二十一条 (特殊情况可以延长 15 个工作日)
	// stands still for appraisal: 市场监督管理投诉举报处理暂行办法 (检测、检验、鉴定所需时间不计入; to confirm)
	// stands still for assistance: programme (to confirm): 请求协助期间; 行政处罚法 第二十六条
}
