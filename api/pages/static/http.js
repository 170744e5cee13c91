// One way to call the service. Two kinds of bad news: it said no (Refused), or nothing came back (NoAnswer).
import { acceptLanguage, known, t } from "./language.js";

/** The service answered with a problem (RFC 9457). */
export class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.code ?? String(status));
    this.status = status;
    this.code = problem.code ?? "";
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.fields = problem.errors ?? [];
    this.gate = problem.gate ?? null;
    this.notBefore = problem.not_before ?? null;
    this.until = problem.until ?? null;
    this.retryAfter = retryAfter;
  }
}

/** The network is gone, or the answer did not come in time. */
export class NoAnswer extends Error {}

/**
 * Calls and gives `{status, headers, data}`. `body` is sent as JSON unless it is bytes.
 * `timeout` in milliseconds; `signal` ends the call from outside; `as`: "text" or "blob" instead of parsed JSON.
 */
export async function call(method, path, { token, body, headers, timeout = 12_000, signal, as } = {}) {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), timeout);
  signal?.addEventListener("abort", () => ending.abort(), { once: true });
  const bytes = body instanceof Uint8Array;
  try {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      credentials: "same-origin",
      signal: ending.signal,
      headers: {
        Accept: "application/json",
        "Accept-Language": acceptLanguage,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "Content-Type": bytes ? "application/octet-stream" : "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : bytes ? body : JSON.stringify(body),
    });
    return await read(response, as);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new NoAnswer(path.split("?")[0]);
  } finally {
    clearTimeout(timer);
  }
}

async function read(response, as) {
  if (response.ok && as) return { status: response.status, headers: response.headers, data: await response[as]() };
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  const text = await response.text();
  const data = json && text ? JSON.parse(text) : null;
  if (response.ok) return { status: response.status, headers: response.headers, data };
  throw new Refused(response.status, data ?? {}, Number(response.headers.get("Retry-After")) || null);
}

/** Whether waiting and asking again may help: no answer, or one that blames the service. */
export function passing(error) {
  return error instanceof NoAnswer || (error instanceof Refused && error.status >= 500);
}

/** What went wrong, as a title and what to do, in the page's language; never a bare code. */
export function explain(error) {
  if (error instanceof NoAnswer) {
    return { title: t("trouble.network.title"), todo: t("trouble.network.todo") };
  }
  if (!(error instanceof Refused)) throw error;
  const title = known(`said.${error.code}.title`, null) || error.title;
  const todo = known(`said.${error.code}.todo`, null) || error.detail;
  if (title) return { title, todo };
  return { title: t("trouble.down.title"), todo: t("trouble.down.todo") };
}

/** A name for one attempt to create something: the same attempt sent twice counts once. */
export function attemptName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Milliseconds to wait before try number `attempt` (from 0), never more than `most`. */
export function backoff(attempt, first = 500, most = 10_000) {
  return Math.min(most, first * 2 ** attempt) * (0.8 + Math.random() * 0.4);
}
