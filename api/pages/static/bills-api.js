// The patient's calls about bills and their payment, one function each.
import { attemptName } from "./http.js";
import { mine } from "./patient-api.js";

const SLOW = 30_000; // ms; the insurer settles and WeChat prepares before there is an answer

/** A page of a card's bills, newest first: `{bills, next_cursor}`. */
export const bills = (card, cursor) =>
  mine("GET", `/v1/patient/cards/${card}/bills?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

export const bill = (id) => mine("GET", `/v1/patient/bills/${id}`);

/** A payment, new or the one under way. `attempt`: sent again after no answer, it pays once. */
export const pay = (attempt, id) => attempt.send(`/v1/patient/bills/${id}/payments`, {}, { timeout: SLOW });

/** What became of a payment; the service asks WeChat while it is pending. */
export const payment = (id) => mine("GET", `/v1/patient/payments/${id}`);

export const cancel = (id) =>
  mine("POST", `/v1/patient/payments/${id}/cancel`, {}, { headers: { "Idempotency-Key": attemptName() }, timeout: SLOW });
