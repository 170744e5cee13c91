// An auditor's calls about money.
import { creating, read } from "./admin-api.js";
import { call } from "./http.js";

const RECONCILIATIONS = "/v1/admin/reconciliations";
const SLOW = 120_000; // ms; a day's books of both sides are read
const page = (path, cursor) => read(`${path}?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** Comparisons of the books, newest first: `{reconciliations, next_cursor}`. */
export const reconciliations = (cursor) => page(RECONCILIATIONS, cursor);

/** Compares `{date, channel}` now. */
export const reconcile = async (body, attempt) =>
  (await call("POST", RECONCILIATIONS, { ...creating(body, attempt), timeout: SLOW })).data;

/** Says why there is a difference. */
export const explainDifference = async (id, body, attempt) =>
  (await call("POST", `/v1/admin/differences/${id}/explanation`, creating(body, attempt))).data;

/** What no try has ended: `{unresolved, next_cursor}`. */
export const unresolved = (cursor) => page("/v1/admin/unresolved-payments", cursor);
