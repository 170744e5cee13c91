// Parts of a page that are fetched when they are first opened: modules, sentences and a stylesheet, named by <main>.
import { h } from "./dom.js";
import { NoAnswer } from "./http.js";
import { learn } from "./language.js";

/** The exports of the parts that are here. */
export const there = {};
const coming = {};

/** The exports of a part. NoAnswer while the network is gone; the next call tries again. */
export function fetchPart(part) {
  coming[part] ??= fetched(part, document.querySelector("main").dataset).catch((error) => {
    coming[part] = null;
    throw error;
  });
  return coming[part];
}

async function fetched(part, { [part]: scripts, [`${part}Texts`]: texts, [`${part}Style`]: style }) {
  const modules = scripts.split(" ");
  // Browsers may remember for good that a module could not be had: all is in their cache before the first import.
  await Promise.all([...modules, texts].map(cached));
  await styled(style);
  await learn(texts);
  there[part] = await import(modules.at(-1));
  return there[part];
}

async function cached(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new NoAnswer(address);
  await response.arrayBuffer();
}

function styled(address) {
  return new Promise((done, failed) => {
    const broken = () => {
      sheet.remove();
      failed(new NoAnswer(address));
    };
    const sheet = h("link", { rel: "stylesheet", href: address, onload: done, onerror: broken });
    document.head.append(sheet);
  });
}
