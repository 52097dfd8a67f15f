-- Who may take which measure, the liability chain of a complaint (责任链), responsible persons (责任人), and substantiated
-- findings without a disposition (有案必查、查实必罚).

-- +goose Up

-- Who may take a measure short of penalty (措施主体): family and level as in penalty_power; family '*' is every body but
-- those of kind operator, centre and association.
CREATE TABLE measure_power (
    measure_code text        NOT NULL,
    family       text        NOT NULL,
    level        text        NOT NULL DEFAULT '',
    basis        text        NOT NULL,
    to_confirm   text        NOT NULL DEFAULT '',
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT measure_power_pkey PRIMARY KEY (measure_code, family, level, valid_from),
    CONSTRAINT measure_power_level CHECK (level IN ('', 'national', 'provincial'))
);

-- Families that are no administrative body: what '*' leaves out.
CREATE TABLE not_administrative (
    family text PRIMARY KEY,
    source text NOT NULL
);
INSERT INTO not_administrative (family, source) VALUES
    ('cmcc', '电信企业'), ('ctcc', '电信企业'), ('cucc', '电信企业'), ('cbn', '电信企业'), ('mvno', '移动转售企业'),
    ('centre', '举报受理中心'), ('isc', '行业协会'), ('spc', '只提供法律指导'), ('spp', '只提供法律指导'), ('moj', '只推动完善法律规定');

-- Measures of their own: 警示, 约谈, 提示函. What was in the catalogue stays in use.
INSERT INTO measure (code, name, kind, weighs, executor, ledger_action, basis, nature, to_confirm, valid_from) VALUES
    ('caution', '警示', 'administrative', false, 'self', '', '工作方案:监督检查中的书面警示(不属于行政处罚法第九条的警告)', '', true, '2018-11-01T00:00:00+08:00'),
    ('interview', '约谈', 'administrative', false, 'self', '', '工作方案:约谈;反电信网络诈骗法、网络安全法的约谈', '', true, '2018-11-01T00:00:00+08:00'),
    ('reminder_letter', '提示函', 'administrative', false, 'self', '', '工作方案:监督检查中的提示', '', true, '2018-11-01T00:00:00+08:00');

INSERT INTO measure_power (measure_code, family, level, basis, to_confirm, valid_from)
SELECT m.code, m.family, '', m.basis, m.to_confirm, '2018-11-01T00:00:00+08:00' FROM (VALUES
    ('caution', '*', '有关主管部门的监督检查职责', '各部门依据待确认'),
    ('interview', '*', '有关主管部门的监督检查职责', '各部门依据待确认'),
    ('reminder_letter', '*', '有关主管部门的监督检查职责', '各部门依据待确认'),
    ('warn_holder', '*', '有关主管部门的监督检查职责', '各部门依据待确认'),
    ('criticism', '*', '工作方案:适时抽查并通报', '各部门依据待确认'),
    ('rectify_order', '*', '行政处罚法 第二十八条:实施处罚的机关责令改正', ''),
    ('refer_platform', '*', '工作方案:切断渠道', ''),
    ('restrict_outbound', '*', '接入服务合同,由接入企业执行', '非电信主管部门可否径行要求待确认'),
    ('mark_risk', '*', '工作方案:风险提示能力,由电信企业执行', '非电信主管部门可否径行要求待确认'),
    ('intercept', 'miit', '工作方案:虚假主叫甄别拦截;反电信网络诈骗法 第十三条', ''),
    ('intercept', 'ca', '工作方案:虚假主叫甄别拦截;反电信网络诈骗法 第十三条', ''),
    ('intercept', 'mps', '反电信网络诈骗法', '条款待确认'),
    ('suspend_number', 'miit', '电信条例 第二十八条', ''),
    ('suspend_number', 'ca', '电信条例 第二十八条', ''),
    ('suspend_number', 'mps', '反电信网络诈骗法', '条款待确认')
  ) AS m (code, family, basis, to_confirm);

-- Parties of a complaint's chain that were named beside its cases, with the measure taken against them, append-only.
CREATE TABLE chain_party (
    chain_party_id uuid        PRIMARY KEY,
    complaint_id   uuid        NOT NULL,
    party_id       uuid        NOT NULL REFERENCES party,
    role           text        NOT NULL,
    measure_id     uuid        REFERENCES measure_record,
    reason         text        NOT NULL,
    recorded_by    text        NOT NULL,
    agency_id      text        NOT NULL,
    recorded_time  timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chain_party_role CHECK (role IN ('advertiser', 'caller', 'data_supplier', 'access_operator'))
);
CREATE INDEX chain_party_of ON chain_party (complaint_id, party_id);

