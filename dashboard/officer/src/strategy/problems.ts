/** Something wrong with a policy's text; line and column count from 1, 0 is unknown. */
export interface Problem {
  line: number;
  column: number;
  text: string;
}

/** What the compiler says, line by line: "plot:12:5: plot.debts: there is no value x". */
export function problemsOf(detail: string): Problem[] {
  return detail.split('\n').flatMap((said) => {
    const at = /:(\d+)(?::(\d+))?: (.+)$/.exec(said);
    if (!at) return [];
    return [{ line: Number(at[1]), column: Number(at[2] ?? 0), text: at[3] ?? '' }];
  });
}

/** Where a line and column stand in a text. */
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let n = 1; n < line; n++) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return Math.min(at + Math.max(column - 1, 0), text.length);
}
