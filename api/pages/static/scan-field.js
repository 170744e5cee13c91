// The field that keyboard-wedge scanners type into. It has the focus whatever is clicked, and it takes what
// scanners send: Enter or Tab at the end or nothing, full-width digits, input methods in between.
const SILENCE = 250; // ms without a key after which a whole text counts as sent
const SLOW = 2000; // ms for a text that looks like part of a code
const SHORT = 12; // characters; less is a hand on the keyboard
const WHOLE = 274; // digits of the shortest dynamic code
const RUN = /[0-9０-９a-fA-F:]{24,}/; // no hand types so much without a space

/** Fields that somebody types into on purpose keep the focus; what a scanner sends there goes where it belongs. */
const typing = (element) => element?.matches?.("[data-typing]");

/** Watches `input`; `scanned(text)` gets each text once. `on()` says whether scans are wanted now. */
export function watchField(input, { scanned, on }) {
  let timer = 0;
  let composing = false;

  function send() {
    clearTimeout(timer);
    const text = clean(input.value);
    input.value = "";
    if (text) scanned(text);
  }

  function wait() {
    clearTimeout(timer);
    const text = clean(input.value);
    if (text.length >= SHORT) timer = setTimeout(send, text.startsWith("8601") && text.length < WHOLE ? SLOW : SILENCE);
  }

  input.addEventListener("input", () => composing || wait());
  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => {
    composing = false;
    wait();
  });
  input.addEventListener("keydown", (event) => {
    const ends = event.key === "Enter" || (event.key === "Tab" && input.value);
    if (!ends || event.isComposing) return;
    event.preventDefault();
    send();
  });

  document.addEventListener("input", ({ target }) => {
    const run = on() && typing(target) && RUN.exec(target.value)?.[0];
    if (!run) return;
    target.value = target.value.replace(run, "");
    input.value += run;
    input.focus({ preventScroll: true });
    wait();
  });

  // A click never takes the focus away; after Tab it comes back with the first character of the next scan.
  const ours = ({ target }) => on() && target !== input && !typing(target);
  document.addEventListener("mousedown", (event) => ours(event) && event.preventDefault());
  // Nothing scrolls with it: on a small screen the verdict stays where it is.
  const focus = (event) => ours(event) && input.focus({ preventScroll: true });
  document.addEventListener("click", focus);
  addEventListener("focus", () => focus({ target: document.activeElement }));
  document.addEventListener("keydown", (event) => {
    const typed = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (typed && ours({ target: document.activeElement })) input.focus();
  });
}

/** The text without what scanners and input methods add at its ends; full-width digits made plain. */
export function clean(text) {
  return text
    .replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0))
    .replace(/^[\s\0\ufeff]+|[\s\0\ufeff]+$/g, "");
}
