import { expect, test } from 'vitest';
import { judgePhoto, MAX_PHOTO_MIB } from '../src/lending/photo';

const MIB = 1024 * 1024;

test.each([
  ['a photo', 'a.jpg', 'image/jpeg', 3 * MIB, ''],
  ['a format without a type', 'IMG_1.HEIC', '', 2 * MIB, ''],
  ['the largest', 'a.png', 'image/png', MAX_PHOTO_MIB * MIB, ''],
  ['one byte more', 'a.png', 'image/png', MAX_PHOTO_MIB * MIB + 1, 'too_big'],
  ['nothing in it', 'a.png', 'image/png', 0, 'empty'],
  ['another file', 'a.pdf', 'application/pdf', 10, 'not_photo'],
  ['a name that lies', 'a.jpg', 'text/plain', 10, 'not_photo'],
  ['no type, another name', 'a.txt', '', 10, 'not_photo'],
])('%s', (_, name, type, size, want) => {
  expect(judgePhoto({ name, type, size })).toBe(want);
});
