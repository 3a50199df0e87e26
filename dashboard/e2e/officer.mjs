/** The officer's face: every page in both languages, and the deeds of an officer. */
import { books } from './books.mjs';
import { filled } from './decision.mjs';
import { desktop, languages, phone, run } from './harness.mjs';
import { models, policies, policyPages } from './policy.mjs';
import { contracts, servicing } from './servicing.mjs';

await run('officer', async (h) => {
  const page = await h.page(desktop);
  await page.goto('/officer/');
  await h.settled(page);
  await h.shoot(page, 'signin-zh-CN');
  await h.axe(page, 'signin');

  await page.locator('input[name=login]').fill('officer01');
  await page.locator('input[name=password]').fill('wrong-password');
  await page.locator('form button[type=submit]').click();
  await page.locator('.fw-problem').waitFor();
  await h.signIn(page, '/officer/', 'officer01');

  const places = await pages(h, page);
  // A page is loaded once, and seen in each language and on a phone: loads cost the most.
  await h.speak(page, languages[0]);
  for (const [name, path] of places) {
    await h.open(page, path);
    for (const language of languages) {
      await h.turn(page, language);
      await h.shoot(page, `${name}-${language}`);
      await h.axe(page, `${name} (${language})`);
      h.check(/\S+ · /.test(await page.title()), `${name} has no title of its own`);
    }
    await page.setViewportSize(phone);
    await h.settled(page);
    await h.fits(page, `${name} at 360x640`);
    await h.shoot(page, `${name}-phone`);
    await page.setViewportSize(desktop);
    await h.turn(page, languages[0]);
  }

  await plotPage(h, page);
  await herdPage(h, page);
  await chainPages(h, page);
  await decision(h, page);
  await servicing(h, page);
  await contracts(h, page);
  await policies(h, page);
  await models(h, page);
  await books(h, page);
  await mapPage(h, page);
  await documents(h, page);
  await keys(h, page);
  await replay(h, page, places);
  await audit(h);
  await approve(h, page);
  await live(h, page);
});

/** Every page by name; ids come from the lists. */
async function pages(h, page) {
  const first = async (path, id) => {
    const { items } = await h.get(page, path);
    return items?.[0] ? id(items[0]) : undefined;
  };
  const { items: applications } = await h.get(page, '/officer/applications?limit=200');
  const of = (kind) => applications.find((a) => a.subject.kind === kind && a.decision_id)?.id;
  const { items: plots } = await h.get(page, '/officer/plots?limit=500');
  const hurt =
    plots.find((l) => l.hazards?.includes('flood')) ??
    plots.find((l) => l.hazards?.length) ??
    plots[0];
  const { items: alerts } = await h.get(page, '/officer/alerts?limit=200');
  const firm =
    alerts.find((a) => a.subject_kind === 'firm')?.subject_id ??
    (await first('/officer/firms', (x) => x.id));
  const found = [
    ['home', ''],
    ['applications', 'applications'],
    ['application-plot', of('plot') && `applications/${of('plot')}`],
    ['application-herd', of('herd') && `applications/${of('herd')}`],
    ['application-firm', of('firm') && `applications/${of('firm')}`],
    ['map', 'map'],
    ['map-ndvi', 'map?layer=ndvi&color=state'],
    ['map-crop', 'map?layer=crop'],
    ['map-growth', 'map?layer=growth'],
    ['map-hazard', 'map?layer=hazard&color=state'],
    ['plot', hurt && `plots/${hurt.plot.id}`],
    ['herds', 'herds'],
    ['herd', await first('/officer/herds', (x) => `herds/${x.herd.id}`)],
    ['animal', await animal(h, page)],
    ['quarantine', 'quarantine'],
    ['firms', 'firms'],
    ['firm', firm && `firms/${firm}`],
    ['firm-anchor', await first('/officer/firms?anchors=true', (x) => `firms/${x.id}`)],
    ['chains', 'chain'],
    ['chain', await first('/officer/firms?anchors=true', (x) => `chain/${x.id}?tiers=4`)],
    [
      'chain-dealers',
      await first('/officer/firms?anchors=true', (x) => `chain/${x.id}?side=dealers`),
    ],
    ['shock', await first('/officer/firms?anchors=true', (x) => `shock?firm=${x.id}&part=0.5`)],
    ['facts', 'facts'],
    ['merges', 'merges'],
    ['receivables', 'receivables'],
    ['receivable', await first('/officer/receivables', (x) => `receivables/${x.receivable.id}`)],
    ...policyPages,
    ['alerts', 'alerts'],
    ['loans', 'loans'],
    ['loan', await first('/officer/loans', (x) => `loans/${x.id}`)],
    ['proposals', 'proposals?state=all'],
    ['dayend', 'dayend'],
    ['intake', 'intake'],
    ['counter', 'applications/new'],
    ['search', `search?q=${encodeURIComponent(plots[0]?.plot.owner_name ?? 'a')}`],
    ['missing', 'no-such-page'],
  ];
  for (const [name, path] of found)
    h.check(path !== undefined, `nothing to open for the page ${name}`);
  return found.flatMap(([name, path]) => (path === undefined ? [] : [[name, `/officer/${path}`]]));
}

