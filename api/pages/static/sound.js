// A sound for each verdict, told apart with eyes on the patient: two rising notes, two low ones, three short equal ones.
import { device } from "./remember.js";

const NOTES = {
  accepted: [
    [660, 0, 0.12],
    [990, 0.13, 0.2],
  ],
  refused: [
    [196, 0, 0.25],
    [147, 0.28, 0.4],
  ],
  again: [
    [523, 0, 0.09],
    [523, 0.15, 0.09],
    [523, 0.3, 0.09],
  ],
};

let context = null;

export const soundOn = () => device.get("sound") !== false;

/** Turns sound on or off; remembered on this device. */
export function setSound(on) {
  device.set("sound", on);
}

/** Browsers let a page sound only after a key or a click: called from those. */
export function wakeSound() {
  context ??= globalThis.AudioContext ? new AudioContext() : null;
  if (context?.state === "suspended") context.resume().catch(() => {});
}

/** Plays the verdict's notes: `[Hz, begins after s, lasts s]`. */
export function playVerdict(kind) {
  if (!soundOn() || context?.state !== "running") return;
  for (const [pitch, after, lasts] of NOTES[kind] ?? []) {
    const from = context.currentTime + after;
    const note = context.createOscillator();
    const loudness = context.createGain();
    note.type = kind === "refused" ? "square" : "sine";
    note.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(kind === "refused" ? 0.08 : 0.2, from + 0.01);
    loudness.gain.exponentialRampToValueAtTime(0.001, from + lasts);
    note.connect(loudness).connect(context.destination);
    note.start(from);
    note.stop(from + lasts);
  }
}
