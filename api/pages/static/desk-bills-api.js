// The window's calls about bills: a person's under a resolution, and one of this hospital's by itself.
import { call } from "./http.js";
import { guarded } from "./scanner-api.js";

const SLOW = 30_000; // ms; the insurer answers through the service
const ofPerson = (resolution) => `/v1/hospital/resolutions/${resolution}/bills`;
const of = (bill, act = "") => `/v1/hospital/bills/${bill}${act}`;

/** The person's bills at this hospital, newest first: `{bills, next_cursor}`. */
export async function bills(resolution, cursor, signal) {
  const query = cursor ? `?${new URLSearchParams({ cursor })}` : "";
  return (await call("GET", `${ofPerson(resolution)}${query}`, { signal })).data;
}

export const bill = async (_resolution, id, signal) => (await call("GET", of(id), { signal })).data;

const doing = async (path, body, attempt, signal) =>
  (await call("POST", path, guarded({ body, headers: { "Idempotency-Key": attempt }, signal, timeout: SLOW }))).data;

/** `{items, visit_number, self_paid}`. `attempt` names it here and below: sent twice, it is done once. */
export const make = (resolution, body, attempt, signal) => doing(ofPerson(resolution), body, attempt, signal);
export const cancel = (_resolution, id, attempt, signal) => doing(of(id, "/cancel"), {}, attempt, signal);
export const take = (_resolution, id, fen, attempt, signal) =>
  doing(of(id, "/payments"), { received_fen: fen }, attempt, signal);

/** `{all}`, `{items: [{item_id, quantity}]}` or `{amount_fen}`, and `reason`. */
export const refund = (_resolution, id, body, attempt, signal) => doing(of(id, "/refunds"), body, attempt, signal);