/** The page of an animal that something is the matter with, or of any. */
async function animal(h, page) {
  const { items } = await h.get(page, '/officer/herds');
  let any;
  for (const { herd } of items) {
    const { states } = await h.get(page, `/officer/herds/${herd.id}`);
    const found = states.find((s) => s.status === 'unverified');
    any ??= states[0] && `herds/${herd.id}/animals/${states[0].animal_id}`;
    if (found) return `herds/${herd.id}/animals/${found.animal_id}`;
  }
  return any;
}

/** What an officer does at a herd: narrow it down, count on the spot, weigh, and say that one lives. */
async function herdPage(h, page) {
  await h.speak(page, 'zh-CN');
  const { items } = await h.get(page, '/officer/herds');
  const { id } = items[0].herd;
  await h.open(page, `/officer/herds/${id}`);
  const { states } = await h.get(page, `/officer/herds/${id}`);
  const [one] = states;
  await page.locator('.herd-find input').fill(one.code);
  await page.waitForFunction(() => document.querySelectorAll('tr[data-key]').length === 1);
  h.check(page.url().includes('find='), 'what is looked for is not in the address');
  await page.locator('.herd-find input').fill('no such animal');
  await page.locator('.panel', { hasText: '没有符合条件的牲畜' }).waitFor();
  await page.locator('.herd-find input').fill('');
  const status = page.locator('.herd-legend [data-status]').first();
  await status.focus();
  await page.keyboard.press('Enter');
  await page.locator('.herd-legend [aria-pressed=true]').waitFor();
  await page.keyboard.press('Enter');

  await page.locator('.counts header button').click();
  await page.locator('.counts input[type=number]').fill(String(states.length - 1));
  await h.axe(page, 'the form of a count');
  await page.locator('.counts button[type=submit]').click();
  await page.locator('.counts form').waitFor({ state: 'detached', timeout: 20_000 });
  const { counts } = await h.get(page, `/officer/herds/${id}`);
  h.check(
    counts.some((c) => c.kind === 'person' && c.seen === states.length - 1 && !c.pen_id),
    'a count on the spot is not kept',
  );
  await page.locator('.counts .interval').first().waitFor();
  await h.shoot(page, 'herd-counted');

  await page.locator('tr[data-key] a').first().click();
  await page.locator('.weighings').waitFor();
  await h.settled(page);
  await page.locator('.weighings header button').click();
  await page.locator('.weighings input[type=number]').fill('412.5');
  await page.locator('.weighings button[type=submit]').click();
  await page.locator('.weighings .table-box td', { hasText: '412.5' }).first().waitFor();
  for (const span of ['7 天', '30 天']) {
    await page.getByRole('button', { name: span }).click();
    await h.settled(page);
    h.check(await page.locator('.time-chart').count(), `no charts over ${span}`);
  }

  const doubted = await animal(h, page);
  await h.open(page, `/officer/${doubted}`);
  const doubt = page.locator('.doubt');
  if (!(await doubt.count())) return console.log('  (no animal is in doubt)');
  await doubt.locator('button').first().click();
  await doubt.waitFor({ state: 'detached', timeout: 20_000 });
}

