// What is known of records by their id: those of lists that were seen, the others asked for one by one.
import { token } from "./patient-api.js";
import * as api from "./records-api.js";

let seen = new Map();
let whose = null;
let asking = Promise.resolve();

/** Keeps what a list said, for this sign-in alone. */
export function remember(records) {
  if (whose !== token()) [seen, whose] = [new Map(), token()];
  for (const record of records) seen.set(record.record_id, record);
}

/** What lists say of that record of a card, or null. */
export function recordOf(card, id) {
  remember([]);
  // One after the other: a time line names many at once.
  asking = asking.catch(() => {}).then(() => (seen.has(id) ? seen.get(id) : search(card, id)));
  return asking;
}

async function search(card, id) {
  remember((await api.records(card, { record_id: id, history: true })).records);
  if (!seen.has(id)) seen.set(id, null);
  return seen.get(id);
}
