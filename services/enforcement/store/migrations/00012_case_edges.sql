-- The edges of the state machine of a case: which step leads from which state to which, and by what article.

-- +goose Up
-- What moves a case: edges of the state machine as data. A step may have several; each names its article.
CREATE TABLE case_edge (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    step       text NOT NULL,
    article    text NOT NULL,
    CONSTRAINT case_edge_pkey PRIMARY KEY (from_state, to_state, step)
);
-- '=' is the state itself.
INSERT INTO case_edge (from_state, to_state, step, article)
SELECT f, CASE WHEN e.t = '=' THEN f ELSE e.t END, e.step, e.article
  FROM (VALUES
    (ARRAY['OPENED'], '=', 'open', '行政处罚法 第五十四条'),
    (ARRAY['OPENED'], 'INVESTIGATING', 'appoint', '行政处罚法 第四十二条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'appoint', '行政处罚法 第四十二条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'recuse', '行政处罚法 第四十三条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'dispute', '行政处罚法 第二十五条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'designate_case', '行政处罚法 第二十五条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'INVESTIGATING', 'designate_case', '行政处罚法 第二十五条'),
    (ARRAY['INVESTIGATING'], '=', 'investigate', '行政处罚法 第五十四条'),
    (ARRAY['INVESTIGATING'], '=', 'case_review', '行政处罚法 第五十七条'),
    (ARRAY['INVESTIGATING'], 'NOTICE_SERVED', 'serve_notice', '行政处罚法 第四十四条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'statement', '行政处罚法 第四十五条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'waiver', '行政处罚法 第四十五条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'hearing_request', '行政处罚法 第六十四条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'hearing_waiver', '行政处罚法 第六十四条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'hearing_withdrawn', '行政处罚法 第六十四条'),
    (ARRAY['NOTICE_SERVED'], 'STATEMENT', 'answer_statement', '行政处罚法 第四十五条'),
    (ARRAY['STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'answer_statement', '行政处罚法 第四十五条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'INVESTIGATING', 'answer_statement', '行政处罚法 第四十五条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'HEARING', 'announce_hearing', '行政处罚法 第六十四条'),
    (ARRAY['HEARING'], '=', 'hold_hearing', '行政处罚法 第六十四条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'LEGAL_REVIEW', 'legal_review', '行政处罚法 第五十八条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION','INVESTIGATING'], 'INVESTIGATING', 'legal_review', '行政处罚法 第五十八条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'DISCUSSION', 'discuss', '行政处罚法 第五十七条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'INVESTIGATING', 'discuss', '行政处罚法 第五十七条'),
    (ARRAY['NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'DECIDED', 'case_sign', '行政处罚法 第五十七条'),
    (ARRAY['INVESTIGATING','LEGAL_REVIEW','DISCUSSION'], 'NO_PENALTY', 'case_sign', '行政处罚法 第五十七条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'INVESTIGATING', 'case_sign', '行政处罚法 第五十七条'),
    (ARRAY['INVESTIGATING'], '=', 'onspot', '行政处罚法 第五十一条'),
    (ARRAY['INVESTIGATING'], 'NOTICE_SERVED', 'onspot', '行政处罚法 第四十四条'),
    (ARRAY['NOTICE_SERVED'], 'DECIDED', 'onspot', '行政处罚法 第五十一条'),
    (ARRAY['DECIDED'], 'DELIVERED', 'onspot', '行政处罚法 第五十二条'),
    (ARRAY['DELIVERED'], 'PERFORMING', 'onspot', '行政处罚法 第六十七条'),
    (ARRAY['DELIVERED'], 'CLOSED', 'onspot', '行政处罚法 第五十二条'),
    (ARRAY['DECIDED'], 'DELIVERED', 'deliver', '行政处罚法 第六十一条'),
    (ARRAY['DECIDED','NO_PENALTY'], '=', 'deliver', '行政处罚法 第六十一条'),
    (ARRAY['DELIVERED'], 'PERFORMING', 'deliver', '行政处罚法 第六十六条'),
    (ARRAY['DELIVERED','NO_PENALTY'], 'CLOSED', 'deliver', '行政处罚法 第六十一条'),
    (ARRAY['PERFORMING'], '=', 'confirm_performance', '行政处罚法 第六十六条'),
    (ARRAY['PERFORMING'], '=', 'instalments_sign', '行政处罚法 第六十六条'),
    (ARRAY['PERFORMING','DEMANDED'], 'PERFORMED', 'confirm_performance', '行政处罚法 第六十七条'),
    (ARRAY['PERFORMED'], 'CLOSED', 'confirm_performance', '行政处罚法 第六十七条'),
    (ARRAY['PERFORMING'], 'DEMANDED', 'demand', '行政强制法 第五十四条'),
    (ARRAY['DEMANDED'], '=', 'apply_court', '行政强制法 第五十三条'),
    (ARRAY['DEMANDED'], 'PERFORMING', 'apply_court', '行政强制法 第五十三条'),
    (ARRAY['DEMANDED'], 'ENFORCED', 'court_result', '行政处罚法 第七十二条'),
    (ARRAY['ENFORCED'], 'CLOSED', 'court_result', '行政处罚法 第七十二条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'transfer_approve', '行政处罚法 第二十七条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], 'TRANSFERRED', 'transfer_send', '行政处罚法 第二十七条'),
    (ARRAY['TRANSFERRED'], '=', 'police_decide', '行政执法机关移送涉嫌犯罪案件的规定 第八条'),
    (ARRAY['TRANSFERRED'], 'INVESTIGATING', 'police_decide', '行政处罚法 第二十七条'),
    (ARRAY['TRANSFERRED'], 'CLOSED', 'police_result', '行政处罚法 第二十七条'),
    (ARRAY['TRANSFERRED'], 'INVESTIGATING', 'police_result', '行政处罚法 第二十七条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION'], '=', 'extend_sign', '行政处罚法 第六十条'),
    (ARRAY['DECIDED','DELIVERED','PERFORMING','PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED'], '=', 'reverse', '行政处罚法 第七十五条'),
    (ARRAY['DECIDED','DELIVERED','PERFORMING','PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED'], 'REVERSED', 'reverse', '行政处罚法 第七十五条'),
    (ARRAY['DECIDED','DELIVERED','PERFORMING','PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED'], '=', 'remedy', '行政处罚法 第七十三条'),
    (ARRAY['DECIDED','DELIVERED','PERFORMING','PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED'], 'REVERSED', 'remedy', '行政处罚法 第四十八条'),
    (ARRAY['REVERSED'], '=', 'remedy', '行政处罚法 第七十三条'),
    (ARRAY['REVERSED'], 'CLOSED', 'withdrawn', '行政处罚法 第四十八条'),
    (ARRAY['DELIVERED','PERFORMING','PERFORMED','DEMANDED','ENFORCED','CLOSED','REVERSED'], '=', 'payment', '行政处罚法 第六十七条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION','DECIDED','DELIVERED','PERFORMING',
        'PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED'], '=', 'request', '行政处罚法 第四十七条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','STATEMENT','HEARING','LEGAL_REVIEW','DISCUSSION','DECIDED','DELIVERED','PERFORMING',
        'PERFORMED','DEMANDED','ENFORCED','NO_PENALTY','CLOSED','TRANSFERRED','REVERSED'], '=', 'late', '行政处罚法 第四十七条'),
    (ARRAY['OPENED','INVESTIGATING','NOTICE_SERVED','DECIDED','CLOSED'], '=', 'before', '行政处罚法 第四十七条'),
    (ARRAY['OPENED'], 'INVESTIGATING', 'before', '行政处罚法 第五十四条'),
    (ARRAY['INVESTIGATING'], 'NOTICE_SERVED', 'before', '行政处罚法 第四十四条'),
    (ARRAY['INVESTIGATING','NOTICE_SERVED'], 'DECIDED', 'before', '行政处罚法 第五十七条'),
    (ARRAY['DECIDED'], 'CLOSED', 'before', '行政处罚法 第六十一条')
  ) AS e (f_all, t, step, article), unnest(e.f_all) AS f
ON CONFLICT DO NOTHING;
GRANT SELECT ON case_edge TO enforcement;

-- +goose Down
DROP TABLE case_edge;
