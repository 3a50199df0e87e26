import { expect, test } from 'vitest';
import { ofLine, ofOrder, wanted } from '../src/lending/order';

test('a line is sent when all of it is there, with digits of any width', () => {
  expect(wanted({ goods: 'urea', quantity: '１２.5', yuan: '2.8' })).toEqual({
    goods: 'urea',
    quantity: '12.5',
    price: 280,
  });
  expect(wanted({ goods: 'urea', quantity: '', yuan: '2.8' })).toBeNull();
  expect(wanted({ goods: 'urea', quantity: '1', yuan: 'dear' })).toBeNull();
  expect(wanted({ goods: '', quantity: '1', yuan: '1' })).toBeNull();
});

test('each refusal stands at its line, the others at the order', () => {
  const at = (location: string) => ({ code: 'x', location, message: location });
  const all = [at('body.lines[0].price'), at('body.seller_id'), at('body.lines[10]'), at('body')];
  expect(ofLine(all, 0)).toEqual([all[0]]);
  expect(ofLine(all, 1)).toEqual([]);
  expect(ofLine(all, 10)).toEqual([all[2]]);
  expect(ofOrder(all)).toEqual([all[1], all[3]]);
});
