/**
 * Holds what the house says of its demo county against the county's truth: crops and
 * areas of the land, and that every planted incident is told and nothing else is.
 * Needs the demo's folder in FURROW_E2E_DATA, where the truth lies.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base, password } from './harness.mjs';

const folder = process.env.FURROW_E2E_DATA;
const faults = [];
const check = (ok, fault) => ok || faults.push(fault);
const truth = (name) => JSON.parse(readFileSync(join(folder, `truth-${name}.json`), 'utf8'));

async function main() {
  const ask = await door('officer01');
  await quiet(ask);
  const alerts = await all(ask, '/officer/alerts?open=true&limit=500', 'before');
  await land(ask, alerts);
  await herds(ask, alerts);
  await trade(ask, alerts);
}

/** A gateway counts as silent only some minutes after the last that was heard of it. */
async function quiet(ask) {
  for (let end = Date.now() + 240_000; Date.now() < end; ) {
    const { items } = await ask('/officer/alerts?open=true&kind=gateway_silent');
    if (items.length) return;
    await new Promise((next) => setTimeout(next, 2000));
  }
}

async function land(ask, alerts) {
  const told = new Map(
    (await all(ask, '/officer/plots?limit=1000', 'after')).map((p) => [p.plot.name, p]),
  );
  const { plots } = truth('land');
  const hazards = new Set(['flood', 'drought', 'vigour_loss', 'early_harvest', 'never_sown']);
  const ids = new Map();
  let seen = 0;
  let right = 0;
  const missed = [];
  for (const p of plots) {
    const got = told.get(p.name);
    check(got, `plot ${p.name} is not in the register`);
    if (!got) continue;
    ids.set(got.plot.id, p);
    check(
      Math.abs(got.plot.area_m2 / p.area_m2 - 1) < 0.01,
      `${p.name}: ${got.plot.area_m2} m², true are ${p.area_m2}`,
    );
    if (
      got.status === 'unknown' &&
      ['cloud', 'edge_pixels', 'few_pixels', 'few_dates'].includes(got.reason)
    )
      continue;
    seen++;
    if (got.crop === p.crop) right++;
    else missed.push(`${p.key} ${p.crop} told as ${got.crop || 'unknown'}`);
  }
  const share = right / seen;
  console.log(
    `  land: ${right} of ${seen} crops right (${(100 * share).toFixed(1)} %), ${plots.length} areas within 1 %`,
  );
  check(
    share >= 0.95,
    `only ${(100 * share).toFixed(1)} % of crops are right: ${missed.slice(0, 20).join('; ')}`,
  );

  const planted = new Set(
    plots.flatMap((p) => (p.incidents ?? []).map((i) => `${p.key} ${i.kind}`)),
  );
  const found = new Set();
  for (const a of alerts)
    if (hazards.has(a.kind) && ids.has(a.subject_id))
      found.add(`${ids.get(a.subject_id).key} ${a.kind}`);
  same('hazard', planted, found);
}

async function herds(ask, alerts) {
  const named = new Map(
    (await all(ask, '/officer/herds', 'after')).map((h) => [h.herd.id, h.herd.name]),
  );
  const { incidents, ranches } = truth('herds');
  const name = (i) => `${i.ranch} ${i.kind} ${i.code ?? i.subject}`;
  // What is over may be told of for some hours more: then it is neither asked for nor invented.
  const over = incidents.filter((i) => i.until && Date.parse(i.until) < Date.now());
  const ended = new Set(over.map(name));
  const planted = new Set(incidents.filter((i) => !over.includes(i)).map(name));
  const made = new Map(ranches.map((r) => [r.name, r]));
  const found = new Set(
    alerts
      .filter((a) => a.subject_kind === 'herd' && made.has(named.get(a.subject_id)))
      .map((a) => `${named.get(a.subject_id)} ${a.kind} ${a.label}`)
      .filter((x) => !ended.has(x)),
  );
  same('herd incident', planted, found);

  // The counts come near the animals that are really there, and no more are verified: of
  // a 95 % interval one in twenty may miss them, by a few.
  for (const [id, ranch] of named) {
    const r = made.get(ranch);
    if (!r?.counted) continue;
    const { report } = await ask(`/officer/herds/${id}`);
    const { low, high } = report.count;
    check(
      low - 3 <= r.bodies && r.bodies <= high + 3,
      `${ranch}: counts support ${low} to ${high}, true are ${r.bodies}`,
    );
    check(
      report.verified <= high && report.registered === r.tags,
      `${ranch}: ${report.verified} of ${report.registered} verified, the counts support ${high}`,
    );
  }
}

