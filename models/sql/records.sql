-- Records: kept, listed and read, each in one call. What may not be read is as if it were not there.

-- The kinds that a hospital may read of a person at t, beside its own records: of the rules in force of the last
-- version, the most specific decides (hospital and kind, hospital, kind, neither; ties: deny); none: deny.
-- STABLE: it sees what the statement sees that it is part of.
CREATE FUNCTION yima_readable_kinds(p_person uuid, p_reader uuid, t timestamptz) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(k.kind), '{}')
    FROM unnest(ARRAY['laboratory', 'examination', 'imaging', 'discharge', 'note']) k(kind)
    WHERE (SELECT r.effect FROM record_consent_rules r
        WHERE r.consent_id = (SELECT c.id FROM record_consents c WHERE c.person_id = p_person ORDER BY c.version DESC LIMIT 1)
            AND (r.hospital_id IS NULL OR r.hospital_id = p_reader) AND (r.kind IS NULL OR r.kind = k.kind)
            AND (r.valid_from IS NULL OR r.valid_from <= t) AND (r.valid_until IS NULL OR t < r.valid_until)
        ORDER BY (r.hospital_id IS NOT NULL) DESC, (r.kind IS NOT NULL) DESC, r.effect LIMIT 1) = 'permit'
$$;

-- The breaking of the glass that is open under a resolution at t, or NULL.
CREATE FUNCTION yima_open_glass(p_resolution uuid, t timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT b.id FROM break_glasses b WHERE b.resolution_id = p_resolution AND b.expires_at > t ORDER BY b.at DESC LIMIT 1
$$;

-- A use of a resolution for records, with their ids: read, posted, or opened (the glass). Under the glass the operator
-- is who broke it.
CREATE FUNCTION yima_record_access(p_resolution uuid, p_act text, p_records uuid[], p_glass uuid, t timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO accesses (id, resolution_id, card_id, person_id, client_id, hospital_id, terminal, operator_id,
            operator_name, department, step, granted, at, act, records, break_glass_id)
        SELECT gen_random_uuid(), r.id, r.card_id, r.person_id, r.client_id, r.hospital_id, r.terminal,
            CASE WHEN b.id IS NULL THEN r.operator_id ELSE b.operator_id END,
            CASE WHEN b.id IS NULL THEN r.operator_name ELSE b.operator_name END, r.department, r.step, 2, t, p_act,
            p_records, p_glass FROM resolutions r LEFT JOIN break_glasses b ON b.id = p_glass WHERE r.id = p_resolution;
END $$;

-- Whether a mark holds at a hospital of an area (GB/T 2260): a province's in that province, a city's in that city
-- alone; the municipalities (11, 12, 31, 50) are one city each.
CREATE FUNCTION yima_mark_holds(p_level text, p_area text, p_here text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(CASE p_level WHEN 'national' THEN true
        WHEN 'province' THEN left(p_area, 2) = left(p_here, 2)
        WHEN 'city' THEN left(p_area, 4) = left(p_here, 4)
            OR (left(p_area, 2) = left(p_here, 2) AND left(p_here, 2) IN ('11', '12', '31', '50')) END, false)
$$;

-- Whether a record can stand for a new test: it is good, its sample is young enough, and its mark holds here.
CREATE FUNCTION yima_recognised(r records, p_item bytea, p_within integer, p_here text, t timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT r.live AND r.status IN ('final', 'amended', 'corrected') AND r.level IS NOT NULL
        AND (p_item IS NULL OR r.items @> ARRAY[p_item])
        AND (p_within IS NULL OR r.sampled_at >= t - make_interval(days => p_within))
        AND yima_mark_holds(r.level, r.area, p_here)
$$;

-- What a list shows of a record.
CREATE VIEW record_rows AS
SELECT r.id AS record_id, r.person_id, r.card_id, r.hospital_id, h.name AS hospital_name, r.kind, r.status, r.occurred_at,
    r.sampled_at, r.posted_at, r.replaces, r.superseded_by, r.live, r.size, r.sha256, r.summary
FROM records r JOIN hospitals h ON h.id = r.hospital_id;

-- One record under a resolution; always one row, its record NULL where there is none that may be read. Nothing is done
-- unless p_allowed.
CREATE FUNCTION yima_read_record(p_allowed boolean, p_resolution uuid, p_person uuid, p_reader uuid, p_record uuid)
RETURNS TABLE (record_id uuid, record_hospital uuid, kind text, record_status text, live boolean, holds boolean,
    summary bytea, sealed bytea) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    t timestamptz := yima_now();
    glass uuid;
    found record;
BEGIN
    IF NOT p_allowed THEN
        RETURN NEXT; RETURN;
    END IF;
    WITH may AS MATERIALIZED (
        SELECT yima_open_glass(p_resolution, t) AS glass, yima_readable_kinds(p_person, p_reader, t) AS kinds)
    SELECT m.glass, h.area AS here, r.* INTO found FROM may m JOIN hospitals h ON h.id = p_reader
        LEFT JOIN records r ON r.id = p_record AND r.person_id = p_person
            AND (r.hospital_id = p_reader OR r.kind = ANY (m.kinds) OR m.glass IS NOT NULL);
    PERFORM yima_record_access(p_resolution, 'read', array_remove(ARRAY[found.id], NULL), found.glass, t);
    record_id := found.id; record_hospital := found.hospital_id; kind := found.kind; record_status := found.status;
    live := found.live; holds := found.status IN ('final', 'amended', 'corrected') AND yima_mark_holds(found.level, found.area, found.here); summary := found.summary;
    sealed := found.sealed;
    RETURN NEXT;
END $$;

-- A page of the records that may be read under a resolution, newest first. p_item: only recognised ones for it, whose
-- sample is at most p_within days old and whose mark holds here. Each kind is a walk of its own along an index, so
-- that the time tells nothing of what may not be read.
CREATE FUNCTION yima_list_records(
    p_allowed boolean, p_resolution uuid, p_person uuid, p_reader uuid, p_kind text, p_from timestamptz, p_until timestamptz,
    p_hospital uuid, p_history boolean, p_recognised boolean, p_item bytea, p_within integer,
    p_at timestamptz, p_id uuid, p_limit integer
) RETURNS SETOF record_rows LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t timestamptz := yima_now();
    everything CONSTANT text[] := ARRAY['laboratory', 'examination', 'imaging', 'discharge', 'note'];
    glass uuid;
    here text;
    ids uuid[];
BEGIN
    IF NOT p_allowed THEN
        RETURN;
    END IF;
    SELECT h.area INTO here FROM hospitals h WHERE h.id = p_reader;
    glass := yima_open_glass(p_resolution, t);
    WITH may AS MATERIALIZED (
        SELECT k.kind FROM unnest(CASE WHEN glass IS NULL THEN yima_readable_kinds(p_person, p_reader, t) ELSE everything END) k(kind)
            WHERE p_kind IS NULL OR k.kind = p_kind),
    found AS (
        SELECT x.id, x.occurred_at FROM may m CROSS JOIN LATERAL (
            SELECT r.id, r.occurred_at FROM records r WHERE r.person_id = p_person AND r.kind = m.kind
                AND (r.occurred_at, r.id) < (p_at, p_id) AND r.occurred_at >= p_from AND r.occurred_at < p_until
                AND (p_hospital IS NULL OR r.hospital_id = p_hospital) AND (r.live OR p_history)
                AND (NOT p_recognised OR yima_recognised(r, p_item, p_within, here, t))
                ORDER BY r.occurred_at DESC, r.id DESC LIMIT p_limit + 1) x
        UNION
        (SELECT r.id, r.occurred_at FROM records r WHERE r.person_id = p_person AND r.hospital_id = p_reader
            AND (r.occurred_at, r.id) < (p_at, p_id) AND r.occurred_at >= p_from AND r.occurred_at < p_until
            AND (p_kind IS NULL OR r.kind = p_kind) AND (p_hospital IS NULL OR r.hospital_id = p_hospital)
            AND (r.live OR p_history) AND (NOT p_recognised OR yima_recognised(r, p_item, p_within, here, t))
            ORDER BY r.occurred_at DESC, r.id DESC LIMIT p_limit + 1))
    SELECT array_agg(f.id ORDER BY f.occurred_at DESC, f.id DESC) INTO ids
        FROM (SELECT * FROM found ORDER BY occurred_at DESC, id DESC LIMIT p_limit + 1) f;
    -- The page is cut by who asks; the one more that tells of a next page was not shown.
    PERFORM yima_record_access(p_resolution, 'read', coalesce(ids[1:p_limit], '{}'), glass, t);
    RETURN QUERY SELECT v.* FROM unnest(ids) WITH ORDINALITY u(id, place) JOIN record_rows v ON v.record_id = u.id
        ORDER BY u.place;
END $$;

-- Keep a record. outcome: kept, or why its `replaces` cannot be: replaces-absent, replaces-other-kind, record-superseded.
CREATE FUNCTION yima_keep_record(
    p_id uuid, p_person uuid, p_hospital uuid, p_card uuid, p_resolution uuid, p_kind text, p_status text,
    p_occurred timestamptz, p_sampled timestamptz, p_replaces uuid, p_level text, p_area text, p_items bytea[],
    p_codes bytea[], p_source text, p_source_key bytea, p_size integer, p_sha256 bytea, p_summary bytea,
    p_observed bytea, p_sealed bytea
) RETURNS TABLE (outcome text, posted_at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    t timestamptz;
    earlier record;
BEGIN
    IF p_replaces IS NOT NULL THEN
        SELECT r.kind, r.superseded_by INTO earlier FROM records r
            WHERE r.id = p_replaces AND r.hospital_id = p_hospital AND r.person_id = p_person FOR UPDATE;
        outcome := CASE WHEN NOT FOUND THEN 'replaces-absent' WHEN earlier.superseded_by IS NOT NULL THEN 'record-superseded'
            WHEN earlier.kind <> p_kind THEN 'replaces-other-kind' END;
        IF outcome IS NOT NULL THEN
            RETURN NEXT; RETURN;
        END IF;
        UPDATE records SET superseded_by = p_id, live = false WHERE id = p_replaces;
    END IF;
    t := yima_now();
    INSERT INTO records (id, person_id, hospital_id, card_id, resolution_id, kind, status, occurred_at, sampled_at, posted_at,
            replaces, live, level, area, items, codes, source, source_key, size, sha256, summary, observed, sealed)
        VALUES (p_id, p_person, p_hospital, p_card, p_resolution, p_kind, p_status, p_occurred, p_sampled, t, p_replaces,
            p_status <> 'entered-in-error', p_level, p_area, p_items, p_codes, p_source, p_source_key, p_size, p_sha256,
            p_summary, p_observed, p_sealed);
    IF p_resolution IS NOT NULL THEN
        PERFORM yima_record_access(p_resolution, 'posted', ARRAY[p_id], NULL, t);
    END IF;
    outcome := 'kept'; posted_at := t;
    RETURN NEXT;
END $$;