-- Edges of the chain (受托、供数、接入), append-only.
CREATE TABLE chain_edge (
    chain_edge_id uuid        PRIMARY KEY,
    complaint_id  uuid        NOT NULL,
    from_party_id uuid        NOT NULL REFERENCES party,
    to_party_id   uuid        NOT NULL REFERENCES party,
    kind          text        NOT NULL,
    reason        text        NOT NULL,
    recorded_by   text        NOT NULL,
    agency_id     text        NOT NULL,
    recorded_time timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chain_edge_once UNIQUE (complaint_id, from_party_id, to_party_id, kind),
    CONSTRAINT chain_edge_kind CHECK (kind IN ('on_behalf_of', 'supplied_data_to', 'gave_access_to')),
    CONSTRAINT chain_edge_two CHECK (from_party_id <> to_party_id)
);

-- Why a party of the chain is not pursued (不予追究), append-only: the last one counts while it has no case.
CREATE TABLE not_pursued (
    not_pursued_id uuid        PRIMARY KEY,
    complaint_id   uuid        NOT NULL,
    party_id       uuid        NOT NULL REFERENCES party,
    reason_code    text        NOT NULL,
    reason         text        NOT NULL,
    decided_by     text        NOT NULL,
    agency_id      text        NOT NULL,
    decided_time   timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX not_pursued_of ON not_pursued (complaint_id, party_id);

-- A caller's act that is its principal's (归责于单位), by evidence of employment or mandate; the case is against the
-- principal from then on.
CREATE TABLE attribution (
    attribution_id  uuid        PRIMARY KEY,
    case_id         uuid        NOT NULL REFERENCES enforcement_case,
    person_party_id uuid        NOT NULL REFERENCES party,
    principal_id    uuid        NOT NULL REFERENCES party,
    relation        text        NOT NULL,
    evidence_ids    uuid[]      NOT NULL,
    reason          text        NOT NULL,
    decided_by      text        NOT NULL,
    agency_id       text        NOT NULL,
    decided_time    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attribution_once UNIQUE (case_id),
    CONSTRAINT attribution_relation CHECK (relation IN ('employment', 'mandate')),
    CONSTRAINT attribution_evidence CHECK (cardinality(evidence_ids) > 0)
);

-- Persons who answer for a firm's act (责任人), sealed; every look at them is on record.
CREATE TABLE responsible_person (
    person_id     uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    name_sealed   bytea       NOT NULL,
    kind          text        NOT NULL,
    position      text        NOT NULL DEFAULT '',
    recorded_by   text        NOT NULL,
    recorded_time timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT responsible_person_kind CHECK (kind IN ('principal', 'direct'))
);
CREATE INDEX responsible_person_of ON responsible_person (case_id);
CREATE TABLE responsible_look (
    look_id    uuid        PRIMARY KEY,
    case_id    uuid        NOT NULL REFERENCES enforcement_case,
    looked_by  text        NOT NULL,
    agency_id  text        NOT NULL,
    purpose    text        NOT NULL,
    look_time  timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX responsible_look_of ON responsible_look (case_id);

-- Substantiated findings (查实事项), as the workflow tells them, and what disposed of one without a case or measure.
CREATE TABLE finding (
    complaint_id uuid        NOT NULL,
    round        int         NOT NULL,
    agency_id    text        NOT NULL,
    task_id      uuid,
    found_time   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT finding_pkey PRIMARY KEY (complaint_id, round)
);
CREATE INDEX finding_of_agency ON finding (agency_id, found_time, complaint_id);
CREATE INDEX finding_oldest ON finding (found_time, complaint_id);
CREATE TABLE finding_settled (
    complaint_id uuid        NOT NULL,
    round        int         NOT NULL,
    how          text        NOT NULL,
    settled_time timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT finding_settled_pkey PRIMARY KEY (complaint_id, round, how),
    CONSTRAINT finding_settled_how CHECK (how IN ('no_measure', 'transferred', 'overturned', 'superseded'))
);

-- Substantiated, and nothing followed: no case, no measure that is not failed, no reason why none of its parties is pursued.
CREATE VIEW undisposed AS
    SELECT f.complaint_id, f.round, f.agency_id, f.found_time
      FROM finding f
     WHERE NOT EXISTS (SELECT 1 FROM finding_settled s WHERE s.complaint_id = f.complaint_id AND s.round = f.round)
       AND NOT EXISTS (SELECT 1 FROM case_complaint a WHERE a.complaint_id = f.complaint_id AND a.round = f.round)
       AND NOT (EXISTS (SELECT 1 FROM not_pursued n WHERE n.complaint_id = f.complaint_id AND n.decided_time >= f.found_time)
                AND NOT EXISTS (SELECT 1 FROM chain_party x WHERE x.complaint_id = f.complaint_id AND x.measure_id IS NULL
                      AND NOT EXISTS (SELECT 1 FROM not_pursued n WHERE n.complaint_id = x.complaint_id AND n.party_id = x.party_id)))
       AND NOT EXISTS (SELECT 1 FROM measure_record r WHERE r.complaint_id = f.complaint_id AND r.round = f.round
             AND NOT EXISTS (SELECT 1 FROM measure_log l WHERE l.measure_id = r.measure_id AND l.state = 'failed'));

-- The list of every day (逐日清单), counted once a day, in Shanghai.
CREATE TABLE undisposed_day (
    day         date        NOT NULL,
    agency_id   text        NOT NULL,
    findings    bigint      NOT NULL,
    oldest_time timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT undisposed_day_pkey PRIMARY KEY (day, agency_id)
);
CREATE TABLE undisposed_counted (
    day        date        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What the rules of this part forbid, asked again without trusting them.
CREATE VIEW law_violation AS
    SELECT p.case_id AS id, ('a fine on an act that was fined in case ' || o.case_id || ' already (行政处罚法 29)')::text AS what
      FROM penalty_assessment p
      JOIN act_link_now l ON l.verdict = 'same_act' AND p.case_id IN (l.case_id, l.other_case_id) AND l.decided_time <= p.decided_time
      JOIN penalty_assessment o ON o.kind = 'fine' AND o.case_id <> p.case_id AND o.case_id IN (l.case_id, l.other_case_id)
                               AND o.decided_time <= p.decided_time AND o.case_id <> p.case_id
      JOIN enforcement_case c ON c.case_id = p.case_id AND c.reverse_time IS NULL
      JOIN enforcement_case d ON d.case_id = o.case_id AND d.reverse_time IS NULL
     WHERE p.kind = 'fine' AND (o.decided_time < p.decided_time OR o.case_id < p.case_id)
    UNION ALL
    SELECT p.case_id, 'penalty by a draft outside a rehearsal: ' || p.penalty_code
      FROM penalty_assessment p
     WHERE p.profile <> 'rehearsal' AND EXISTS (SELECT 1 FROM penalty x WHERE x.code = p.penalty_code AND x.profile = 'simulation')
    UNION ALL
    SELECT p.case_id, 'penalty by a body that the catalogue does not entitle: ' || p.penalty_code
      FROM penalty_assessment p
     WHERE NOT EXISTS (SELECT 1 FROM penalty_power w WHERE w.penalty_code = p.penalty_code AND w.family = split_part(p.agency_id, '-', 1)
             AND w.level IN ('', CASE WHEN p.agency_id LIKE '%-%' THEN 'provincial' ELSE 'national' END)
             AND (w.kinds = '{}' OR p.kind = ANY (w.kinds))
             AND w.valid_from <= p.decided_time AND (w.valid_to IS NULL OR w.valid_to > p.decided_time))
    UNION ALL
    SELECT a.case_id, 'case that is attributed to a principal but not against it'
      FROM attribution a JOIN enforcement_case c ON c.case_id = a.case_id
     WHERE c.party_id <> a.principal_id;

GRANT SELECT ON measure_power, not_administrative, undisposed, law_violation TO enforcement;
GRANT SELECT, INSERT ON chain_party, chain_edge, not_pursued, attribution, responsible_person, responsible_look, finding,
    finding_settled, undisposed_day, undisposed_counted TO enforcement;
GRANT UPDATE (party_id) ON enforcement_case TO enforcement;

-- +goose Down
REVOKE UPDATE (party_id) ON enforcement_case FROM enforcement;
DROP VIEW law_violation, undisposed;
DROP TABLE undisposed_counted, undisposed_day, finding_settled, finding, responsible_look, responsible_person, attribution,
    not_pursued, chain_edge, chain_party, not_administrative, measure_power;
DELETE FROM measure WHERE code IN ('caution', 'interview', 'reminder_letter');
