// The patient's calls about sessions, appointments and the waiting list, one function each.
import { mine } from "./patient-api.js";

export { Attempt } from "./attempt.js";

const card = (id, what) => `/v1/patient/cards/${id}/${what}`;

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

export const departments = async () => (await mine("GET", "/v1/departments")).departments;
export const slots = (asked) => mine("GET", `/v1/slots${query({ limit: 20, ...asked })}`);

export const appointments = (id, cursor) => mine("GET", card(id, "appointments") + query({ limit: 20, cursor }));
export const appointment = (id) => mine("GET", `/v1/patient/appointments/${id}`);
export const cancel = (id) => mine("DELETE", `/v1/patient/appointments/${id}`);

export const waitings = (id, cursor) => mine("GET", card(id, "waitings") + query({ limit: 20, cursor }));
export const withdraw = (id) => mine("DELETE", `/v1/patient/waitings/${id}`);

export const book = (attempt, id, slot) => attempt.send(card(id, "appointments"), { slot_id: slot });
export const wait = (attempt, id, asked) => attempt.send(card(id, "waitings"), asked);
