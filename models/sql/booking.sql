-- Booking, cancelling and waiting, each decided in one call.
--
-- Locks, always in this order: the session's (shared to book, wait or arrive, exclusive for what frees, stops, closes or
-- publishes), then one person's. All functions are volatile: each statement sees what was committed before it, so
-- what counts rows is counted after the lock, never in the statement that takes it.
CREATE FUNCTION yima_session_lock(p_schedule uuid, p_exclusive boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_exclusive THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('session ' || p_schedule, 0));
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('session ' || p_schedule, 0));
    END IF;
END $$;

CREATE FUNCTION yima_person_lock(p_person uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person ' || p_person, 0));
END $$;

CREATE FUNCTION yima_change(p_hospital uuid, p_kind text, p_ref uuid, t timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO changes (hospital_id, xid, kind, ref, at)
        SELECT p_hospital, pg_current_xact_id()::text::bigint + c.ahead, p_kind, p_ref, t FROM change_clock c;
END $$;

-- Until when a person may not book: 90 days from the third no-show within 90 days; NULL if they may.
CREATE FUNCTION yima_paused_until(p_person uuid, t timestamptz) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    window_of CONSTANT interval := '90 days';
BEGIN
    RETURN (SELECT max(m.ended_at) + window_of FROM (
            SELECT a.ended_at, lag(a.ended_at, 2) OVER (ORDER BY a.ended_at) AS first_of_three FROM appointments a
                WHERE a.person_id = p_person AND a.status = 'noshow' AND a.ended_at > t - 2 * window_of) m
        WHERE m.first_of_three > m.ended_at - window_of AND m.ended_at > t - window_of);
END $$;

-- The limit that keeps a person from one more appointment, or NULL. Cancelled ones count for nothing.
CREATE FUNCTION yima_booking_limit(
    p_person uuid, p_schedule uuid, p_date date, p_start timestamptz, p_ends timestamptz, t timestamptz
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    a_date CONSTANT integer := 3;
    refusal text;
BEGIN
    SELECT CASE WHEN bool_or(a.schedule_id = p_schedule) THEN 'already-booked'
            WHEN bool_or(a.start < p_ends AND a.ends > p_start) THEN 'time-conflict'
            WHEN count(*) >= a_date THEN 'daily-limit' END
        INTO refusal FROM appointments a
        WHERE a.person_id = p_person AND a.date = p_date AND a.status <> 'cancelled';
    IF refusal IS NULL AND yima_paused_until(p_person, t) IS NOT NULL THEN
        refusal := 'booking-paused';
    END IF;
    RETURN refusal;
END $$;

-- Why nobody may book a slot, or NULL. `changed`: it is not what the caller read, who reads it again.
CREATE FUNCTION yima_slot_refusal(p_slot uuid, p_version integer, t timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    s record;
BEGIN
    SELECT l.start, l.stopped, d.status, d.version, d.opens_at INTO s
        FROM slots l JOIN schedules d ON d.id = l.schedule_id WHERE l.id = p_slot AND NOT l.dropped;
    RETURN CASE WHEN s.version IS NULL OR s.version <> p_version THEN 'changed'
        WHEN s.stopped OR s.status = 'stopped' THEN 'session-stopped'
        WHEN s.status = 'closed' OR s.start <= t THEN 'slot-past'
        WHEN s.opens_at > t THEN 'slot-not-open' END;
END $$;

-- Whether the card is as the caller read and checked it, and active.
CREATE FUNCTION yima_card_stands(p_card uuid, p_version integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM cards c WHERE c.id = p_card AND c.version = p_version AND c.status = 'active');
END $$;

-- A use of a resolution, for who looked at the person's data.
CREATE FUNCTION yima_access(p_resolution uuid, p_granted integer, t timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO accesses (id, resolution_id, card_id, person_id, client_id, hospital_id, terminal, operator_id,
            operator_name, department, step, granted, at)
        SELECT gen_random_uuid(), r.id, r.card_id, r.person_id, r.client_id, r.hospital_id, r.terminal, r.operator_id,
            r.operator_name, r.department, r.step, p_granted, t FROM resolutions r WHERE r.id = p_resolution;
END $$;

-- After a place was taken: whether it was the slot's last, for searches.
CREATE FUNCTION yima_mark_sold_out(p_slot uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM places f WHERE f.slot_id = p_slot AND f.appointment_id IS NULL) THEN
        UPDATE slots SET sold_out = true WHERE id = p_slot AND NOT sold_out;
    END IF;
END $$;

-- Book a place of a slot for a card's person. outcome: booked (with the appointment, also when asked again with its
-- id after a lost COMMIT), changed (read again), card-changed, or the problem's code; `until` with booking-paused.
CREATE FUNCTION yima_book(
    p_id uuid, p_slot uuid, p_version integer, p_card uuid, p_card_version integer, p_by text, p_resolution uuid,
    p_message uuid, p_message_sealed bytea
) RETURNS TABLE (outcome text, appointment jsonb, until timestamptz) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t timestamptz := yima_now();
    s record;
    holder record;
    mine uuid;
    sold_out boolean;
    taken integer;
BEGIN
    -- Without a lock: most of a rush is refused here, and stands in no queue.
    outcome := yima_slot_refusal(p_slot, p_version, t);
    SELECT l.id, l.schedule_id, l.hospital_id, l.date, l.start, l.ends INTO s FROM slots l WHERE l.id = p_slot;
    SELECT c.person_id, c.account_id INTO holder FROM cards c WHERE c.id = p_card;
    sold_out := NOT EXISTS (SELECT 1 FROM places f WHERE f.slot_id = p_slot AND f.appointment_id IS NULL);
    SELECT a.id INTO mine FROM appointments a WHERE a.person_id = holder.person_id
        AND a.schedule_id = s.schedule_id AND a.status <> 'cancelled';
    outcome := coalesce(outcome, CASE WHEN mine <> p_id THEN 'already-booked' WHEN sold_out THEN 'slot-full' END);
    IF outcome IS NOT NULL AND mine IS DISTINCT FROM p_id THEN
        RETURN NEXT; RETURN;
    END IF;

    PERFORM yima_session_lock(s.schedule_id, false);
    PERFORM yima_person_lock(holder.person_id);
    t := yima_now();
    IF EXISTS (SELECT 1 FROM appointments a WHERE a.id = p_id) THEN
        outcome := 'booked';
    ELSE
        outcome := coalesce(yima_slot_refusal(p_slot, p_version, t),
            CASE WHEN NOT yima_card_stands(p_card, p_card_version) THEN 'card-changed' END,
            yima_booking_limit(holder.person_id, s.schedule_id, s.date, s.start, s.ends, t));
        IF outcome = 'booking-paused' THEN
            until := yima_paused_until(holder.person_id, t);
        ELSIF outcome IS NULL THEN
            UPDATE places SET appointment_id = p_id WHERE appointment_id IS NULL AND id = (
                SELECT f.id FROM places f WHERE f.slot_id = p_slot AND f.appointment_id IS NULL
                    ORDER BY f.number LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING number INTO taken;
            outcome := CASE WHEN taken IS NULL THEN 'slot-full' ELSE 'booked' END;
        END IF;
    END IF;
    IF taken IS NOT NULL THEN
        PERFORM yima_mark_sold_out(p_slot);
        INSERT INTO appointments (id, schedule_id, slot_id, hospital_id, person_id, card_id, number, date, start, ends,
                status, booked_by, at, late)
            VALUES (p_id, s.schedule_id, p_slot, s.hospital_id, holder.person_id, p_card, taken, s.date, s.start, s.ends,
                'booked', p_by, t, false);
        INSERT INTO messages (id, account_id, card_id, kind, sealed, ref, at)
            VALUES (p_message, holder.account_id, p_card, 'booked', p_message_sealed, p_id::text, t);
        PERFORM yima_change(s.hospital_id, 'booked', p_id, t);
        -- Who waited for it waits no more, or would be given back what they cancel.
        UPDATE waitings w SET status = 'booked', appointment_id = p_id WHERE w.person_id = holder.person_id
            AND w.schedule_id = s.schedule_id AND w.status = 'waiting' AND (w.slot_id IS NULL OR w.slot_id = p_slot);
        IF p_resolution IS NOT NULL THEN
            PERFORM yima_access(p_resolution, 1, t);
        END IF;
    END IF;
    IF outcome = 'booked' THEN
        SELECT to_jsonb(r) INTO appointment FROM appointment_rows r WHERE r.appointment_id = p_id;
    END IF;
    RETURN NEXT;
END $$;

-- Give a free place to the first in line whom all limits allow; the appointment's id, or NULL where nobody is.
-- The caller holds the session's exclusive lock. A person's lock goes again with the block that refuses them.
CREATE FUNCTION yima_fill(p_place uuid, t timestamptz) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    beforehand CONSTANT interval := '2 hours';
    p record;
    w record;
    made uuid;
BEGIN
    SELECT f.id, f.number, r.* INTO p FROM places f JOIN slot_rows r ON r.slot_id = f.slot_id
        WHERE f.id = p_place AND f.appointment_id IS NULL;
    IF NOT FOUND OR p.dropped OR p.stopped OR p.schedule_status <> 'open' OR p.start < t + beforehand THEN
        RETURN NULL;
    END IF;
    FOR w IN SELECT q.* FROM waitings q WHERE q.schedule_id = p.schedule_id AND q.status = 'waiting' AND q.eligible
            AND (q.slot_id IS NULL OR q.slot_id = p.slot_id) ORDER BY q.seq LOOP
        CONTINUE WHEN yima_booking_limit(w.person_id, p.schedule_id, p.date, p.start, p.ends, t) IS NOT NULL;
        BEGIN
            PERFORM yima_person_lock(w.person_id);
            made := gen_random_uuid();
            UPDATE waitings SET status = 'booked', appointment_id = made WHERE id = w.id AND status = 'waiting';
            IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM cards c WHERE c.id = w.card_id AND c.status = 'active')
                    OR yima_booking_limit(w.person_id, p.schedule_id, p.date, p.start, p.ends, t) IS NOT NULL THEN
                RAISE EXCEPTION 'passed over' USING ERRCODE = 'YM001';
            END IF;
            UPDATE places SET appointment_id = made WHERE id = p_place AND appointment_id IS NULL;
            PERFORM yima_mark_sold_out(p.slot_id);
            INSERT INTO appointments (id, schedule_id, slot_id, hospital_id, person_id, card_id, number, date, start,
                    ends, status, booked_by, at, late)
                VALUES (made, p.schedule_id, p.slot_id, p.hospital_id, w.person_id, w.card_id, p.number, p.date, p.start,
                    p.ends, 'booked', 'waiting', t, false);
            PERFORM yima_change(p.hospital_id, 'booked', made, t);
            RETURN made;
        EXCEPTION WHEN SQLSTATE 'YM001' THEN
            NULL;  -- keeps the place in line
        END;
    END LOOP;
    RETURN NULL;
END $$;

-- Cancel an appointment; its place goes to the line in the same commit. outcome: cancelled, not-cancellable or
-- cancel-too-late (patients alone; one that the line gave costs nothing to cancel until it starts).
CREATE FUNCTION yima_cancel(p_id uuid, p_by text, p_reason text, p_resolution uuid)
RETURNS TABLE (outcome text, filled uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t timestamptz;
    a record;
    place uuid;
BEGIN
    PERFORM yima_session_lock(b.schedule_id, true) FROM appointments b WHERE b.id = p_id;
    t := yima_now();
    SELECT b.status, b.hospital_id, b.booked_by, b.start, d.cancel_until INTO a
        FROM appointments b JOIN schedules d ON d.id = b.schedule_id WHERE b.id = p_id;
    IF a.status IS NULL OR a.status NOT IN ('booked', 'arrived') THEN
        outcome := 'not-cancellable'; RETURN NEXT; RETURN;
    END IF;
    IF p_by = 'patient' AND t >= (CASE WHEN a.booked_by = 'waiting' THEN greatest(a.start, a.cancel_until)
            ELSE a.cancel_until END) THEN
        outcome := 'cancel-too-late'; RETURN NEXT; RETURN;
    END IF;
    UPDATE appointments SET status = 'cancelled', cancelled_by = p_by, reason = p_reason, ended_at = t, turn = NULL
        WHERE id = p_id AND status IN ('booked', 'arrived');
    IF NOT FOUND THEN
        outcome := 'not-cancellable'; RETURN NEXT; RETURN;
    END IF;
    UPDATE places SET appointment_id = NULL WHERE appointment_id = p_id RETURNING id INTO place;
    PERFORM yima_change(a.hospital_id, 'cancelled', p_id, t);
    IF p_resolution IS NOT NULL THEN
        PERFORM yima_access(p_resolution, 1, t);
    END IF;
    filled := yima_fill(place, t);
    outcome := 'cancelled';
    RETURN NEXT;
END $$;

-- Stand in line for a session (p_slot NULL) or one slot of it. outcome: waiting (also when asked again with its id),
-- changed, card-changed, or the problem's code; `until` with booking-paused.
CREATE FUNCTION yima_wait(
    p_id uuid, p_schedule uuid, p_slot uuid, p_version integer, p_card uuid, p_card_version integer, p_eligible boolean
) RETURNS TABLE (outcome text, until timestamptz) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at_once CONSTANT integer := 5;
    beforehand CONSTANT interval := '2 hours';
    t timestamptz;
    d record;
    person uuid;
    last_start timestamptz;
BEGIN
    PERFORM yima_session_lock(p_schedule, false);
    SELECT c.person_id INTO person FROM cards c WHERE c.id = p_card;
    PERFORM yima_person_lock(person);
    t := yima_now();
    SELECT s.status, s.version, s.opens_at INTO d FROM schedules s WHERE s.id = p_schedule;
    SELECT max(s.start) INTO last_start FROM slots s WHERE s.schedule_id = p_schedule AND NOT s.dropped
        AND NOT s.stopped AND (p_slot IS NULL OR s.id = p_slot);
    IF EXISTS (SELECT 1 FROM waitings w WHERE w.id = p_id) THEN
        outcome := 'waiting'; RETURN NEXT; RETURN;
    END IF;
    outcome := CASE WHEN d.version IS NULL OR d.version <> p_version THEN 'changed'
        WHEN d.status = 'stopped' OR last_start IS NULL THEN 'session-stopped'
        WHEN d.status = 'closed' OR last_start <= t + beforehand THEN 'slot-past'
        WHEN d.opens_at > t THEN 'slot-not-open'
        WHEN NOT yima_card_stands(p_card, p_card_version) THEN 'card-changed'
        WHEN EXISTS (SELECT 1 FROM appointments a WHERE a.person_id = person AND a.schedule_id = p_schedule
            AND a.status <> 'cancelled') THEN 'already-booked'
        WHEN EXISTS (SELECT 1 FROM waitings w WHERE w.person_id = person AND w.schedule_id = p_schedule
            AND w.status = 'waiting') THEN 'already-waiting'
        WHEN EXISTS (SELECT 1 FROM places f JOIN slots s ON s.id = f.slot_id WHERE f.appointment_id IS NULL
            AND s.schedule_id = p_schedule AND (p_slot IS NULL OR s.id = p_slot) AND NOT s.stopped AND s.start > t)
            THEN 'slot-free'
        WHEN (SELECT count(*) FROM waitings w WHERE w.person_id = person AND w.status = 'waiting' AND w.until > t)
            >= at_once THEN 'waiting-limit' END;
    IF outcome IS NULL THEN
        until := yima_paused_until(person, t);
        outcome := CASE WHEN until IS NULL THEN 'waiting' ELSE 'booking-paused' END;
    END IF;
    IF outcome = 'waiting' THEN
        INSERT INTO waitings (id, schedule_id, slot_id, person_id, card_id, eligible, status, until, at)
            VALUES (p_id, p_schedule, p_slot, person, p_card, p_eligible, 'waiting', last_start - beforehand, t);
    END IF;
    RETURN NEXT;
END $$;

-- Today's appointment of a person at a hospital that a scan now makes arrived: booked, from two hours before its
-- start until the session closes, the nearest start first.
CREATE FUNCTION yima_due(p_person uuid, p_hospital uuid, t timestamptz) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    beforehand CONSTANT interval := '2 hours';
BEGIN
    RETURN (SELECT a.id FROM appointments a JOIN schedules d ON d.id = a.schedule_id
        WHERE a.person_id = p_person AND a.date = (t AT TIME ZONE 'Asia/Shanghai')::date
            AND a.status = 'booked' AND a.hospital_id = p_hospital AND d.status <> 'closed' AND a.start - beforehand <= t
        ORDER BY abs(extract(epoch FROM a.start - t)), a.id LIMIT 1);
END $$;

-- Mark an appointment arrived; the appointment as it is then, or NULL where another was quicker.
CREATE FUNCTION yima_arrive(p_id uuid, t timestamptz) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    hospital uuid;
BEGIN
    UPDATE appointments SET status = 'arrived', arrived_at = t, late = t > ends,
            turn = CASE WHEN t > ends THEN extract(epoch FROM t) ELSE number END
        WHERE id = p_id AND status = 'booked' RETURNING hospital_id INTO hospital;
    IF hospital IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM yima_change(hospital, 'arrived', p_id, t);
    RETURN (SELECT to_jsonb(r) FROM appointment_rows r WHERE r.appointment_id = p_id);
END $$;
