// The patient's calls about records, consents and the account, one function each.
import { call } from "./http.js";
import { mine, token } from "./patient-api.js";

const LONG = 60_000; // ms; a record may weigh a megabyte, and the network be slow
const ACCOUNT = "/v1/patient/account";

const card = (id, what) => `/v1/patient/cards/${id}/${what}`;

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return `?${new URLSearchParams(given)}`;
}

export const records = (id, asked) => mine("GET", card(id, "records") + query({ limit: 20, ...asked }));

/** The bytes that the hospital posted, as text. */
export async function record(id) {
  const headers = { Accept: "application/fhir+json" };
  const path = `/v1/patient/records/${id}`;
  return (await call("GET", path, { token: token(), headers, as: "text", timeout: LONG })).data;
}

export const images = async (id) =>
  (await mine("GET", `/v1/patient/records/${id}/images`, undefined, { timeout: LONG })).images;

/** One picture of a study, as a JPEG whatever else the answer claims to be. */
export async function image(id, n, signal) {
  const headers = { Accept: "image/jpeg" };
  const path = `/v1/patient/records/${id}/images/${n}`;
  const { data } = await call("GET", path, { token: token(), headers, as: "blob", timeout: LONG, signal });
  return new Blob([data], { type: "image/jpeg" });
}

export const codes = async (id) => (await mine("GET", card(id, "observation-codes"))).codes;
export const points = async (id, code) => (await mine("GET", card(id, "observations") + query({ code }))).points;

/** `{rules, hospitals, etag}`: what the patient has decided; the tag goes back with what is changed. */
export async function consents(id) {
  const { data, headers } = await call("GET", card(id, "consents"), { token: token() });
  return { ...data, etag: headers.get("ETag") };
}

/** Puts these rules in place of those with that tag. 412 if somebody else has changed them meanwhile. */
export async function decide(id, rules, etag) {
  const given = { token: token(), body: { rules }, headers: { "If-Match": etag } };
  const { data, headers } = await call("PUT", card(id, "consents"), given);
  return { ...data, etag: headers.get("ETag") };
}

export const hospitals = async (q) => (await mine("GET", `/v1/hospitals${query({ q, limit: 20 })}`)).hospitals;

export const bundleOf = (id) => card(id, "records/bundle");
export const EXPORT = `${ACCOUNT}/export`;
export const account = () => mine("GET", ACCOUNT);
export const leave = (confirm) => mine("DELETE", ACCOUNT, { confirm }, { timeout: LONG });