/** A flooded plot: growth beside its peers, the season in words, area, worth, before and after. */
async function plotPage(h, page) {
  await h.speak(page, 'zh-CN');
  const { items } = await h.get(page, '/officer/plots?limit=500');
  let hurt;
  let report;
  for (const l of items.filter((line) => line.hazards?.includes('flood'))) {
    hurt = l.plot;
    ({ report } = await h.get(page, `/officer/plots/${l.plot.id}`));
    const pictured = report.hazards.some((x) => x.kind === 'flood' && x.before && x.after);
    if (pictured && report.growth?.grade) break;
  }
  if (!hurt) return h.fault('no plot of the county is flooded');
  await h.open(page, `/officer/plots/${hurt.id}`);
  const growth = page.locator('.growth .fw-grade');
  if (report.growth?.grade) {
    h.check(
      (await growth.getAttribute('data-grade')) === String(report.growth.grade),
      'the page shows another grade than the report',
    );
    h.check(/ 级（/.test(await growth.textContent()), 'the grade has no words');
    h.check(await page.locator('.growth .fw-band').count(), 'the curve has no band of the peers');
  }
  const words = await page.locator('.portrait').textContent();
  h.check(/播种|最旺|看清/.test(words), `the season is not told in words: ${words}`);
  const area = await page.locator('.area-check').textContent();
  for (const name of ['实测', '申报', '实种'])
    h.check(area.includes(name), `the area check does not name ${name}`);
  if (report.worth) {
    const worth = await page.locator('.worth').textContent();
    for (const name of ['审慎下限', '相对单产指数', '尚需投入'])
      h.check(worth.includes(name), `the worth does not name ${name}`);
  }
  h.check(await page.locator('.how-sure .pill').count(), 'the page does not say how sure it is');

  const flood = page.locator('[data-hazard=flood]').first();
  await flood.scrollIntoViewIfNeeded();
  if (!(await flood.locator('.fw-compare').count())) await flood.getByRole('button').last().click();
  await swipe(h, page, flood, 'the flood');
  await h.settled(page);
  await h.shoot(page, 'plot-before-after');
  await flood.getByRole('button', { name: 'NDVI' }).click();
  await h.settled(page);
  h.check(await flood.locator('.map-legend').count(), 'NDVI before and after has no legend');
  await h.shoot(page, 'plot-before-after-ndvi');
  await h.axe(page, 'before and after');
}

/** Moves the line between two pictures by keys and by the mouse. */
async function swipe(h, page, where, name) {
  const compare = where.locator('.fw-compare[data-compared=true]');
  await compare.waitFor();
  const over = compare.locator('.fw-compare-over');
  const clip = () => over.evaluate((e) => e.style.clipPath);
  h.check((await clip()).includes('50%'), `${name}: the line is not in the middle at first`);
  const slider = compare.locator('input[type=range]');
  await slider.focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  h.check((await clip()).includes('45%'), `${name}: arrow keys do not move the line`);
  const said = await slider.getAttribute('aria-valuetext');
  h.check(/55/.test(said), `${name}: the slider says ${said}`);
  const line = await compare.locator('.fw-compare-line').boundingBox();
  const [x, y] = [line.x + line.width / 2, line.y + line.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x - 120, y, { steps: 4 });
  await page.mouse.up();
  h.check(!(await clip()).includes('45%'), `${name}: the line cannot be dragged`);
}

