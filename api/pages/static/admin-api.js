// The administrator's calls. The session is a cookie that scripts cannot read; changes carry the CSRF token beside it.
import { attemptName, call } from "./http.js";
import { cookie } from "./remember.js";

const SESSION = "/v1/admin/session";

/** Options of a call that changes something. */
export const guarded = (more = {}) => ({
  ...more,
  headers: { "X-CSRF-Token": cookie("yima_admin_csrf") ?? "", ...more.headers },
});
export const read = async (path) => (await call("GET", path)).data;

/** Who is signed in: `{name, role, expires_at, expires_in}`. Refused with 401 if nobody is. */
export const session = () => read(SESSION);
export const signIn = (token) => call("POST", SESSION, { body: { token } });
export const signOut = () => call("DELETE", SESSION, guarded());

/** `{keys, ring_version, rolled_back, workers, etag}`. */
export async function keys() {
  const { data, headers } = await call("GET", "/v1/admin/keys");
  return { ...data, etag: headers.get("ETag") };
}

export const approvals = async () => (await read("/v1/admin/approvals")).approvals;
export const alarms = () => read("/v1/admin/alarms");

/** `{kid, activates_at}`: a new pending key, or the one that is there. */
export const rotate = async (purpose, when) =>
  (await call("POST", "/v1/admin/keys/rotations", guarded({ body: { purpose, when } }))).data;

/** 200 when it was made, 202 when a second custodian must approve. */
export const change = (kid, to, reason, etag) =>
  call("POST", `/v1/admin/keys/${kid}/transitions`, guarded({ body: { to, reason }, headers: { "If-Match": etag } }));

export const report = (kid, since) =>
  read(`/v1/admin/keys/${kid}/report${since ? `?since=${encodeURIComponent(since)}` : ""}`);

export const compromise = async (kid, reason, since) =>
  (await call("POST", `/v1/admin/keys/${kid}/compromise`, guarded({ body: { reason, ...(since && { since }) } }))).data;

export const decide = (id, approve) => call("POST", `/v1/admin/approvals/${id}`, guarded({ body: { approve } }));
export const confirmRing = (reason) => call("POST", "/v1/admin/keys/ring/confirm", guarded({ body: { reason } }));

const paged = (path, cursor) => read(`${path}?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const audit = (cursor) => paged("/v1/admin/audit", cursor);
export const hospitals = (cursor) => paged("/v1/admin/hospitals", cursor);
export const clients = async (id) => (await read(`/v1/admin/hospitals/${id}/clients`)).clients;

/** Names for the tries of one dialog: the same body sent again, after no answer came, counts once. */
export function attempts() {
  let name = "";
  let sent = "";
  return (body) => {
    const now = JSON.stringify(body);
    if (now !== sent) [sent, name] = [now, attemptName()];
    return name;
  };
}

export const creating = (body, attempt) => guarded({ body, headers: { "Idempotency-Key": attempt(body) } });
export const addHospital = async (body, attempt) => (await call("POST", "/v1/admin/hospitals", creating(body, attempt))).data;
export const addClient = async (id, body, attempt) =>
  (await call("POST", `/v1/admin/hospitals/${id}/clients`, creating(body, attempt))).data;
export const disableClient = (id, client) =>
  call("POST", `/v1/admin/hospitals/${id}/clients/${client}/disable`, guarded({ body: {} }));