async function trade(ask, alerts) {
  const t = truth('trade');
  const codes = new Map(
    (await all(ask, '/officer/firms?limit=1000', 'after')).map((f) => [f.id, f.uscc]),
  );
  const planted = new Set([
    ...t.circular_trade.firms.map((c) => `circular_trade ${c}`),
    ...[t.invoice_reused.seller, ...t.invoice_reused.buyers].map((c) => `invoice_reused ${c}`),
    ...t.related_parties.firms.map((c) => `related_parties ${c}`),
  ]);
  const found = new Set(
    alerts
      .filter((a) => a.subject_kind === 'firm')
      .map((a) => `${a.kind} ${codes.get(a.subject_id)}`),
  );
  same('chain finding', planted, found);

  const { items } = await ask('/officer/merges/suggestions');
  same(
    'firm written in two way',
    new Set(t.aliases.filter((a) => a.twin).map((a) => `${a.uscc} ${a.name}`)),
    new Set(
      items.map(({ firm, other }) =>
        firm.uscc ? `${firm.uscc} ${other.name}` : `${other.uscc} ${firm.name}`,
      ),
    ),
  );
  for (const [i, a] of t.anchors.entries()) {
    const { items: found } = await ask(`/officer/firms?anchors=true`);
    const { id } = found.find((f) => f.uscc === a.uscc);
    const { firms } = await ask(`/officer/anchors/${id}/dealers?limit=200`);
    const true_ = t.dealers.filter((d) => d.anchors.includes(i)).map((d) => d.uscc);
    same(
      `dealer of ${a.name}`,
      new Set(true_),
      new Set(firms.filter((f) => f.tier === 1).map((f) => codes.get(f.firm_id))),
    );
  }
}

function same(what, planted, found) {
  for (const x of planted) check(found.has(x), `${what} not found: ${x}`);
  for (const x of found) check(planted.has(x), `${what} invented: ${x}`);
  console.log(
    `  ${what}s: ${[...found].filter((x) => planted.has(x)).length} of ${planted.size} found, ${[...found].filter((x) => !planted.has(x)).length} invented`,
  );
}

async function door(login) {
  const headers = { 'Content-Type': 'application/json' };
  const res = await fetch(`${base}/api/v1/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ login, password }),
  });
  const { token } = await res.json();
  return async (path) => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
}

/** Every page of a list. */
async function all(ask, path, cursor) {
  const items = [];
  for (let next = ''; ; ) {
    const page = await ask(
      next ? `${path}${path.includes('?') ? '&' : '?'}${cursor}=${encodeURIComponent(next)}` : path,
    );
    items.push(...page.items);
    next = page.next;
    if (!next) return items;
  }
}

if (folder) {
  const began = Date.now();
  await main().catch((e) => faults.push(`stopped: ${e.stack ?? e}`));
  for (const f of faults) console.error(`  ✗ ${f}`);
  console.log(
    `truth: ${faults.length || 'no'} faults in ${((Date.now() - began) / 1000).toFixed(1)} s`,
  );
  process.exitCode = faults.length ? 1 : 0;
} else console.log('truth: skipped, FURROW_E2E_DATA does not name the folder of the demo');
