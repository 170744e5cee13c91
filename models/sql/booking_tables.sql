-- What the models of booking cannot say: the unique keys that decide, the queues' indexes, and what is shown.
CREATE SEQUENCE waitings_seq OWNED BY waitings.seq;
ALTER TABLE waitings ALTER seq SET DEFAULT nextval('waitings_seq'),
    ADD CONSTRAINT waitings_status CHECK (status IN ('waiting', 'booked', 'expired', 'withdrawn'));
ALTER TABLE schedules ADD CONSTRAINT schedules_status CHECK (status IN ('open', 'stopped', 'closed'));
ALTER TABLE slots ADD CONSTRAINT slots_time CHECK (start < ends), ADD CONSTRAINT slots_capacity CHECK (capacity > 0);
ALTER TABLE appointments ADD CONSTRAINT appointments_status
    CHECK (status IN ('booked', 'arrived', 'fulfilled', 'cancelled', 'noshow'));
-- One a session for a person, one person a number: a violation aborts the whole statement, and no place goes with it.
CREATE UNIQUE INDEX appointments_one_a_session ON appointments (person_id, schedule_id) WHERE status <> 'cancelled';
CREATE UNIQUE INDEX appointments_one_a_number ON appointments (schedule_id, number) WHERE status <> 'cancelled';
CREATE INDEX appointments_day ON appointments (person_id, date) WHERE status <> 'cancelled';
CREATE INDEX appointments_missed ON appointments (person_id, ended_at) WHERE status = 'noshow';
CREATE INDEX appointments_queue ON appointments (schedule_id, turn) WHERE status = 'arrived';
CREATE UNIQUE INDEX places_taken ON places (appointment_id) WHERE appointment_id IS NOT NULL;
CREATE INDEX places_free ON places (slot_id, number) WHERE appointment_id IS NULL;
-- `sold_out` spares a search the slots that have no place left: set by who takes the last one, unset with any place that
-- comes free or is new. It may miss two who take the last two at once, so whether a place is free, `places` says.
ALTER TABLE slots ADD COLUMN sold_out boolean NOT NULL DEFAULT false;
CREATE FUNCTION yima_place_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE slots SET sold_out = false WHERE id = NEW.slot_id AND sold_out;
    RETURN NULL;
END $$;
CREATE TRIGGER places_come_free AFTER INSERT OR UPDATE OF appointment_id ON places
    FOR EACH ROW WHEN (NEW.appointment_id IS NULL) EXECUTE FUNCTION yima_place_free();
CREATE INDEX slots_free ON slots (start, id) WHERE NOT dropped AND NOT stopped AND NOT sold_out;
CREATE INDEX slots_free_hospital ON slots (hospital_id, start, id) WHERE NOT dropped AND NOT stopped AND NOT sold_out;
CREATE INDEX slots_free_department ON slots (hospital_id, department_code, start, id)
    WHERE NOT dropped AND NOT stopped AND NOT sold_out;
CREATE UNIQUE INDEX waitings_one_a_session ON waitings (person_id, schedule_id) WHERE status = 'waiting';
CREATE INDEX waitings_line ON waitings (schedule_id, seq) WHERE status = 'waiting';
CREATE INDEX waitings_over ON waitings (until) WHERE status = 'waiting';
CREATE INDEX schedules_over ON schedules (last_end) WHERE status = 'open';
CREATE INDEX schedules_ahead ON schedules (date, hospital_id);
CREATE INDEX changes_order ON changes (hospital_id, xid, id);

-- Added to the transactions' numbers in `changes`: a database that was restored elsewhere begins to count anew.
CREATE TABLE change_clock (ahead bigint NOT NULL);
INSERT INTO change_clock VALUES (0);

CREATE VIEW slot_rows AS
SELECT s.id AS slot_id, s.schedule_id, s.key, s.hospital_id, h.name AS hospital_name, d.department_code,
    d.department_name, d.doctor_code, d.doctor_name, d.doctor_title, d.clinic, d.room, s.date, s.start, s.ends,
    d.fee_fen, d.opens_at, d.cancel_until, d.min_age, d.max_age, d.sex, s.capacity, d.version,
    s.stopped OR d.status = 'stopped' AS stopped, d.status AS schedule_status, s.dropped
FROM slots s JOIN schedules d ON d.id = s.schedule_id JOIN hospitals h ON h.id = s.hospital_id;

-- `ahead`: those who arrived and are called earlier; of who is booked, those who would be if they came now.
CREATE VIEW appointment_rows AS
SELECT a.id AS appointment_id, a.slot_id, a.schedule_id, a.hospital_id, h.name AS hospital_name, d.department_code,
    d.department_name, d.doctor_code, d.doctor_name, d.doctor_title, d.clinic, d.room, d.fee_fen, d.cancel_until,
    a.date, a.start, a.ends, a.number, a.status, a.booked_by, a.at, a.arrived_at, a.late, a.cancelled_by, a.reason,
    a.person_id, a.card_id,
    CASE WHEN a.status IN ('booked', 'arrived') THEN (
        SELECT count(*) FROM appointments o WHERE o.schedule_id = a.schedule_id AND o.status = 'arrived'
            AND o.turn < coalesce(a.turn, CASE WHEN yima_now() > a.ends THEN extract(epoch FROM yima_now())
                ELSE a.number END)) END AS ahead
FROM appointments a JOIN schedules d ON d.id = a.schedule_id JOIN hospitals h ON h.id = a.hospital_id;

-- `position`: how many earlier ones could take the same place, and this one. What is too late has expired.
CREATE VIEW waiting_rows AS
SELECT w.id AS waiting_id, w.schedule_id, w.slot_id, w.at, w.person_id, w.card_id, w.appointment_id,
    d.hospital_id, h.name AS hospital_name, d.department_code, d.department_name, d.doctor_code, d.doctor_name,
    d.doctor_title, d.date, s.start, s.ends,
    CASE WHEN w.status = 'waiting' AND w.until <= yima_now() THEN 'expired' ELSE w.status END AS status,
    CASE WHEN w.status = 'waiting' AND w.until > yima_now() THEN (
        SELECT count(*) + 1 FROM waitings o WHERE o.schedule_id = w.schedule_id AND o.status = 'waiting'
            AND o.seq < w.seq AND (w.slot_id IS NULL OR o.slot_id IS NULL OR o.slot_id = w.slot_id)) END AS position
FROM waitings w JOIN schedules d ON d.id = w.schedule_id JOIN hospitals h ON h.id = d.hospital_id
    LEFT JOIN slots s ON s.id = w.slot_id;
