// The window's calls. The session is a cookie that scripts cannot read; changes carry the CSRF token beside it.
import { call } from "./http.js";
import { cookie } from "./remember.js";

const SESSION = "/v1/hospital/session";

/** Options of a call that changes something. */
export const guarded = (more) => ({ ...more, headers: { ...more?.headers, "X-CSRF-Token": cookie("yima_csrf") ?? "" } });

/** Who is signed in: `{hospital, terminal, operator: {id, name}, expires_at, expires_in}`. Refused with 401 if nobody is. */
export const session = async () => (await call("GET", SESSION)).data;

export const signIn = (body) => call("POST", SESSION, { body });
export const signOut = () => call("DELETE", SESSION, guarded());

/** Resolves a code: `{resolution, replayed}`. */
export async function resolve(body) {
  const { data, headers } = await call("POST", "/v1/hospital/resolutions", guarded({ body, timeout: 8_000 }));
  return { resolution: data, replayed: headers.get("Idempotent-Replayed") === "true" };
}

/** The text of a QR code in a frame of gray bytes, or null. */
export async function decode(bytes, width, height) {
  const path = `/v1/hospital/decode?width=${width}&height=${height}`;
  return (await call("POST", path, guarded({ body: bytes, timeout: 8_000 }))).data.text;
}

const ofResolution = (resolution) => `/v1/hospital/resolutions/${resolution}/appointments`;

/** This hospital's slots: `{slots, next_cursor}`. What is null in `query` is not asked for. */
export async function slots(query, signal) {
  const asked = Object.entries(query).filter(([, value]) => value !== null);
  return (await call("GET", `/v1/slots?${new URLSearchParams(asked)}`, { signal })).data;
}

/** The departments that have sessions from today on. */
export const departments = async (signal) => (await call("GET", "/v1/departments", { signal })).data.departments;

/** The person's appointments at this hospital, newest first: `{appointments, next_cursor}`. */
export async function appointments(resolution, cursor, signal) {
  const query = cursor ? `?${new URLSearchParams({ cursor })}` : "";
  return (await call("GET", `${ofResolution(resolution)}${query}`, { signal })).data;
}

/** Books a slot. `attempt` names the attempt: sent twice, it books once. */
export async function book(resolution, slot, attempt) {
  const more = guarded({ body: { slot_id: slot }, headers: { "Idempotency-Key": attempt } });
  return (await call("POST", ofResolution(resolution), more)).data;
}

/** Cancels; the reason may be empty. */
export async function cancelAppointment(resolution, appointment, reason) {
  const body = reason ? { reason } : {};
  return (await call("POST", `${ofResolution(resolution)}/${appointment}/cancel`, guarded({ body }))).data;
}

/** The visit took place. */
export async function fulfil(resolution, appointment) {
  return (await call("POST", `${ofResolution(resolution)}/${appointment}/fulfil`, guarded({ body: {} }))).data;
}
