// Amounts and quantities as a clerk types them, read digit by digit: no floating point comes near money.
import { clean } from "./scan-field.js";

const YUAN = /^(\d{1,10})(?:\.(\d{1,2}))?$/;
const QUANTITY = /^(\d{1,11})(?:\.(\d{1,4}))?$/;
const UNIT = 10_000n; // a quantity has four decimals at most

const typed = (text) => clean(text).replace(/[．。]/g, ".");

/** 25, 25.0 or 25.00 as 2500 fen; null if it is no amount above 0. */
export function fenOf(text) {
  const found = YUAN.exec(typed(text));
  return found ? Number(found[1] + (found[2] ?? "").padEnd(2, "0")) || null : null;
}

/** A quantity as the service takes it, or null if it is none above 0. */
export function quantityOf(text) {
  return scaled(text) ? typed(text) : null;
}

/** A quantity in ten-thousandths; 0 if it is none. */
export function scaled(text) {
  const found = QUANTITY.exec(typed(text));
  return found ? BigInt(found[1] + (found[2] ?? "").padEnd(4, "0")) : 0n;
}

/** Quantity × price, half up, in fen. */
export const lineFen = (quantity, fen) => Number((scaled(quantity) * BigInt(fen) * 2n + UNIT) / (UNIT * 2n));

/** What is left of an item, as text without idle zeros. */
export function leftOf({ quantity, refunded_quantity: back }) {
  const left = scaled(quantity) - scaled(back);
  const rest = String(left % UNIT).padStart(4, "0").replace(/0+$/, "");
  return rest ? `${left / UNIT}.${rest}` : String(left / UNIT);
}
