/**
 * Runs the browser tests named on the command line, or all of them, one after another;
 * the one that floods the list of alerts comes last.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const support = ['harness.mjs', 'run.mjs', 'xlsx.mjs'];
const last = 'latency.mjs';
const named = process.argv.slice(2).map((name) => `${name}.mjs`);
const all = readdirSync(import.meta.dirname)
  .filter((f) => f.endsWith('.mjs') && !support.includes(f))
  .sort((a, b) => Number(a === last) - Number(b === last) || (a < b ? -1 : 1));
let failed = 0;
for (const file of named.length ? named : all)
  failed += spawnSync(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' })
    .status
    ? 1
    : 0;
process.exitCode = failed ? 1 : 0;
