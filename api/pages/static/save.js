// Files to keep: what a record carries is handed to the browser as plain bytes.
import { h } from "./dom.js";

const KEPT = 60_000; // ms; the browser has taken the bytes by then
const NEVER_IN_A_NAME = /[\\/:*?"<>|\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Saves what a record carries; whatever it claims to be, it is never opened here. */
export function saveAttachment({ data, type }, name) {
  const bytes = Uint8Array.from(atob(data.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  const subtype = /^[\w.+-]+\/([a-z0-9]{2,5})$/.exec(type)?.[1];
  const ending = subtype === "plain" ? "txt" : subtype;
  hand([bytes], ending && !/\.\w{2,5}$/.test(name) ? `${name}.${ending}` : name);
}

/** Bytes as a file of that name. */
export function hand(parts, name) {
  const address = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  const link = h("a", { href: address, download: name.replace(NEVER_IN_A_NAME, "_").slice(0, 100) || "record" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
}
