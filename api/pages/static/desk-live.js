// Answers that belong to one resolution: they come while it is on the screen, or never.
import { Refused } from "./http.js";

/**
 * A function that waits for an answer. After `signal` it never comes; a refusal that ends the resolution (its code is
 * among `ends`) goes to `end(code)` and never comes either.
 */
export function liveUntil(signal, ends, end) {
  const never = () => new Promise(() => {});
  return async (answer) => {
    try {
      const value = await answer;
      return signal.aborted ? await never() : value;
    } catch (error) {
      if (signal.aborted) return never();
      if (!(error instanceof Refused && ends.has(error.code))) throw error;
      end(error.code);
      return never();
    }
  };
}
