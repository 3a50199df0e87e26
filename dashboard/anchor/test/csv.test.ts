import { expect, test } from 'vitest';
import { csv } from '../src/csv';

test('fields are quoted where they must be, and Excel is told the encoding', () => {
  expect(
    csv([
      ['行', 'a "b", c'],
      [7, '两\n行'],
    ]),
  ).toBe('\uFEFF行,"a ""b"", c"\r\n7,"两\n行"\r\n');
});

test.each(['=1+1', '+1', '-1', '@x', '\tx'])('%j does not run as a formula', (bad) => {
  expect(csv([[bad]])).toBe(`\uFEFF'${bad}\r\n`);
});

test('numbers keep their sign', () => expect(csv([[-1]])).toBe('\uFEFF-1\r\n'));
