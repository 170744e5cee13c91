-- Resolve a verified code: decides every outcome in one round trip (security.md, Exactly once).
--
-- Volatile and READ COMMITTED: each statement below takes a new snapshot, so the key's state is read after the lock
-- and the winner's row after losing. One row of `resolutions` is used mark, resolution and access record.
--
-- outcome: won, replayed, or why not: client-dead, key-dead, forged, code-not-yet-valid, code-expired, card-revoked,
-- code-already-used. A refusal of a real card's code leaves one row per (cti, client, terminal).
--
-- A scan at sign-in, registration or triage makes the person's appointment there arrived, in the same commit. Which one
-- is asked before the first write: the transaction's number then follows that of the booking, as `changes` needs it.
CREATE OR REPLACE FUNCTION yima_resolve(
    p_id uuid, p_kid bytea, p_handle bigint, p_cti bytea, p_iat bigint, p_exp bigint, p_services smallint,
    p_client uuid, p_epoch integer, p_scopes smallint, p_terminal text, p_department text,
    p_operator_id text, p_operator_name text, p_step text, p_channel text
) RETURNS TABLE (
    outcome text, resolution_id uuid, resolved_at timestamptz, expires_at timestamptz, step text, granted smallint,
    scopes smallint, key_state text, key_version integer, key_mac bytea,
    card_id uuid, account_id uuid, person_id uuid, relation text, status text, frozen_by text,
    live_since timestamptz, card_version integer, card_mac bytea,
    health_card_id text, person_sealed bytea, insurance_sealed bytea, number_sealed bytea, hospital_id uuid,
    arrival jsonb
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    skew CONSTANT interval := '30 seconds';
    replay CONSTANT interval := '120 seconds';
    life CONSTANT interval := '12 hours';
    arriving CONSTANT text[] := ARRAY['0101011', '0101012', '0101014'];
    booking CONSTANT smallint := 1;
    client record;
    key record;
    card record;
    done record;
    line record;
    here text;
    t timestamptz;
    verdict text;
    late boolean;
    due uuid;
    arrived jsonb;
BEGIN
    -- A compromise takes this lock exclusively: nothing that began before its answer can commit after it.
    PERFORM pg_advisory_xact_lock_shared(1497987397);

    SELECT c.scopes & p_scopes AS scopes, c.hospital_id INTO client FROM clients c
        WHERE c.id = p_client AND c.enabled AND c.epoch = p_epoch;
    IF NOT FOUND THEN
        outcome := 'client-dead'; RETURN NEXT; RETURN;
    END IF;
    SELECT k.state, k.version, k.mac INTO key FROM keys k WHERE k.kid = p_kid;
    IF NOT FOUND OR key.state NOT IN ('pending', 'active', 'retiring') THEN
        outcome := 'key-dead'; RETURN NEXT; RETURN;
    END IF;
    SELECT c.*, p.health_card_id, p.sealed AS person_sealed, i.sealed AS insurance_sealed, n.sealed AS number_sealed
        INTO card FROM cards c
        JOIN people p ON p.id = c.person_id
        LEFT JOIN insurances i ON i.card_id = c.id
        LEFT JOIN patient_numbers n ON n.hospital_id = client.hospital_id AND n.person_id = c.person_id
        WHERE c.handle = p_handle;
    IF NOT FOUND THEN
        outcome := 'forged'; RETURN NEXT; RETURN;
    END IF;

    -- After a failover that may have lost commits, codes issued before it are refused (once: patients refresh).
    t := yima_now();
    here := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
    SELECT l.seen_at INTO line FROM timelines l WHERE l.timeline = here;
    IF NOT FOUND THEN
        INSERT INTO timelines (timeline, seen_at) VALUES (here, t) ON CONFLICT DO NOTHING;
        SELECT l.seen_at INTO line FROM timelines l WHERE l.timeline = here;
    END IF;

    late := t > to_timestamp(p_exp) + skew;
    IF t < to_timestamp(p_iat) - skew THEN
        verdict := 'code-not-yet-valid';
    ELSIF to_timestamp(p_iat) <= line.seen_at + interval '1 second' THEN
        verdict := 'code-expired';
    ELSIF late THEN
        -- The winner's replay goes first, for 120 s past the allowance.
        SELECT r.* INTO done FROM resolutions r WHERE r.cti = p_cti AND t <= r.at + replay;
        verdict := CASE WHEN FOUND AND done.client_id = p_client AND done.terminal = p_terminal
            AND card.status = 'active' AND done.at > card.live_since THEN 'replayed' ELSE 'code-expired' END;
    ELSIF card.status <> 'active' THEN
        verdict := 'card-revoked';
    ELSE
        IF p_step = ANY (arriving) AND p_services & client.scopes & booking <> 0 THEN
            due := yima_due(card.person_id, client.hospital_id, t);
            -- What ends the session's appointments just now goes first, as its transaction's number does.
            PERFORM yima_session_lock(a.schedule_id, false) FROM appointments a WHERE a.id = due;
        END IF;
        INSERT INTO resolutions (id, cti, kid, iat, exp, card_id, person_id, client_id, hospital_id, terminal,
                operator_id, operator_name, department, step, channel, granted, at, expires_at)
            VALUES (p_id, p_cti, p_kid, p_iat, p_exp, card.id, card.person_id, p_client, client.hospital_id, p_terminal,
                p_operator_id, p_operator_name, p_department, p_step, p_channel,
                p_services & client.scopes & 7::smallint, t, t + life)
            ON CONFLICT (cti) DO NOTHING RETURNING * INTO done;
        IF FOUND THEN
            verdict := 'won';
            IF due IS NOT NULL THEN
                arrived := yima_arrive(due, t);
                UPDATE resolutions r SET arrival = arrived WHERE r.id = p_id RETURNING * INTO done;
            END IF;
        ELSE
            SELECT r.* INTO done FROM resolutions r WHERE r.cti = p_cti;
            verdict := CASE
                WHEN done.id = p_id THEN 'won'  -- asked again after a COMMIT whose outcome was lost
                WHEN done.client_id <> p_client OR done.terminal <> p_terminal OR yima_now() > done.at + replay
                    THEN 'code-already-used'
                WHEN done.at <= card.live_since THEN 'card-revoked'
                ELSE 'replayed' END;
        END IF;
    END IF;

    card_id := card.id; account_id := card.account_id; person_id := card.person_id; relation := card.relation;
    status := card.status; frozen_by := card.frozen_by; live_since := card.live_since;
    card_version := card.version; card_mac := card.mac;
    key_state := key.state; key_version := key.version; key_mac := key.mac;
    hospital_id := client.hospital_id; scopes := client.scopes; outcome := verdict;
    IF verdict IN ('won', 'replayed') THEN
        resolution_id := done.id; resolved_at := done.at; expires_at := done.expires_at; step := done.step;
        granted := done.granted; health_card_id := card.health_card_id; person_sealed := card.person_sealed;
        insurance_sealed := card.insurance_sealed; number_sealed := card.number_sealed; arrival := done.arrival;
    ELSE
        INSERT INTO refusals (id, cti, card_id, person_id, client_id, hospital_id, terminal, operator_id,
                operator_name, department, step, channel, reason, at)
            VALUES (p_id, p_cti, card.id, card.person_id, p_client, client.hospital_id, p_terminal, p_operator_id,
                p_operator_name, p_department, p_step, p_channel, verdict, t)
            ON CONFLICT (cti, client_id, terminal) DO NOTHING;
    END IF;
    RETURN NEXT;
END $$;