/** From an anchor by its firms and the ways between them to what happens when it stops. */
async function chainPages(h, page) {
  await h.speak(page, 'zh-CN');
  const { items } = await h.get(page, '/officer/firms?anchors=true');
  const { id } = items[0];
  const { firms, tiers } = await h.get(page, `/officer/anchors/${id}/suppliers?limit=200`);
  await h.open(page, `/officer/chain/${id}`);
  const rows = page.locator('.smes tr[data-key]');
  h.check((await rows.count()) === Math.min(50, firms.length), 'the page lacks suppliers');
  h.check(await page.locator('.tiers svg path').count(), 'no trade is drawn');
  const [best] = firms;
  await rows.first().locator('summary').click();
  const proof = await rows.first().locator('.sme-proofs').textContent();
  h.check(proof.includes(best.links[0].name), `the proof does not say of what: ${proof}`);
  await h.axe(page, 'proofs of a supplier');
  const more = page.locator('.more button');
  if (firms.length > 50) {
    await more.click();
    await page.waitForFunction(() => document.querySelectorAll('.smes tr[data-key]').length > 50);
  }
  if (tiers.length > 1) {
    await page.getByRole('button', { name: '1 层以内' }).click();
    await h.settled(page);
    await page.waitForFunction(
      (n) => document.querySelector('.smes header')?.textContent.includes(n) === false,
      '第 2 层',
    );
  }
  const node = best.mounts[0];
  if (node) {
    await page.locator('.node-select input').fill(node.zh);
    await page.locator('.ant-select-tree-title', { hasText: node.zh }).last().click();
    await page.waitForURL('**node=*');
    await h.settled(page);
    h.check(await rows.count(), `no supplier stands on ${node.zh}`);
    await h.axe(page, 'suppliers on a node');
  }
  await h.open(page, `/officer/chain/${id}?from=${firms.at(-1).firm_id}`);
  h.check(
    await page.locator('.ways .way li').count(),
    'no way leads from a supplier to its anchor',
  );
  await page.locator('.ways').scrollIntoViewIfNeeded();
  await h.shoot(page, 'ways');

  await h.open(page, `/officer/firms/${best.firm_id}`);
  for (const part of ['.series svg', '.figure-table tbody tr', '.flow-bar', '.place .way li'])
    h.check(await page.locator(part).count(), `the page of a firm lacks ${part}`);

  await h.open(page, `/officer/shock?firm=${id}`);
  await page.locator('.shock-form button[type=submit]').click();
  await page.locator('.shock-hits tr[data-key]').first().waitFor({ timeout: 20_000 });
  await h.shoot(page, 'shock-report');
  await h.axe(page, 'what a shock does');
  const raise = page.locator('.shock-loans header button');
  if (!(await raise.count())) return console.log('  (the shock endangers no loan)');
  await raise.click();
  await page.locator('.ant-modal').waitFor();
  await h.axe(page, 'to raise alerts');
  await page.locator('.ant-modal .ant-btn-dangerous').click();
  await page.locator('.shock-loans [role=status]').waitFor({ timeout: 20_000 });
  const { items: alerts } = await h.get(page, '/officer/alerts?open=true&limit=200');
  const raised = alerts.filter((a) => a.kind === 'endangered');
  h.check(raised.length, 'no alert is raised on an endangered loan');
  await h.open(page, '/officer/alerts');
  const told = await page.locator('[data-kind=endangered]').first().textContent();
  h.check(/受产业链冲击/.test(told) && /预计损失产出/.test(told), `an alert says ${told}`);
}

