-- What the models of payment cannot say: the keys that decide, and the rules that no statement gets around.
CREATE SEQUENCE money_work_seq OWNED BY money_work.seq;
ALTER TABLE money_work ALTER seq SET DEFAULT nextval('money_work_seq'),
    ADD CONSTRAINT money_work_kind CHECK (kind IN ('make', 'pay', 'refund', 'cashback', 'undo'));
CREATE INDEX money_work_due ON money_work (due_at) WHERE done_at IS NULL;
CREATE INDEX money_work_live ON money_work (bill_id) WHERE done_at IS NULL;
CREATE INDEX money_work_listed ON money_work (listed_at, id) WHERE done_at IS NULL AND listed_at IS NOT NULL;
CREATE INDEX money_work_ref ON money_work (ref) WHERE done_at IS NULL;
-- A message's id at the insurer: institution (12), Beijing time (14), serial (4). The serial is counted here, as all
-- workers speak for one institution, and the platform refuses an id that it has seen.
CREATE SEQUENCE money_serial;
CREATE FUNCTION yima_msgid(p_institution text) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT p_institution || to_char(yima_now() AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDDHH24MISS')
        || lpad((nextval('money_serial') % 10000)::text, 4, '0')
$$;
-- A number goes out once for each call (a prepay or a refund may be asked again with its number: same work, same row).
CREATE UNIQUE INDEX money_messages_number ON money_messages (call, number);
CREATE INDEX money_messages_doubt ON money_messages (about) WHERE outcome IS NULL OR outcome = 'unknown';

ALTER TABLE bills ADD CONSTRAINT bills_parts CHECK (total_fen > 0 AND fund_fen >= 0 AND account_fen >= 0
        AND hospital_fen >= 0 AND cash_fen >= 0 AND total_fen = fund_fen + account_fen + hospital_fen + cash_fen),
    ADD CONSTRAINT bills_status CHECK (status IN ('making', 'failed', 'due', 'settling', 'paid', 'partly-refunded',
        'refunded', 'cancelled', 'checking'));
-- Of a person whom nothing must be kept of any more: what the bill was for is gone, its amounts stay in the books.
ALTER TABLE bills ADD COLUMN erased boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX registrations_refund ON registrations (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX refund_items_refund ON refund_items (refund_id);
CREATE INDEX bills_card ON bills (card_id, at DESC, id DESC);
ALTER TABLE bill_items ADD CONSTRAINT bill_items_amount CHECK (quantity > 0 AND price_fen > 0 AND amount_fen > 0);
ALTER TABLE payments ADD CONSTRAINT payments_status CHECK (status IN ('pending', 'succeeded', 'closed', 'checking')),
    ADD CONSTRAINT payments_method CHECK (method IN ('wechat', 'window') AND amount_fen >= 0);
CREATE UNIQUE INDEX payments_one_live ON payments (bill_id) WHERE status IN ('pending', 'checking', 'succeeded');
ALTER TABLE refunds ADD CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed', 'checking')),
    ADD CONSTRAINT refunds_kind CHECK (kind IN ('all', 'items', 'amount', 'late')),
    ADD CONSTRAINT refunds_parts CHECK (total_fen > 0 AND cash_fen >= 0
        AND (NOT owed OR total_fen = fund_fen + account_fen + hospital_fen + cash_fen));
ALTER TABLE refund_items ADD CONSTRAINT refund_items_quantity CHECK (quantity > 0);
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_moves CHECK (amount_fen > 0 AND debit <> credit),
    ADD CONSTRAINT ledger_entries_accounts CHECK (
        debit IN ('patient', 'fund', 'account', 'hospital', 'wechat', 'window', 'income')
        AND credit IN ('patient', 'fund', 'account', 'hospital', 'wechat', 'window', 'income')),
    ADD CONSTRAINT ledger_entries_act CHECK (act IN ('settled', 'reversed', 'paid', 'refunded'));
-- One entry set for an event, whoever brings the news, however often.
CREATE UNIQUE INDEX ledger_entries_event ON ledger_entries (bill_id, act, ref, debit, credit);
CREATE INDEX settlements_taken_back ON settlements (settled_at) WHERE taken_back;
-- By itself a day is compared until it could be, and then no more, whichever workers try.
CREATE UNIQUE INDEX reconciliations_own ON reconciliations (date, channel) WHERE asked_by IS NULL AND status <> 'failed';
ALTER TABLE reconciliations ADD CONSTRAINT reconciliations_channel CHECK (channel IN ('wechat', 'insurer')),
    ADD CONSTRAINT reconciliations_status CHECK (status IN ('matched', 'differs', 'failed'));

CREATE FUNCTION yima_unchangeable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an entry of the ledger is never changed: write another one' USING ERRCODE = 'YM010';
END $$;
CREATE TRIGGER ledger_entries_stay BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION yima_unchangeable();
CREATE TRIGGER ledger_entries_stay_all BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION yima_unchangeable();

-- A bill goes only these ways.
CREATE FUNCTION yima_bill_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (('making', 'due'), ('making', 'failed'), ('due', 'settling'), ('due', 'cancelled'),
            ('settling', 'due'), ('settling', 'paid'), ('settling', 'checking'), ('checking', 'settling'),
            ('checking', 'due'), ('checking', 'paid'), ('paid', 'checking'), ('paid', 'partly-refunded'),
            ('paid', 'refunded'), ('partly-refunded', 'refunded'), ('partly-refunded', 'checking'),
            ('checking', 'partly-refunded'), ('checking', 'refunded')) THEN
        RAISE EXCEPTION 'a bill does not go from % to %', OLD.status, NEW.status USING ERRCODE = 'YM011';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bills_move BEFORE UPDATE OF status ON bills FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION yima_bill_moves();

-- No more of an item is given back than was billed. The bill's row is locked by whoever reserves.
CREATE FUNCTION yima_refund_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(r.quantity) FROM refund_items r JOIN refunds f ON f.id = r.refund_id
            WHERE r.item_id = NEW.item_id AND f.status <> 'failed')
            > (SELECT i.quantity FROM bill_items i WHERE i.id = NEW.item_id AND i.bill_id = NEW.bill_id) THEN
        RAISE EXCEPTION 'more would be given back than was billed' USING ERRCODE = 'YM012';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refund_items_within AFTER INSERT ON refund_items DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW EXECUTE FUNCTION yima_refund_within();

-- At each COMMIT the ledger says what the bill's row says: nothing is earned of a bill that is not paid, what is earned
-- of one that is, is its total less what went back, and the patient owes nothing and is owed what refunds still owe.
CREATE FUNCTION yima_check_balance(p_bill uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    earned bigint;
    patient bigint;
    given bigint;
    due_back bigint;
BEGIN
    IF current_setting('yima.balanced', true) = p_bill::text THEN
        RETURN;  -- looked at in this COMMIT, for another row
    END IF;
    PERFORM set_config('yima.balanced', p_bill::text, true);
    SELECT status, total_fen INTO b FROM bills WHERE id = p_bill;
    IF b.status IN ('making', 'failed', 'settling', 'checking') OR EXISTS (
            SELECT 1 FROM refunds WHERE bill_id = p_bill AND status IN ('pending', 'checking') AND NOT owed) THEN
        RETURN;  -- something is under way at the insurer; it is looked at when that ends
    END IF;
    SELECT coalesce(sum(CASE WHEN credit = 'income' THEN amount_fen WHEN debit = 'income' THEN -amount_fen END), 0),
            coalesce(sum(CASE WHEN debit = 'patient' THEN amount_fen WHEN credit = 'patient' THEN -amount_fen END), 0)
        INTO earned, patient FROM ledger_entries WHERE bill_id = p_bill;
    SELECT coalesce(sum(total_fen) FILTER (WHERE kind <> 'late'), 0),
            coalesce(sum(cash_fen) FILTER (WHERE status <> 'succeeded'), 0)
        INTO given, due_back FROM refunds WHERE bill_id = p_bill AND owed;
    IF earned <> (CASE WHEN b.status IN ('due', 'cancelled') THEN 0 ELSE b.total_fen - given END) OR patient <> -due_back THEN
        RAISE EXCEPTION 'a bill and its ledger disagree' USING ERRCODE = 'YM013';
    END IF;
END $$;
CREATE FUNCTION yima_balance_bill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM yima_check_balance(NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION yima_balance_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM yima_check_balance(NEW.bill_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bills_balance AFTER UPDATE OF status ON bills DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION yima_balance_bill();
CREATE CONSTRAINT TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION yima_balance_of();
CREATE CONSTRAINT TRIGGER refunds_balance AFTER UPDATE OF owed, status ON refunds DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION yima_balance_of();
