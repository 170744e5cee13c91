-- Leaving: what was given of a person to whom, by its last time; and how those who left are found.
CREATE INDEX accounts_left ON accounts (left_at) WHERE left_at IS NOT NULL;
CREATE INDEX patient_numbers_person ON patient_numbers (person_id);

-- When each kind of what must be kept of a person last came to be; NULL where there is none. What is still to come
-- counts as of now: leaving cancels it.
CREATE FUNCTION yima_evidence(p_person uuid)
RETURNS TABLE (accesses timestamptz, glasses timestamptz, consents timestamptz, appointments timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT
        greatest((SELECT max(r.at) FROM resolutions r WHERE r.person_id = p_person),
            (SELECT max(f.at) FROM refusals f WHERE f.person_id = p_person),
            (SELECT max(x.at) FROM accesses x WHERE x.person_id = p_person)),
        (SELECT max(greatest(b.at, b.reviewed_at)) FROM break_glasses b WHERE b.person_id = p_person),
        (SELECT max(c.at) FROM record_consents c WHERE c.person_id = p_person),
        (SELECT max(coalesce(a.ended_at, least(a.ends, yima_now()))) FROM appointments a WHERE a.person_id = p_person)
$$;

-- Until when what must be kept of a person is kept; NULL where there is nothing.
CREATE FUNCTION yima_kept_until(p_person uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(e.accesses, e.glasses, e.consents, e.appointments) + interval '3 years' FROM yima_evidence(p_person) e
$$;