/** The pictures of a decision: those of every policy, and those that only some give. */
async function decision(h, page) {
  const { items } = await h.get(page, '/officer/applications?limit=200');
  const { id } = items.find((a) => a.subject.kind === 'firm' && a.limit > 0);
  await h.open(page, `/officer/applications/${id}`);
  const { decision: d } = await h.get(page, `/officer/applications/${id}`);
  if (!d.allowances?.length) {
    const steps = page.locator('.limit-steps li');
    h.check((await steps.count()) > 2, 'the steps to the limit are not drawn');
    const sum = Number((await steps.last().locator('b').textContent()).replace(/[^\d]/g, ''));
    h.check(sum === Math.round(d.limit / 100), `the steps lead to ${sum}, not ${d.limit / 100}`);
  }
  if (!d.scores?.length)
    h.check(!(await page.locator('.scores').count()), 'scores are drawn that there are not');
  const small = await h.page(phone, { storageState: await page.context().storageState() });
  for (const language of languages) {
    for (const [p, name] of [
      [page, 'decision'],
      [small, 'decision-phone'],
    ]) {
      await filled(p, 'officer', id, language);
      await h.open(p, `/officer/applications/${id}`);
      await h.speak(p, language);
      for (const part of [
        '.limit-rows',
        '.radar svg',
        '.series svg',
        '.sources table',
        '.raise-row',
      ])
        h.check(await p.locator(part).count(), `${name} (${language}) lacks ${part}`);
      const binding = await p.locator('[data-binding=true]').count();
      h.check(binding === 1, `${binding} rules are said to decide`);
      for (const [part, at] of [
        ['.limit', 'limit'],
        ['.scores', 'scores'],
        ['.sources', 'sources'],
      ]) {
        await p.locator(part).first().scrollIntoViewIfNeeded();
        await h.shoot(p, `${name}-${at}-${language}`);
      }
      await h.axe(p, `${name} (${language})`);
      await h.fits(p, `${name} (${language})`);
    }
  }
  await page.unroute(`**/api/v1/officer/applications/${id}`);
  await small.context().close();
}

