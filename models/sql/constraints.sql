-- What Tortoise's models cannot say: unique and partial indexes over bytes, checks, and the first rows.
CREATE UNIQUE INDEX accounts_openid ON accounts (openid_index);
CREATE UNIQUE INDEX people_document ON people (document_index);
CREATE UNIQUE INDEX cards_one_per_person ON cards (account_id, person_id) WHERE status <> 'closed';
ALTER TABLE cards ADD CONSTRAINT cards_status CHECK (status IN ('active', 'frozen', 'closed')),
    ADD CONSTRAINT cards_handle CHECK (handle >= 0);
CREATE UNIQUE INDEX resolutions_cti ON resolutions (cti);
CREATE INDEX resolutions_person ON resolutions (person_id, at DESC, id DESC);
CREATE UNIQUE INDEX refusals_once ON refusals (cti, client_id, terminal);
CREATE INDEX refusals_person ON refusals (person_id, at DESC, id DESC);
CREATE UNIQUE INDEX keys_kid ON keys (kid);
CREATE UNIQUE INDEX keys_one_active ON keys (purpose, suite) WHERE state = 'active';
CREATE UNIQUE INDEX keys_one_pending ON keys (purpose, suite) WHERE state = 'pending';
CREATE UNIQUE INDEX patient_numbers_number ON patient_numbers (hospital_id, number_index);
CREATE UNIQUE INDEX admins_token ON admins (token_hash);
CREATE UNIQUE INDEX admins_name ON admins (name) WHERE disabled_at IS NULL;
CREATE UNIQUE INDEX idempotent_answers_scope ON idempotent_answers (scope);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE done_at IS NULL;
CREATE TABLE timelines (timeline text PRIMARY KEY, seen_at timestamptz NOT NULL);
INSERT INTO timelines VALUES (substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), '-infinity');
INSERT INTO ring (id, version, changed_at) VALUES (1, 0, clock_timestamp());
