-- What news of WeChat does, in one call each: the row of the bill is locked first, everywhere.

-- An entry of the ledger; a second one of the same event changes nothing.
CREATE FUNCTION yima_enter(
    p_bill uuid, p_act text, p_ref text, p_debit text, p_credit text, p_fen bigint, p_occurred timestamptz
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_fen > 0 THEN
        INSERT INTO ledger_entries (id, bill_id, hospital_id, act, ref, debit, credit, amount_fen, insutype, at, day)
            SELECT gen_random_uuid(), b.id, b.hospital_id, p_act, p_ref, p_debit, p_credit, p_fen, b.insutype, yima_now(),
                (coalesce(p_occurred, yima_now()) AT TIME ZONE 'Asia/Shanghai')::date FROM bills b WHERE b.id = p_bill
            ON CONFLICT (bill_id, act, ref, debit, credit) DO NOTHING;
    END IF;
END $$;

-- What a bill that was paid is now: by what its refunds gave back.
CREATE FUNCTION yima_paid_status(p_bill uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    given bigint;
    doubt boolean;
    whole bigint;
BEGIN
    SELECT coalesce(sum(total_fen) FILTER (WHERE status = 'succeeded' AND kind <> 'late'), 0),
            coalesce(bool_or(status = 'checking' AND NOT owed), false)
        INTO given, doubt FROM refunds WHERE bill_id = p_bill;
    SELECT total_fen INTO whole FROM bills WHERE id = p_bill;
    RETURN CASE WHEN doubt THEN 'checking' WHEN given >= whole THEN 'refunded' WHEN given > 0 THEN 'partly-refunded'
        ELSE 'paid' END;
END $$;

-- The bill's settlement goes into the ledger. p_ref: the setl_id, or the payment of a bill without an insurer.
CREATE FUNCTION yima_settled(
    p_bill uuid, p_ref text, p_fund bigint, p_account bigint, p_hospital bigint, p_cash bigint, p_occurred timestamptz
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM yima_enter(p_bill, 'settled', p_ref, 'fund', 'income', p_fund, p_occurred);
    PERFORM yima_enter(p_bill, 'settled', p_ref, 'account', 'income', p_account, p_occurred);
    PERFORM yima_enter(p_bill, 'settled', p_ref, 'hospital', 'income', p_hospital, p_occurred);
    PERFORM yima_enter(p_bill, 'settled', p_ref, 'patient', 'income', p_cash, p_occurred);
END $$;

-- The same backwards.
CREATE FUNCTION yima_reversed(
    p_bill uuid, p_ref text, p_fund bigint, p_account bigint, p_hospital bigint, p_cash bigint, p_occurred timestamptz
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM yima_enter(p_bill, 'reversed', p_ref, 'income', 'fund', p_fund, p_occurred);
    PERFORM yima_enter(p_bill, 'reversed', p_ref, 'income', 'account', p_account, p_occurred);
    PERFORM yima_enter(p_bill, 'reversed', p_ref, 'income', 'hospital', p_hospital, p_occurred);
    PERFORM yima_enter(p_bill, 'reversed', p_ref, 'income', 'patient', p_cash, p_occurred);
END $$;

-- The bill's row is locked, and its work still held under this token, for so many seconds more; else YM020.
CREATE FUNCTION yima_hold(p_work uuid, p_token uuid, p_seconds float) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM bills b WHERE b.id = (SELECT w.bill_id FROM money_work w WHERE w.id = p_work) FOR UPDATE;
    UPDATE money_work SET held_until = yima_now() + make_interval(secs => p_seconds)
        WHERE id = p_work AND held_by = p_token AND done_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another worker has taken this work on' USING ERRCODE = 'YM020';
    END IF;
END $$;

-- A settlement stands at the insurer, by this message; it goes into the ledger unless its parts (NULL) do not add up.
CREATE FUNCTION yima_stands(
    p_work uuid, p_token uuid, p_seconds float, p_registration uuid, p_setl text, p_fund bigint, p_account bigint,
    p_hospital bigint, p_cash bigint, p_message uuid, p_occurred timestamptz
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    g record;
BEGIN
    PERFORM yima_hold(p_work, p_token, p_seconds);
    UPDATE registrations SET setl_id = p_setl, settled_fund = p_fund, settled_account = p_account,
            settled_hospital = p_hospital, settled_cash = p_cash
        WHERE id = p_registration RETURNING bill_id, total_fen INTO g;
    UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = p_message;
    INSERT INTO settlements (id, bill_id, registration_id, setl_id, total_fen, taken_back, settled_by, settled_at)
        VALUES (gen_random_uuid(), g.bill_id, p_registration, p_setl, g.total_fen, p_fund IS NULL, p_message, yima_now());
    IF p_fund IS NOT NULL THEN
        PERFORM yima_settled(g.bill_id, p_setl, p_fund, p_account, p_hospital, p_cash, p_occurred);
    END IF;
END $$;

-- The settlement that stood was reversed by this message, and the ledger says so, where it had it.
CREATE FUNCTION yima_stands_no_more(p_registration uuid, p_message uuid, p_occurred timestamptz) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    g record;
BEGIN
    SELECT * INTO g FROM registrations WHERE id = p_registration;
    UPDATE registrations SET setl_id = NULL, settled_fund = NULL, settled_account = NULL, settled_hospital = NULL,
        settled_cash = NULL WHERE id = p_registration;
    UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = p_message;
    UPDATE settlements SET reversed_by = p_message, reversed_at = yima_now()
        WHERE bill_id = g.bill_id AND setl_id = g.setl_id;
    IF g.settled_fund IS NOT NULL THEN
        PERFORM yima_reversed(g.bill_id, g.setl_id, g.settled_fund, g.settled_account, g.settled_hospital, g.settled_cash,
            p_occurred);
    END IF;
END $$;

-- WeChat has the order, by this message: the payer's phone can open it, and the work lets go until it is time to ask.
CREATE FUNCTION yima_prepaid(
    p_work uuid, p_token uuid, p_payment uuid, p_sealed bytea, p_message uuid, p_step text, p_wait float
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM yima_hold(p_work, p_token, 0);
    UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = p_message;
    UPDATE payments SET prepay = p_sealed, status = CASE WHEN status = 'checking' THEN 'pending' ELSE status END
        WHERE id = p_payment;
    UPDATE money_work SET step = p_step, attempts = 0, listed_at = NULL, held_until = NULL,
        due_at = yima_now() + make_interval(secs => p_wait) WHERE id = p_work;
END $$;

-- A payment succeeded at WeChat. outcome: unknown-order, other-amount, again, paid, or late: it had been closed, and is
-- given back by a refund (p_refund, with its sealed reason) that this makes. p_message…: what the accounts of these cards
-- are told if it is paid.
CREATE FUNCTION yima_paid(
    p_number text, p_fen bigint, p_occurred timestamptz, p_refund uuid, p_sealed bytea, p_message uuid[],
    p_account uuid[], p_card uuid[], p_said bytea[]
) RETURNS TABLE (outcome text, bill uuid, payment uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t timestamptz;
    p record;
    b record;
BEGIN
    SELECT y.id, y.bill_id, y.amount_fen, y.paid_at INTO p FROM payments y WHERE y.out_trade_no = p_number;
    bill := p.bill_id;
    payment := p.id;
    outcome := CASE WHEN p.id IS NULL THEN 'unknown-order' WHEN p.amount_fen <> p_fen THEN 'other-amount'
        WHEN p.paid_at IS NOT NULL THEN 'again' END;
    IF outcome IS NOT NULL THEN
        RETURN NEXT; RETURN;
    END IF;
    SELECT l.id, l.hospital_id, l.status, l.self_paid, l.cash_fen INTO b FROM bills l WHERE l.id = p.bill_id FOR UPDATE;
    t := yima_now();
    SELECT y.status, y.paid_at INTO p FROM payments y WHERE y.id = payment;
    IF p.paid_at IS NOT NULL THEN
        outcome := 'again'; RETURN NEXT; RETURN;
    END IF;
    IF p.status IN ('pending', 'checking') AND p_fen = b.cash_fen THEN
        outcome := 'paid';
        IF b.self_paid THEN
            PERFORM yima_settled(bill, p_number, 0, 0, 0, p_fen, p_occurred);
        END IF;
        PERFORM yima_enter(bill, 'paid', p_number, 'wechat', 'patient', p_fen, p_occurred);
        UPDATE payments SET status = 'succeeded', paid_at = t WHERE id = payment;
        UPDATE bills SET status = 'paid', paid_at = t WHERE id = bill;
        UPDATE money_work SET done_at = t WHERE ref = payment AND kind = 'pay' AND done_at IS NULL;
        PERFORM yima_change(b.hospital_id, 'paid', bill, t);
        INSERT INTO messages (id, account_id, card_id, kind, sealed, ref, at)
            SELECT m.id, m.account, m.card, 'paid', m.said, bill::text, t
            FROM unnest(p_message, p_account, p_card, p_said) m(id, account, card, said)
            JOIN cards c ON c.id = m.card AND c.status <> 'closed';
    ELSE
        outcome := 'late';
        UPDATE payments SET paid_at = t, cancelled = true WHERE id = payment;
        PERFORM yima_enter(bill, 'paid', p_number, 'wechat', 'patient', p_fen, p_occurred);
        INSERT INTO refunds (id, bill_id, payment_id, kind, status, total_fen, fund_fen, account_fen, hospital_fen,
                cash_fen, owed, out_refund_no, sealed, at)
            VALUES (p_refund, bill, payment, 'late', 'pending', p_fen, 0, 0, 0, p_fen, true,
                replace(p_refund::text, '-', ''), p_sealed, t);
        INSERT INTO money_work (id, bill_id, kind, ref, step, attempts, at, due_at)
            VALUES (gen_random_uuid(), bill, 'cashback', p_refund, 'send', 0, t, t);
    END IF;
    RETURN NEXT;
END $$;

-- A refund's cash is back with the payer. outcome: unknown-refund, other-amount, again or refunded.
CREATE FUNCTION yima_refunded(p_number text, p_fen bigint, p_occurred timestamptz)
RETURNS TABLE (outcome text, bill uuid, refund uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t timestamptz;
    f record;
    from_account text;
BEGIN
    SELECT r.id, r.bill_id, r.cash_fen, r.status, r.owed INTO f FROM refunds r WHERE r.out_refund_no = p_number;
    bill := f.bill_id;
    refund := f.id;
    outcome := CASE WHEN f.id IS NULL OR NOT f.owed THEN 'unknown-refund' WHEN f.cash_fen <> p_fen THEN 'other-amount'
        WHEN f.status = 'succeeded' THEN 'again' END;
    IF outcome IS NOT NULL THEN
        RETURN NEXT; RETURN;
    END IF;
    PERFORM 1 FROM bills b WHERE b.id = bill FOR UPDATE;
    t := yima_now();
    SELECT y.method INTO from_account FROM payments y JOIN refunds r ON r.payment_id = y.id WHERE r.id = refund;
    UPDATE refunds SET status = 'succeeded', done_at = t WHERE id = refund AND status <> 'succeeded';
    IF NOT FOUND THEN
        outcome := 'again'; RETURN NEXT; RETURN;
    END IF;
    outcome := 'refunded';
    PERFORM yima_enter(bill, 'refunded', p_number, 'patient', from_account, p_fen, p_occurred);
    UPDATE bills SET status = yima_paid_status(bill) WHERE id = bill
        AND status IN ('paid', 'partly-refunded', 'checking') AND status <> yima_paid_status(bill)
        AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.id = refund AND r.kind = 'late');
    UPDATE money_work SET done_at = t WHERE ref = refund AND kind = 'cashback' AND done_at IS NULL;
    PERFORM yima_change(b.hospital_id, 'refunded', bill, t) FROM bills b JOIN refunds r ON r.bill_id = b.id
        WHERE r.id = refund AND r.kind <> 'late';
    RETURN NEXT;
END $$;

-- A use of a resolution for its payment service, put down to who did it: the clerk of this shift, or the client's system.
-- False where `p_live` is asked and the card is not active any more.
CREATE FUNCTION yima_money_access(
    p_resolution uuid, p_client uuid, p_session uuid, p_act text, p_live boolean, t timestamptz
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO accesses (id, resolution_id, card_id, person_id, client_id, hospital_id, terminal, operator_id,
            operator_name, department, step, granted, at, act)
        SELECT gen_random_uuid(), r.id, r.card_id, r.person_id, p_client, r.hospital_id, coalesce(s.terminal, r.terminal),
            CASE WHEN p_live AND s.id IS NULL THEN r.operator_id ELSE s.operator_id END,
            CASE WHEN p_live AND s.id IS NULL THEN r.operator_name ELSE s.operator_name END,
            CASE WHEN p_live THEN r.department END, r.step, 4, t, p_act
        FROM resolutions r LEFT JOIN clerk_sessions s ON s.id = p_session
        WHERE r.id = p_resolution
            AND (NOT p_live OR EXISTS (SELECT 1 FROM cards c WHERE c.id = r.card_id AND c.status = 'active'));
    RETURN FOUND;
END $$;

-- A bill as its readers need it, with its payments, its refunds and how much of each item went back.
CREATE VIEW bill_rows AS
SELECT b.id AS bill_id, b.hospital_id, h.name AS hospital_name, h.code AS hospital_code, h.area AS hospital_area,
    b.person_id, b.card_id, b.resolution_id, b.status, b.self_paid, b.insutype, b.total_fen, b.fund_fen, b.account_fen,
    b.hospital_fen, b.cash_fen, b.registration_id, g.setl_id, b.sealed, b.at, b.paid_at,
    coalesce(v.expires_at <= yima_now(), false) AS visit_over,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('payment_id', p.id, 'method', p.method, 'status', p.status,
            'amount_fen', p.amount_fen, 'expires_at', p.expires_at, 'at', p.at) ORDER BY p.at, p.id), '[]')
        FROM payments p WHERE p.bill_id = b.id)::text AS payments,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('refund_id', r.id, 'kind', r.kind, 'status', r.status,
            'fund_fen', r.fund_fen, 'account_fen', r.account_fen, 'hospital_fen', r.hospital_fen,
            'cash_fen', r.cash_fen, 'total_fen', r.total_fen, 'owed', r.owed,
            'sealed', encode(r.sealed, 'base64'), 'at', r.at)
            ORDER BY r.at, r.id), '[]') FROM refunds r WHERE r.bill_id = b.id)::text AS refunds,
    (SELECT coalesce(jsonb_object_agg(i.item_id, i.quantity::text), '{}') FROM (
        SELECT q.item_id, sum(q.quantity) AS quantity FROM refund_items q JOIN refunds r ON r.id = q.refund_id
            WHERE r.bill_id = b.id AND r.status <> 'failed' GROUP BY q.item_id) i)::text AS given_back
FROM bills b JOIN hospitals h ON h.id = b.hospital_id LEFT JOIN registrations g ON g.id = b.registration_id
    LEFT JOIN resolutions v ON v.id = b.resolution_id
WHERE b.status NOT IN ('making', 'failed');