/** Every layer of the map with its legend, and two days side by side. */
async function mapPage(h, page) {
  await h.open(page, '/officer/map');
  page.on('response', (r) => {
    if (/\/tiles\//.test(r.url())) h.check(r.ok(), `${r.status()} ${r.url()}`);
  });
  for (const [layer, name] of [
    ['ndvi', 'NDVI'],
    ['crop', '作物'],
    ['growth', '长势'],
    ['hazard', '灾害'],
  ]) {
    const first = page
      .waitForResponse((r) => r.url().includes(`/tiles/${layer}/`), { timeout: 20_000 })
      .catch(() => undefined);
    await page.locator('.atlas-tools').getByRole('button', { name, exact: true }).click();
    h.check((await first)?.ok(), `the layer ${layer} gives no tiles`);
    await h.settled(page);
    h.check(await page.locator('.atlas .map-legend').count(), `the layer ${layer} has no legend`);
    await h.shoot(page, `map-layer-${layer}`);
  }
  await page.locator('.atlas-tools').getByRole('button', { name: '真彩', exact: true }).click();
  const { items: scenes } = await h.get(page, '/officer/scenes');
  const clear = scenes.filter((s) => s.cloud_share < 0.1).map((s) => s.date.slice(0, 10));
  if (new Set(clear).size < 2) return console.log('  (fewer than two clear days to compare)');
  await h.open(page, `/officer/map?layer=ndvi&with=${clear.at(-1)}`);
  await swipe(h, page, page.locator('.atlas'), 'the map');
  await h.settled(page);
  await h.shoot(page, 'map-compare');
  await h.axe(page, 'two days on the map');
}

/** The keyboard: search, help, and going places. */
async function keys(h, page) {
  await h.open(page, '/officer/');
  await page.keyboard.press('/');
  h.check(
    await page.evaluate(() => document.activeElement?.type === 'search'),
    'the / key does not reach the search',
  );
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.locator('.keys').waitFor();
  await h.shoot(page, 'keys');
  await h.axe(page, 'keys');
  await page.keyboard.press('Escape');
  await page.locator('.keys').waitFor({ state: 'hidden' });
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await page.waitForURL('**/officer/loans');
}

/** A stored decision decides the same again. */
async function replay(h, page, places) {
  for (const [name, path] of places.filter(([n]) => n.startsWith('application-'))) {
    await h.open(page, path);
    await page
      .locator('.panel', { has: page.locator('.hash') })
      .getByRole('button')
      .first()
      .click();
    await page.locator('.replay').waitFor();
    h.check(await page.locator('.replay-same').count(), `${name}: the replay differs`);
  }
}

/** An auditor sees what waits for a person, and nothing to decide it with. */
async function audit(h) {
  const page = await h.page(desktop);
  await h.signIn(page, '/officer/', 'auditor01');
  const { items } = await h.get(page, '/officer/applications?state=referred');
  if (items?.[0]) {
    await h.open(page, `/officer/applications/${items[0].id}`);
    h.check(!(await page.locator('.page-head button').count()), 'an auditor is offered a decision');
  }
  await h.open(page, '/officer/alerts');
  h.check(!(await page.locator('.alert button').count()), 'an auditor is offered to close alerts');
  await h.open(page, '/officer/ledger');
  h.check(await page.locator('.trial tbody tr').count(), 'an auditor sees no trial balance');
  h.check(!(await page.locator('.panel button.ant-btn').count()), 'an auditor is offered deeds');
  await page.context().close();
}

/** Approves what waits for a person, with the keyboard alone. */
async function approve(h, page) {
  const { items } = await h.get(page, '/officer/applications?state=referred');
  const waiting = items?.find((a) => a.limit > 0);
  if (!waiting) return console.log('  (no application waits for a person)');
  await h.open(page, `/officer/applications/${waiting.id}`);
  await page.locator('.page-head .ant-btn-primary').focus();
  await page.keyboard.press('Enter');
  await page.locator('.ant-modal textarea').waitFor();
  await page.keyboard.type('e2e');
  await h.axe(page, 'approve');
  await h.shoot(page, 'approve');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.ant-modal textarea').waitFor({ state: 'hidden' });
  await h.settled(page);
  const after = await h.get(page, `/officer/applications/${waiting.id}`);
  h.check(after.application.state === 'offered', `approved, yet ${after.application.state}`);
}

/** What one officer closes disappears from the page of another, without a reload. */
async function live(h, page) {
  const other = await page.context().newPage();
  for (const p of [page, other]) {
    await h.open(p, '/officer/alerts');
    await p.locator('.live-open').waitFor({ timeout: 10_000 });
  }
  const first = page.locator('.alert').first();
  if (!(await first.count())) return console.log('  (no alert is open)');
  const id = await first.getAttribute('data-alert');
  await first.locator('button').click();
  await page.locator('.ant-modal textarea').fill('e2e');
  await page.locator('.ant-modal .ant-btn-primary').click();
  await other.locator(`[data-alert="${id}"]`).waitFor({ state: 'detached', timeout: 5_000 });
  await page.locator(`[data-alert="${id}"]`).waitFor({ state: 'detached' });
  await other.close();
}

/** A document: what stands by itself, what an officer says, and that taken back. */
async function documents(h, page) {
  await h.speak(page, 'zh-CN');
  const [anchor] = (await h.get(page, '/officer/firms?anchors=true')).items;
  const firm = (await h.get(page, '/officer/firms?limit=50')).items.find((f) => !f.anchor);
  await h.open(page, '/officer/facts');
  const stranger = `远山米业${Date.now()}有限公司`;
  await page.locator('.fact-send input[type=file]').setInputFiles({
    name: '采购公告.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from(`${anchor.name}向${stranger}采购大米，金额120万元。`),
  });
  await page.locator('.fact-send button[type=submit]').click();
  await page.locator('.fact-outcome').waitFor();
  const fact = page.locator('.fact', { hasText: stranger });
  await fact.waitFor();
  h.check(
    (await fact.locator('mark').allInnerTexts()).includes(stranger),
    'the quote does not show the firm',
  );
  await h.axe(page, 'a fact that waits');
  await fact.locator('.firm-select').first().locator('input').fill(firm.name);
  await page.locator('.ant-select-item-option', { hasText: firm.name }).first().click();
  await h.shoot(page, 'fact-chosen');
  await fact.locator('.ant-btn-primary').click();
  await fact.waitFor({ state: 'detached' });
  await h.open(page, `/officer/facts?state=accepted&firm=${firm.id}`);
  await fact.waitFor();
  await fact.locator('button').last().click();
  await fact.waitFor({ state: 'detached' });
}
