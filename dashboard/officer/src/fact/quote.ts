export interface Piece {
  at: number;
  text: string;
  name: boolean;
}

/** A quote in pieces, of which those that name a firm are marked; longer names go first. */
export function marked(quote: string, names: string[]): Piece[] {
  const wanted = names.filter(Boolean).sort((a, b) => b.length - a.length);
  const pieces: Piece[] = [];
  let plain = 0;
  let at = 0;
  const flush = (to: number) => {
    if (to > plain) pieces.push({ at: plain, text: quote.slice(plain, to), name: false });
  };
  while (at < quote.length) {
    const name = wanted.find((n) => quote.startsWith(n, at));
    if (!name) {
      at++;
      continue;
    }
    flush(at);
    pieces.push({ at, text: name, name: true });
    at += name.length;
    plain = at;
  }
  flush(quote.length);
  return pieces;
}
