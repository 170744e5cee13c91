-- What the models of records cannot say: arrays of hashes, indexes by which lists are read, and checks.
--
-- `items` and `codes` hash what a record was marked for and what it measured, each with its person, so that equal
-- items of two people do not look alike.
ALTER TABLE records ADD COLUMN items bytea[] NOT NULL DEFAULT '{}', ADD COLUMN codes bytea[] NOT NULL DEFAULT '{}';
ALTER TABLE accesses ADD COLUMN records uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE records ALTER COLUMN sealed SET STORAGE EXTERNAL, ALTER COLUMN observed SET STORAGE EXTERNAL;
CREATE INDEX records_person ON records (person_id, occurred_at DESC, id DESC);
CREATE INDEX records_kind ON records (person_id, kind, occurred_at DESC, id DESC);
CREATE INDEX records_hospital ON records (person_id, hospital_id, occurred_at DESC, id DESC);
-- A study has one live record. A laboratory's order number may come again for another day's sample.
CREATE UNIQUE INDEX records_source ON records (hospital_id, source_key) WHERE live AND source = 'dicomweb';
CREATE INDEX records_order ON records (hospital_id, source_key) WHERE source_key IS NOT NULL;
CREATE UNIQUE INDEX records_superseded_once ON records (replaces) WHERE replaces IS NOT NULL;
CREATE UNIQUE INDEX recognition_decisions_once ON recognition_decisions (resolution_id, record_id, item_index);
CREATE UNIQUE INDEX lab_messages_once ON lab_messages (hospital_id, key);
CREATE INDEX lab_messages_at ON lab_messages (at);
CREATE INDEX break_glasses_waiting ON break_glasses (at, id) WHERE verdict IS NULL;
CREATE INDEX break_glasses_at ON break_glasses (at, id);
CREATE INDEX accesses_glass ON accesses (break_glass_id) WHERE break_glass_id IS NOT NULL;
CREATE INDEX people_erase ON people (erase_at) WHERE erase_at IS NOT NULL;
ALTER TABLE records ADD CONSTRAINT records_kinds CHECK (kind IN ('laboratory', 'examination', 'imaging', 'discharge', 'note')),
    ADD CONSTRAINT records_live CHECK (NOT live OR (superseded_by IS NULL AND status <> 'entered-in-error'));
ALTER TABLE record_consent_rules ADD CONSTRAINT record_consent_rules_effect CHECK (effect IN ('permit', 'deny'));
ALTER TABLE recognition_decisions ADD CONSTRAINT recognition_decisions_reason
    CHECK (decision = 'accepted' OR (decision = 'repeated' AND reason IS NOT NULL));
