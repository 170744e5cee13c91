// The patient's calls (/v1/patient), one function each. The token lives as long as the tab.
import { attemptName, call } from "./http.js";
import { visit } from "./remember.js";

const CARDS = "/v1/patient/cards";

export const token = () => visit.get("token");

/** What a call with this sign-in answers. */
export async function mine(method, path, body, more) {
  const { data } = await call(method, path, { token: token(), body, ...more });
  return data;
}

/** Signs in with what WeChat gave for this phone. */
export async function signIn(jsCode) {
  const { data } = await call("POST", "/v1/patient/session", { body: { js_code: jsCode } });
  visit.set("token", data.token);
}

/** Forgets the sign-in on this page. */
export function forget() {
  for (const key of ["token", "card", "phone-code", "person", "events"]) visit.drop(key);
}

export const signOut = (everywhere) => mine("DELETE", `/v1/patient/session${everywhere ? "?all=true" : ""}`);

export const cards = async () => (await mine("GET", CARDS)).cards;
export const addCard = (body, attempt) =>
  mine("POST", CARDS, body, { headers: { "Idempotency-Key": attempt }, timeout: 30_000 });
export const closeCard = (id) => mine("DELETE", `${CARDS}/${id}`);
export const mergeInsurance = (id, insurance) =>
  mine("PUT", `${CARDS}/${id}/insurance`, insurance, { timeout: 30_000 });
export const freeze = (id) =>
  mine("POST", `${CARDS}/${id}/freeze`, {}, { headers: { "Idempotency-Key": attemptName() } });
export const unfreeze = (id) =>
  mine("POST", `${CARDS}/${id}/unfreeze`, {}, { headers: { "Idempotency-Key": attemptName() } });

/** A new code; `services` null opens all three. */
export const newCode = (id, services) =>
  mine("POST", `${CARDS}/${id}/codes?matrix=true`, services ? { services } : {}, { timeout: 8_000 });

export const accesses = (id, { limit = 20, cursor } = {}) =>
  mine("GET", `${CARDS}/${id}/accesses?limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

export const holders = async (id) => (await mine("GET", `${CARDS}/${id}/holders`)).holders;
export const removeHolder = (id, holder) => mine("DELETE", `${CARDS}/${id}/holders/${holder}`);

export const messages = (cursor) =>
  mine("GET", `/v1/patient/messages?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** Starts a proof by text message or face: `{verification_id, expires_in}`. */
export const startProof = (type, person) =>
  mine(
    "POST",
    "/v1/patient/verifications",
    { type, ...person },
    { headers: { "Idempotency-Key": attemptName() }, timeout: 30_000 },
  );

/** The consent text that stands now: `{version, text}` in the page's language. */
export async function policy(english) {
  const { policies } = await mine("GET", "/v1/policies");
  const [{ version, zh, en }] = policies;
  return { version, text: english ? en : zh };
}

/** The demo's people (only the demo has them). */
export const demoPeople = async () => (await call("GET", "/demo/people.json")).data.people;
