// The window's calls. The session is a cookie that scripts cannot read; changes carry the CSRF token beside it.
import { call } from "./http.js";
import { cookie } from "./remember.js";

const SESSION = "/v1/hospital/session";

const guarded = (more) => ({ ...more, headers: { "X-CSRF-Token": cookie("yima_csrf") ?? "" } });

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
