/**
 * Edits of a policy's YAML text. Every edit is a cut in the text at the place that the
 * parser names, so that whatever is not meant keeps its comments, order and quotes.
 */
import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
} from 'yaml';

export type Path = (string | number)[];

/** Reads a text; what is wrong with its YAML stands in `errors`. */
export function read(text: string): Document {
  return parseDocument(text, { keepSourceTokens: false, prettyErrors: true });
}

type Spot = Node & { range: [number, number, number] };

const placed = (node: unknown): node is Spot =>
  typeof node === 'object' && node !== null && Array.isArray((node as Spot).range);

/** What stands in a value as text: of a scalar as written, without its quotes. */
export function textAt(doc: Document, path: Path): string | undefined {
  const node = doc.getIn(path, true);
  if (!isScalar(node)) return undefined;
  return said(node);
}

function said(node: Scalar): string {
  if (node.type === Scalar.PLAIN && node.source !== undefined) return node.source;
  return node.value === null ? '' : String(node.value);
}

const quoted: Record<string, (value: string) => string> = {
  [Scalar.QUOTE_SINGLE]: (v) => `'${v.replaceAll("'", "''")}'`,
  [Scalar.QUOTE_DOUBLE]: (v) => JSON.stringify(v),
};

/** The ways to write a value, the way of the old one first. */
function written(value: string, style: string | undefined): string[] {
  const double = quoted[Scalar.QUOTE_DOUBLE]?.(value) ?? '';
  const single = quoted[Scalar.QUOTE_SINGLE]?.(value) ?? '';
  const oneLine = !value.includes('\n');
  if (style === Scalar.QUOTE_DOUBLE || !oneLine) return [double];
  if (style === Scalar.QUOTE_SINGLE) return [single, double];
  return value === '' ? [double] : [value, value.includes('"') ? single : double, double];
}

/**
 * Puts a value at a path. A key of a row that is not there yet is added, and one that
 * becomes empty is taken out. The text comes back unchanged when the path leads nowhere.
 */
export function put(text: string, path: Path, value: string): string {
  const doc = read(text);
  const node = doc.getIn(path, true);
  if (!isScalar(node)) return node === undefined ? added(text, doc, path, value) : text;
  if (!placed(node) || said(node) === value) return text;
  const key = path.at(-1);
  const parent = doc.getIn(path.slice(0, -1), true);
  if (value === '' && isMap(parent) && parent.items.length > 1) {
    const at = parent.items.findIndex((p) => isScalar(p.key) && p.key.value === key);
    return remove(text, path.slice(0, -1), at);
  }
  const [from] = node.range;
  const end = from + text.slice(from, node.range[1]).trimEnd().length;
  return firstThatReads(
    written(value, node.type).map((w) => text.slice(0, from) + w + text.slice(end)),
    path,
    value,
    text,
  );
}

/** The first text in which the value at the path reads as it was meant. */
function firstThatReads(texts: string[], path: Path, value: string, otherwise: string): string {
  for (const t of texts) {
    const doc = read(t);
    if (doc.errors.length === 0 && textAt(doc, path) === value) return t;
  }
  return otherwise;
}

function added(text: string, doc: Document, path: Path, value: string): string {
  const map = doc.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (value === '' || !isMap(map) || !placed(map) || typeof key !== 'string') return text;
  const last = map.items.at(-1);
  if (!last) return text;
  const end = lastOf(text, last);
  const first = map.items[0]?.key;
  const join = map.flow || !placed(first) ? ', ' : `\n${' '.repeat(column(text, first.range[0]))}`;
  return firstThatReads(
    written(value, undefined).map(
      (w) => `${text.slice(0, end)}${join}${key}: ${w}${text.slice(end)}`,
    ),
    path,
    value,
    text,
  );
}

const column = (text: string, at: number) => at - (text.lastIndexOf('\n', at - 1) + 1);

/** Where a node's own text ends, without blank space and comments behind it. */
function lastOf(text: string, node: unknown): number {
  if (isPair(node)) return lastOf(text, node.value ?? node.key);
  if (isCollection(node) && !node.flow && node.items.length > 0)
    return lastOf(text, node.items.at(-1));
  if (!placed(node)) return 0;
  return node.range[0] + text.slice(node.range[0], node.range[1]).trimEnd().length;
}

interface Span {
  /** Of the row alone, and with the comments above it. */
  from: number;
  above: number;
  to: number;
}

/** The rows of a list, or the pairs of a mapping, each with the text it takes. */
function spans(text: string, path: Path): { flow: boolean; rows: Span[] } | undefined {
  const list = read(text).getIn(path, true);
  if (!isSeq(list) && !isMap(list)) return undefined;
  const rows = (list.items as (Node | Pair)[]).map((item): Span | undefined => {
    const node = isPair(item) ? item.key : item;
    if (!placed(node)) return undefined;
    const [from] = node.range;
    const to = lastOf(text, item);
    return list.flow ? { from, above: from, to } : lines(text, from, to);
  });
  if (rows.some((r) => !r)) return undefined;
  return { flow: list.flow === true, rows: rows as Span[] };
}

/** The whole lines of a row; undefined when it shares its first one with another. */
function lines(text: string, from: number, to: number): Span | undefined {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  if (!/^\s*(- *)?$/.test(text.slice(start, from))) return undefined;
  const next = text.indexOf('\n', to);
  let above = start;
  for (;;) {
    const before = text.lastIndexOf('\n', above - 2) + 1;
    if (above === 0 || !/^\s*#/.test(text.slice(before, above))) break;
    above = before;
  }
  return { from: start, above, to: next < 0 ? text.length : next + 1 };
}

const closed = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** Puts a copy of a row below it. */
export function copy(text: string, path: Path, row: number): string {
  const whole = closed(text);
  const s = spans(whole, path);
  const r = s?.rows[row];
  if (!s || !r) return text;
  const own = whole.slice(r.from, r.to);
  return whole.slice(0, r.to) + (s.flow ? `, ${own}` : own) + whole.slice(r.to);
}

/** Takes a row out, with the comments above it. The last one stays: a list may not be empty. */
export function remove(text: string, path: Path, row: number): string {
  const whole = closed(text);
  const s = spans(whole, path);
  const r = s?.rows[row];
  if (!s || !r || s.rows.length < 2) return text;
  if (!s.flow) {
    // The first pair of a row in a list stands behind the dash, which the next one takes.
    const dash = /^(\s*)- /.exec(whole.slice(r.from, r.to));
    const next = s.rows[row + 1];
    if (row === 0 && dash && next && !/^\s*- /.test(whole.slice(next.from, next.to))) {
      const rest = whole.slice(next.from, next.to).trimStart();
      return `${whole.slice(0, r.from)}${dash[0]}${rest}${whole.slice(next.to)}`;
    }
    return whole.slice(0, r.above) + whole.slice(r.to);
  }
  const next = s.rows[row + 1];
  const before = s.rows[row - 1];
  if (next) return whole.slice(0, r.from) + whole.slice(next.from);
  return before ? whole.slice(0, before.to) + whole.slice(r.to) : text;
}

/** Changes a row with the one below it; comments go with the row that they stand above. */
export function swap(text: string, path: Path, row: number): string {
  const whole = closed(text);
  const s = spans(whole, path);
  const [a, b] = [s?.rows[row], s?.rows[row + 1]];
  if (!a || !b) return text;
  return (
    whole.slice(0, a.above) +
    whole.slice(b.above, b.to) +
    whole.slice(a.to, b.above) +
    whole.slice(a.above, a.to) +
    whole.slice(b.to)
  );
}
