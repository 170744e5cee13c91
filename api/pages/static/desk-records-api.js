// The window's calls about records, each under one resolution.
import { call } from "./http.js";
import { guarded } from "./scanner-api.js";

const SLOW = 30_000; // ms; a hospital's picture archive answers through the service

const of = (resolution, path) => `/v1/hospital/resolutions/${resolution}/${path}`;

/** A page of records: `{records, next_cursor}`. What is null or empty in `query` is not asked for. */
export async function records(resolution, query, signal) {
  const asked = Object.entries(query).filter(([, value]) => value);
  return (await call("GET", of(resolution, `records?${new URLSearchParams(asked)}`), { signal })).data;
}

/** A record as it was posted, as text. */
export const posted = async (resolution, record, signal) =>
  (await call("GET", of(resolution, `records/${record}`), { signal, as: "text" })).data;

/** The images of a study: `[{n, series, instance}]`. */
export const images = async (resolution, record, signal) =>
  (await call("GET", of(resolution, `records/${record}/images`), { signal, timeout: SLOW })).data.images;

/** One of them, a JPEG. */
export const image = async (resolution, record, n, signal) =>
  (await call("GET", of(resolution, `records/${record}/images/${n}`), { signal, timeout: SLOW, as: "blob" })).data;

const creating = (body, attempt, signal) => guarded({ body, headers: { "Idempotency-Key": attempt }, signal });

/** What was decided about a result: `{item, decision, reason?}`. `attempt` names it: sent twice, it counts once. */
export const decide = (resolution, record, body, attempt, signal) =>
  call("POST", of(resolution, `records/${record}/recognitions`), creating(body, attempt, signal));

/** Opens all records for an hour: `{break_glass_id, expires_at}`. */
export const breakGlass = async (resolution, body, attempt, signal) =>
  (await call("POST", of(resolution, "break-glass"), creating(body, attempt, signal))).data;
