import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { type Path, read, textAt } from './source';

/** One place of a grid: where it stands in the text, and what is written there. */
export interface GridCell {
  path: Path;
  text: string;
  /** What an emptied cell becomes; without it the key is taken out. */
  blank?: string;
  /** More than one value stands there: only the text view can change it. */
  fixed?: boolean;
}

export interface GridColumn {
  key: string;
  /** A name of the policy itself, which needs no translation. */
  own: boolean;
  /** Expressions and sentences take more room than numbers. */
  wide: boolean;
}

/** A list of the policy as rows and columns. */
export interface Grid {
  id: string;
  kind: string;
  name: string;
  /** The list that rows are added to and taken from; undefined where rows are fixed. */
  rowsAt: Path | undefined;
  columns: GridColumn[];
  rows: GridCell[][];
}

const wide = new Set(['when', 'fen', 'en', 'zh', 'value', 'test']);

const column = (key: string, own = false): GridColumn => ({
  key,
  own,
  wide: !own && wide.has(key),
});

/** The parts of a policy that are tables, in the order of a decision. */
export function grids(text: string): Grid[] {
  const doc = read(text);
  const out: Grid[] = [head(doc)];
  const add = (kind: string, name: string, path: Path, keys: string[], must: string[] = []) => {
    const grid = ofRows(doc, kind, name, path, keys, must);
    if (grid) out.push(grid);
  };
  const values = ofPairs(doc, 'values', ['values']);
  if (values) out.push(values);
  each(doc, ['thresholds'], (path, name) =>
    add(
      'threshold',
      name,
      [...path, 'rows'],
      ['product', 'region', 'industry', 'value'],
      ['value'],
    ),
  );
  each(doc, ['scores'], (path, name) =>
    add('bands', name, [...path, 'bands'], ['test', 'band'], ['test', 'band']),
  );
  each(doc, ['tables'], (path, name) => {
    const grid = decisionTable(doc, name, path);
    if (grid) out.push(grid);
  });
  add('factors', '', ['limit', 'factors'], ['code', 'bp', 'en', 'zh'], ['code']);
  each(doc, ['limit', 'factors'], (path) =>
    add('factor', textAt(doc, [...path, 'code']) ?? '', [...path, 'rows'], ['when', 'bp'], ['bp']),
  );
  for (const part of ['allowances', 'caps'])
    add(part, '', ['limit', part], ['code', 'effect', 'when', 'fen', 'en', 'zh'], ['code', 'fen']);
  add('rate', '', ['rate'], ['code', 'when', 'bp', 'en', 'zh'], ['code', 'bp']);
  add('score', '', ['score', 'rows'], ['when', 'points'], ['points']);
  const rule = ['code', 'effect', 'weight', 'when', 'en', 'zh'];
  add('rules', '', ['rules'], rule, ['code', 'effect', 'when']);
  return out;
}

function each(doc: Document, path: Path, take: (path: Path, name: string) => void): void {
  const list = doc.getIn(path, true);
  if (!isSeq(list)) return;
  list.items.forEach((_, i) => {
    take([...path, i], textAt(doc, [...path, i, 'name']) ?? '');
  });
}

const single: [string, Path][] = [
  ['name', ['name']],
  ['version', ['version']],
  ['subject', ['subject']],
  ['extends', ['extends']],
  ['base', ['limit', 'base', 'fen']],
  ['round_fen', ['limit', 'round_fen']],
  ['score_base', ['score', 'base']],
];

/** What stands once in a policy; its name stays. */
function head(doc: Document): Grid {
  const rows = single.flatMap(([key, path]) => {
    const text = textAt(doc, path);
    return text === undefined ? [] : [[named(key), value(path, text, key === 'name')]];
  });
  const columns = [column('what'), { key: 'value', own: false, wide: true }];
  return { id: 'head', kind: 'head', name: '', rowsAt: undefined, columns, rows };
}

const named = (key: string): GridCell => ({ path: [], text: key, fixed: true });
const value = (path: Path, text: string, fixed: boolean): GridCell => ({
  path,
  text,
  fixed,
  blank: '',
});

function ofPairs(doc: Document, kind: string, path: Path): Grid | undefined {
  const map = doc.getIn(path, true);
  if (!isMap(map) || map.items.length === 0) return undefined;
  const rows = map.items.map(({ key }): GridCell[] => {
    const name = String(isScalar(key) ? key.value : key);
    const at = [...path, name];
    return [named(name), value(at, textAt(doc, at) ?? '', false)];
  });
  const columns = [column('what'), { key: 'value', own: false, wide: true }];
  return { id: kind, kind, name: '', rowsAt: undefined, columns, rows };
}

/** A list of mappings; columns that no row uses and that are long are left out. */
function ofRows(
  doc: Document,
  kind: string,
  name: string,
  path: Path,
  keys: string[],
  must: string[],
): Grid | undefined {
  const list = doc.getIn(path, true);
  if (!isSeq(list) || list.items.length === 0) return undefined;
  const rows = list.items.map((row, i) =>
    keys.map((key): GridCell => {
      const at = [...path, i, key];
      const has = isMap(row) && row.has(key);
      const text = textAt(doc, at);
      const cell: GridCell = { path: at, text: text ?? '' };
      if (has && text === undefined) cell.fixed = true;
      if (must.includes(key)) cell.blank = '';
      return cell;
    }),
  );
  return {
    id: path.join('.'),
    kind,
    name,
    rowsAt: path,
    columns: keys.map((k) => column(k)),
    rows,
  };
}

/** A decision table: a column for each input and output, the row for all else at the end. */
function decisionTable(doc: Document, name: string, path: Path): Grid | undefined {
  const inputs = doc.getIn([...path, 'inputs'], true);
  const outputs = doc.getIn([...path, 'outputs'], true);
  const list = doc.getIn([...path, 'rows'], true);
  if (!isSeq(inputs) || !isMap(outputs) || !isSeq(list)) return undefined;
  const asked = inputs.items.map((_, i) => textAt(doc, [...path, 'inputs', i]) ?? '');
  const given = outputs.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  const cell = (at: Path, blank: string): GridCell => ({
    path: at,
    text: textAt(doc, at) ?? '',
    blank,
  });
  const rows = list.items.map((_, r) =>
    [...asked, ...given].map((_, c) => cell([...path, 'rows', r, c], c < asked.length ? '-' : '')),
  );
  return {
    id: path.join('.'),
    kind: 'table',
    name,
    rowsAt: [...path, 'rows'],
    columns: [...asked, ...given].map((k, i) => ({
      ...column(k, true),
      wide: i >= asked.length + given.length,
    })),
    rows,
  };
}
