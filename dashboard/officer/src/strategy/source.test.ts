import { describe, expect, test } from 'vitest';
import { grids } from './grids';
import { offsetOf, problemsOf } from './problems';
import { copy, put, read, remove, swap, textAt } from './source';

const policy = `# The strategy of a test.
name: test
version: "1"   # raise it
subject: plot

thresholds:
  - name: large
    rows:
      - {value: 10000000}
      - {region: "23", value: 20000000} # a province of large farms

tables:
  - name: terms
    hit: first
    inputs: [band, days]
    outputs: {bp: bp}
    rows:
      - [A, "-", 10000]
      # the middle
      - [B, "<= 30", 8500]
      - ["-", "-", 0]

limit:
  factors:
    - code: f
      rows:
        - when: >-
            crop in ["wheat",
            "rice"]
          bp: 7000
        - {bp: 6000}

rules:
  - code: one
    effect: refuse
    when: days > 90   # three months
    zh: "逾期 {days} 天。"

  # the second
  - code: two
    effect: refer
    weight: 10
    when: band == "E"
`;

/** The lines that differ. */
function changed(after: string): [string[], string[]] {
  const a = policy.split('\n');
  const b = after.split('\n');
  return [a.filter((l) => !b.includes(l)), b.filter((l) => !a.includes(l))];
}

describe('a cell', () => {
  test.each([
    ['a plain number', ['thresholds', 0, 'rows', 0, 'value'], '5', '      - {value: 5}'],
    [
      'in quotes, with a comment behind',
      ['thresholds', 0, 'rows', 1, 'region'],
      '41',
      '      - {region: "41", value: 20000000} # a province of large farms',
    ],
    ['of a table', ['tables', 0, 'rows', 1, 1], '<= 60', '      - [B, "<= 60", 8500]'],
    [
      'that needs quotes in a row',
      ['tables', 0, 'rows', 1, 0],
      'B, C',
      '      - ["B, C", "<= 30", 8500]',
    ],
    ['an expression', ['rules', 0, 'when'], 'days > 60', '    when: days > 60   # three months'],
    ['a sharp sign', ['rules', 0, 'when'], 'x == " #"', `    when: 'x == " #"'   # three months`],
    ['a text', ['rules', 0, 'zh'], '说“{days}”: "天"', '    zh: "说“{days}”: \\"天\\""'],
    ['that was not there', ['rules', 0, 'weight'], '7', '    weight: 7'],
    [
      'that was not there in a flow row',
      ['thresholds', 0, 'rows', 0, 'region'],
      '23',
      '      - {value: 10000000, region: 23}',
    ],
  ])('%s changes its own text only', (_, path, value, line) => {
    const after = put(policy, path, value);
    const [gone, come] = changed(after);
    expect(come).toEqual([line]);
    expect(gone.length).toBeLessThanOrEqual(1);
    expect(textAt(read(after), path)).toBe(value);
    expect(put(after, path, value)).toBe(after);
  });

  test('of several lines becomes one line', () => {
    const after = put(policy, ['limit', 'factors', 0, 'rows', 0, 'when'], 'crop == "rice"');
    expect(changed(after)[1]).toEqual(['        - when: crop == "rice"']);
    expect(after).toContain('          bp: 7000\n        - {bp: 6000}');
  });

  test('that is emptied goes with its key', () => {
    expect(put(policy, ['rules', 1, 'weight'], '')).toBe(policy.replace('    weight: 10\n', ''));
    expect(put(policy, ['thresholds', 0, 'rows', 1, 'region'], '')).toBe(
      policy.replace('region: "23", ', ''),
    );
    const first = put(policy, ['limit', 'factors', 0, 'rows', 0, 'when'], '');
    expect(read(first).getIn(['limit', 'factors', 0, 'rows', 0])).toBeDefined();
    expect(textAt(read(first), ['limit', 'factors', 0, 'rows', 0, 'bp'])).toBe('7000');
    expect(first).toContain('        - bp: 7000\n        - {bp: 6000}');
  });

  test('that leads nowhere changes nothing', () => {
    expect(put(policy, ['rules', 9, 'when'], 'true')).toBe(policy);
    expect(put(policy, ['rules'], 'x')).toBe(policy);
  });
});

describe('rows', () => {
  const rows = ['tables', 0, 'rows'];
  test('are copied below', () => {
    const after = copy(policy, rows, 1);
    expect(after).toBe(
      policy.replace('      - [B, "<= 30", 8500]\n', '      - [B, "<= 30", 8500]\n'.repeat(2)),
    );
  });

  test('are taken out with the comment above them', () => {
    expect(remove(policy, rows, 1)).toBe(
      policy.replace('      # the middle\n      - [B, "<= 30", 8500]\n', ''),
    );
    expect(remove(policy, ['limit', 'factors'], 0)).toBe(policy);
  });

  test('change places with their comments, and back', () => {
    const after = swap(policy, ['rules'], 0);
    expect(textAt(read(after), ['rules', 0, 'code'])).toBe('two');
    expect(after.indexOf('# the second')).toBeLessThan(after.indexOf('code: two'));
    expect(swap(after, ['rules'], 0)).toBe(policy);
    expect(swap(policy, rows, 2)).toBe(policy);
  });

  test('of a list on one line', () => {
    const line = 'rows: [{a: 1}, {a: 2}, {a: 3}] # kept\n';
    expect(swap(line, ['rows'], 0)).toBe('rows: [{a: 2}, {a: 1}, {a: 3}] # kept\n');
    expect(remove(line, ['rows'], 2)).toBe('rows: [{a: 1}, {a: 2}] # kept\n');
    expect(remove(line, ['rows'], 0)).toBe('rows: [{a: 2}, {a: 3}] # kept\n');
    expect(copy(line, ['rows'], 1)).toBe('rows: [{a: 1}, {a: 2}, {a: 2}, {a: 3}] # kept\n');
  });
});

describe('grids', () => {
  test('show every table with its cells', () => {
    const all = grids(policy);
    expect(all.map((g) => g.kind)).toEqual([
      'head',
      'threshold',
      'table',
      'factors',
      'factor',
      'rules',
    ]);
    const table = all[2];
    expect(table?.columns.map((c) => c.key)).toEqual(['band', 'days', 'bp']);
    expect(table?.rows.map((r) => r.map((c) => c.text))).toEqual([
      ['A', '-', '10000'],
      ['B', '<= 30', '8500'],
      ['-', '-', '0'],
    ]);
    expect(all[4]?.rows[0]?.[0]?.text).toBe('crop in ["wheat", "rice"]');
  });

  test('of a text that is no policy are no more than its head', () => {
    expect(grids('').map((g) => g.rows)).toEqual([[]]);
    expect(grids('- [').length).toBe(1);
  });
});

test('problems are told with their places', () => {
  const said = 'the policy policy is wrong: policy:12:5: plot.a: there is no value x\npolicy:3: y';
  expect(problemsOf(said)).toEqual([
    { line: 12, column: 5, text: 'plot.a: there is no value x' },
    { line: 3, column: 0, text: 'y' },
  ]);
  expect(problemsOf('say in a few words why')).toEqual([]);
  expect(offsetOf('ab\ncd\n', 2, 2)).toBe(4);
  expect(offsetOf('ab', 9, 9)).toBe(2);
});
