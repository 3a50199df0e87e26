/**
 * Weighs what a face loads first: the entry's scripts and styles, gzipped. Fails when one
 * grew by more than 5 % over weight.json; `npm run weight -- --write` records today's.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const record = join(root, 'weight.json');
const GROWTH = 1.05;

/** Bytes of the files that index.html asks for, with what their chunks import at once. */
function firstLoad(face) {
  const dist = join(root, 'dist', face);
  const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
  const files = new Set();
  const take = (key) => {
    const chunk = manifest[key];
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const other of chunk.imports ?? []) take(other);
  };
  for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) take(key);
  return [...files].reduce((sum, f) => sum + gzipSync(readFileSync(join(dist, f))).length, 0);
}

const faces = ['officer', 'farmer', 'anchor'].filter((f) =>
  existsSync(join(root, 'dist', f, 'manifest.json')),
);
const now = Object.fromEntries(faces.map((f) => [f, firstLoad(f)]));
const before = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {};
for (const f of faces) {
  const over = before[f] && now[f] > before[f] * GROWTH;
  console.log(
    `${f}: ${(now[f] / 1024).toFixed(1)} KiB gzip at first load${before[f] ? ` (recorded ${(before[f] / 1024).toFixed(1)})` : ''}${over ? ' — too heavy' : ''}`,
  );
  if (over) process.exitCode = 1;
}
if (process.argv.includes('--write')) {
  writeFileSync(record, `${JSON.stringify({ ...before, ...now }, null, 2)}\n`);
  process.exitCode = 0;
}
