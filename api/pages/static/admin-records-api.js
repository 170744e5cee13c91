// The administrator's calls about records: break-glass, recognition, and the systems that hospitals have connected.
import { creating, guarded, read } from "./admin-api.js";
import { Refused, call } from "./http.js";

/** Breakings of the glass that wait for a verdict, oldest first, or are done, newest first. */
export function glasses(reviewed, cursor) {
  const query = new URLSearchParams({ reviewed, limit: 20, ...(cursor && { cursor }) });
  return read(`/v1/admin/break-glass?${query}`);
}

/** `{verdict, note}`, once. */
export const review = async (id, body, attempt) =>
  (await call("POST", `/v1/admin/break-glass/${id}/review`, creating(body, attempt))).data;

/** Decisions by item between two dates, both included. */
export const recognitions = async (from, to) =>
  (await read(`/v1/admin/recognitions?${new URLSearchParams({ from, to })}`)).items;

const at = (hospital, kind) => `/v1/admin/hospitals/${hospital}/${kind}`;

/** What is connected, or null. `kind`: mllp or dicomweb. */
export async function system(hospital, kind) {
  try {
    return await read(at(hospital, kind));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

export const putSystem = (hospital, kind, body) => call("PUT", at(hospital, kind), guarded({ body }));
export const dropSystem = (hospital, kind) => call("DELETE", at(hospital, kind), guarded());
