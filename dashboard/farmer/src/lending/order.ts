/** An order as it is typed, and what the bank says against it, line by line. */
import { fen } from '../apply/amount';

/** One line as typed: goods by code, a quantity, a price in yuan. */
export interface Typed {
  goods: string;
  quantity: string;
  yuan: string;
}

/** A line that can be sent, or null while it is not filled in. */
export function wanted(line: Typed): { goods: string; quantity: string; price: number } | null {
  const price = fen(line.yuan);
  const quantity = line.quantity.normalize('NFKC').trim();
  return line.goods && quantity && price ? { goods: line.goods, quantity, price } : null;
}

export interface Refusal {
  code: string;
  location: string;
  message: string;
}

/** The refusals of a line, by their place: "body.lines[2].price" is of the third. */
export function ofLine(refusals: readonly Refusal[], nr: number): Refusal[] {
  return refusals.filter((r) => lineOf(r.location) === nr);
}

/** The refusals of the order as a whole: the seller, the sum, the limit. */
export function ofOrder(refusals: readonly Refusal[]): Refusal[] {
  return refusals.filter((r) => lineOf(r.location) === null);
}

function lineOf(location: string): number | null {
  const m = /lines\[(\d+)\]/.exec(location);
  return m ? Number(m[1]) : null;
}
