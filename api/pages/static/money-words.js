// Amounts in words.

/** Fen as yuan; whole fen in, no fraction is ever calculated with. */
export function yuan(fen) {
  const whole = Math.abs(fen);
  return `${fen < 0 ? "−" : ""}¥${Math.trunc(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
}
