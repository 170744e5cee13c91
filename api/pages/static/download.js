// Files to keep, fetched with this sign-in.
import { NoAnswer, Refused } from "./http.js";
import { acceptLanguage } from "./language.js";
import { token } from "./patient-api.js";
import { hand } from "./save.js";

export { saveAttachment } from "./save.js";

const SILENCE = 30_000; // ms without a byte, then the network counts as gone

/** Fetches a file and saves it under that name; `told(bytes)` hears how much has come. Refused, NoAnswer. */
export async function saveFile(path, name, told) {
  const ending = new AbortController();
  let timer = setTimeout(() => ending.abort(), SILENCE);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(), SILENCE);
  };
  try {
    const headers = { Authorization: `Bearer ${token()}`, "Accept-Language": acceptLanguage };
    const response = await fetch(path, { headers, cache: "no-store", signal: ending.signal });
    if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})), null);
    hand(await whole(response.body.getReader(), alive, told), name);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new NoAnswer(path);
  } finally {
    clearTimeout(timer);
  }
}

async function whole(reader, alive, told) {
  const parts = [];
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return parts;
    alive();
    parts.push(value);
    bytes += value.length;
    told(bytes);
  }
}
