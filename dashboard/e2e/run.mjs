/**
 * Runs the browser tests named on the command line, or all of them, one after another:
 * the county is held against its truth before officers close alerts, and the test that
 * floods the list of alerts comes last.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const order = ['anchor', 'farmer', 'truth', 'officer', 'herd', 'latency'];
const named = process.argv.slice(2);
let failed = 0;
for (const test of named.length ? named : order)
  failed += spawnSync(process.execPath, [join(import.meta.dirname, `${test}.mjs`)], {
    stdio: 'inherit',
  }).status
    ? 1
    : 0;
process.exitCode = failed ? 1 : 0;
