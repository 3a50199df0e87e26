/**
 * The farmer's face on a phone: draw a plot with taps, apply, read the answer, sign, draw
 * the money; keep a herd; without a network; without a map; every page in both languages.
 */
import { guarantee } from './guarantee.mjs';
import { base, desktop, languages, password, phone, run } from './harness.mjs';
import { buy, repay, resumeDraft, threeOneZero } from './lending.mjs';

const touch = { hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
/** What the way from the front page to the answer may cost. */
const MAX_TAPS = 40;
const MAX_SECONDS = 180;

await run('farmer', async (h) => {
  const { login } = await someone(h, 2);
  const other = await someone(h, 3, login);
  const [clean, half, goods] = other.plots;
  const quick = await threeOneZero(h, other.login, clean);
  await again(h, other.login, async (page) => {
    await resumeDraft(h, page, half);
    if (quick.loan) await repay(h, page, quick.loan);
    await buy(h, page, goods);
  });
  await guarantee(h, login, other.login);

  const page = await h.page(phone, { ...touch, permissions: ['geolocation'] });
  await page.goto('/farmer/');
  await h.settled(page);
  await h.shoot(page, 'signin-zh-CN');
  await h.axe(page, 'signin');
  await h.signIn(page, '/farmer/', login);

  await findPlot(h, page);
  const drawn = await drawPlot(h, page);
  const state = await page.context().storageState();
  const free = await freePlots(h, page);
  const application = await apply(h, page, free[0]);
  const loan = await borrow(h, page, application);
  await offline(h, state, free[1]);
  await withoutMap(h, state);

  const hurt = (await h.get(page, '/farmer/home')).plots.find(
    (l) => l.report_summary?.hazards?.length,
  );
  const places = [
    ['home', ''],
    ['draw', 'plots/new'],
    ['plot', `plots/${free[0].id}`],
    ['plot-new', `plots/${drawn}`],
    ['plot-hurt', hurt && `plots/${hurt.plot.id}`],
    ['apply', 'apply'],
    ['answer', `applications/${application}`],
    ['contract', loan && `applications/${application}/contract`],
    ['loan', loan && `loans/${loan}`],
    ['me', 'me'],
    ['missing', 'no-such-page'],
  ].filter(([, path]) => path !== undefined);
  for (const language of languages) {
    await h.speak(page, language);
    for (const [name, path] of places) {
      await h.open(page, `/farmer/${path}`);
      await h.shoot(page, `${name}-${language}`);
      await h.axe(page, `${name} (${language})`);
      await h.fits(page, `${name} (${language}) at 360x640`);
      h.check(/\S+ · /.test(await page.title()), `${name} has no title of its own`);
      await targets(h, page, name);
    }
  }
  const wide = await h.page(desktop, { storageState: await page.context().storageState() });
  for (const [name, path] of places.slice(0, 3)) {
    await h.open(wide, `/farmer/${path}`);
    await h.fits(wide, `${name} at 1440x900`);
    await h.shoot(wide, `${name}-desktop`);
  }
  await signOut(h, page);
  await herder(h);
});

/** A farmer of the demo, not the one named, with so many plots to borrow on. */
async function someone(h, plots, not) {
  const page = await h.page();
  for (let i = 1; i < 60; i++) {
    const login = `farmer${String(i).padStart(2, '0')}`;
    if (login === not) continue;
    const answer = await page.request.post('/api/v1/session', { data: { login, password } });
    if (!answer.ok()) break;
    const free = await freePlots(h, page);
    if (free.length >= plots) {
      await page.context().close();
      return { login, plots: free };
    }
  }
  throw new Error(`no farmer of the demo has ${plots} plots to borrow on; start with --reset`);
}

/** A phone of somebody who is signed in. */
async function again(h, login, body) {
  const page = await h.page(phone, touch);
  await page.request.post('/api/v1/session', { data: { login, password } });
  await body(page);
  await page.context().close();
}

/** Plots that the bank should lend on: seen as declared, not used before, no arrears. */
async function freePlots(h, page) {
  const home = await h.get(page, '/farmer/home');
  if (home.loans.some((l) => l.worst_overdue_days > 0)) return [];
  const used = new Set(home.applications.map((a) => a.subject.id));
  return home.plots
    .filter(({ plot, report_summary: r }) => {
      // Rules alone never make a plot "known"; a doubt of its own has another reason.
      const seen = r?.status === 'known' || r?.reason === 'rules_only';
      const sound = seen && r.crop === plot.crop && r.worth_low > 2_000_000;
      return sound && !r.hazards?.length && plot.source !== 'drawn' && !used.has(plot.id);
    })
    .map((l) => l.plot);
}

/** Taps a field, has its boundary found, changes it, and hears why a road is none. */
async function findPlot(h, page) {
  await h.open(page, '/farmer/plots/new');
  await h.shoot(page, 'find-zh-CN');
  await h.axe(page, 'find');
  const { plots } = await h.get(page, '/farmer/home');
  const near = plots.find((l) => l.plot.source !== 'drawn').plot;
  // The map opens around the first plot: its middle is a field.
  const answer = page.waitForResponse((r) => r.url().endsWith('/farmer/plots/suggest'));
  await page.locator('.f-tools button').filter({ hasText: '找十字处' }).tap();
  const response = await answer;
  if (response.status() === 404 && !(await response.json()).code?.startsWith('boundary.'))
    return h.fault('the door that suggests boundaries is not there');
  await page.locator('[data-testid=found], [data-refused]').waitFor();
  h.check(response.ok(), `no boundary was found on the plot ${near.name}: ${response.status()}`);
  if (!response.ok()) return;
  const found = await response.json();
  await page.locator('.f-figures .f-good, .f-figures .f-note, .f-figures .f-error').waitFor();
  await h.shoot(page, 'found-zh-CN');
  await h.axe(page, 'found');
  const mu = Number(await page.locator('[data-testid=area]').textContent());
  h.check(Math.abs(mu - found.mu) < 0.02 * found.mu, `${found.mu} mu were found, ${mu} are shown`);
  h.check((await page.locator('.f-corner').count()) === 0, 'a found boundary shows its corners');
  await page.locator('.f-tools button').filter({ hasText: '改一改' }).tap();
  const corners = found.polygon[0].length - 1;
  h.check(
    (await page.locator('.f-corner').count()) === corners,
    `a found boundary of ${corners} corners cannot be changed`,
  );
  await h.shoot(page, 'found-change-zh-CN');
  await page.locator('.f-tools button').filter({ hasText: '重画' }).tap();
  await page.locator('.adm-dialog-button').last().tap();
  await page.locator('.f-corner').first().waitFor({ state: 'detached' });

  // Tapping the field does the same as the cross.
  await page.locator('.f-how button').tap();
  const box = await page.locator('.f-canvas').boundingBox();
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  await page.locator('[data-testid=found]').waitFor();
  await page.locator('.f-tools button').filter({ hasText: '自己画' }).tap();
  h.check(
    /^0\.00$/.test(await page.locator('[data-testid=area]').textContent()),
    'drawing anew keeps what was found',
  );
}

/** Taps five corners, mends a knot, and saves the plot. */
async function drawPlot(h, page) {
  await h.open(page, '/farmer/plots/new');
  const box = await page.locator('.f-canvas').boundingBox();
  // Not twice the same plot: the register refuses a boundary that it has.
  const shift = (Date.now() % 101) / 2500;
  const tap = async (x, y) => {
    const before = await page.locator('.f-corner').count();
    await page.touchscreen.tap(box.x + box.width * (x + shift), box.y + box.height * (y - shift));
    await page.waitForFunction((n) => document.querySelectorAll('.f-corner').length > n, before);
  };
  const button = (name) => page.locator('.f-tools button').filter({ hasText: name });
  await button('自己画').tap();
  const corners = () => page.locator('.f-corner').count();

  await tap(0.3, 0.3);
  await tap(0.68, 0.28);
  await tap(0.35, 0.7);
  await tap(0.72, 0.66);
  await button('围起来').tap();
  await page.locator('.f-figures .f-error').waitFor();
  await h.shoot(page, 'draw-knot-zh-CN');
  h.check(await page.locator('.f-foot button').isDisabled(), 'a knotted plot can go on');

  await button('撤销').tap();
  await button('撤销').tap();
  await button('撤销').tap();
  h.check((await corners()) === 2, 'undo does not take the corners back');
  await button('恢复').tap();
  h.check((await corners()) === 3, 'redo does not bring the corner back');
  await button('撤销').tap();
  await tap(0.74, 0.64);
  await tap(0.52, 0.74);
  await tap(0.28, 0.68);
  await h.shoot(page, 'draw-open-zh-CN');
  await button('围起来').tap();
  const verdict = page.locator('.f-figures .f-good, .f-figures .f-note');
  await verdict.waitFor();
  const area = () => page.locator('[data-testid=area]').textContent();
  const mu = await area();
  h.check(Number(mu) > 0.1 && Number(mu) < 999, `the drawn plot has ${mu} mu`);

  const corner = page.locator('.f-corner').nth(1);
  const at = await corner.boundingBox();
  await drag(page, at, 14, -10);
  h.check((await corners()) === 5, 'dragging a corner changed their number');
  await verdict.waitFor();
  h.check((await area()) !== mu, 'dragging a corner leaves the area as it was');
  const dragged = await area();
  await corner.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowRight');
  await verdict.waitFor();
  h.check((await area()) !== dragged, 'arrow keys do not move a corner');
  h.check(
    await page.evaluate(() => document.activeElement?.className.includes('f-corner')),
    'a corner moved by keys loses the focus',
  );
  await h.shoot(page, 'draw-closed-zh-CN');
  await h.axe(page, 'draw with corners');

  await page.reload();
  await h.settled(page);
  await page.locator('.f-corner').nth(4).waitFor();
  await verdict.waitFor();
  await page.locator('.f-foot button').tap();
  const name = `试验田 ${new Date().toISOString().slice(5, 19)}`;
  const [named, claimed] = [0, 1].map((i) => page.locator('.f-field input').nth(i));
  await named.fill(name);
  await claimed.fill('大概五亩');
  await page.locator('.f-field .f-error').waitFor();
  h.check(await page.locator('.f-foot button').isDisabled(), 'a claim in words can be saved');
  await claimed.fill('１５');
  await page.locator('.f-option').nth(1).tap();
  await h.shoot(page, 'draw-details-zh-CN');
  await page.locator('.f-foot button').tap();
  await page.waitForURL(/\/plots\/(?!new)/);
  await h.settled(page);
  const { plots } = await h.get(page, '/farmer/home');
  const saved = plots.find((l) => l.plot.name === name);
  h.check(saved, 'the drawn plot is not among the plots');
  h.check(saved?.plot.polygon[0].length === 6, 'the drawn plot has lost corners');
  h.check(
    saved?.plot.claimed_m2 === 10_000,
    `15 mu were claimed, not ${saved?.plot.claimed_m2} m²`,
  );
  return saved?.plot.id;
}

/** Drags with the mouse, as a finger would. */
async function drag(page, box, dx, dy) {
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + dx / 2, y + dy / 2);
  await page.mouse.move(x + dx, y + dy);
  await page.mouse.up();
}

/** From the front page to the answer, counting taps; reloads in the middle. */
async function apply(h, page, plot) {
  await h.open(page, '/farmer/');
  let taps = 0;
  const began = Date.now();
  const tap = async (locator) => {
    await locator.tap();
    taps++;
  };
  const next = page.locator('.f-foot button');
  const option = (text) => page.locator('.f-option').filter({ hasText: text }).first();
  await tap(page.locator('.f-starts button').first());
  await tap(next);
  await page.locator('.f-error').waitFor();
  await tap(option(plot.name));
  await tap(next);
  await page.locator('.f-option input:checked').waitFor({ state: 'attached' });
  await tap(next);
  await tap(next);
  await page.locator('.f-money .f-error').waitFor();
  await tap(page.locator('.f-quick button').first());
  await h.shoot(page, 'apply-amount-zh-CN');

  await page.reload();
  await h.settled(page);
  h.check((await page.locator('.f-money input').inputValue()) !== '', 'a reload lost the draft');
  await tap(next);
  await tap(page.locator('.f-option').first());
  await tap(option('种子'));
  await h.shoot(page, 'apply-term-zh-CN');
  await tap(next);
  await tap(next);
  await page.locator('.f-check .f-error').waitFor();
  await tap(page.locator('.f-consent'));
  await h.shoot(page, 'apply-check-zh-CN');
  await h.axe(page, 'apply, last step');
  await tap(next);
  await page.waitForURL('**/applications/*');
  await page.locator('.f-verdict:not([data-state=submitted]):not([data-state=deciding])').waitFor();
  const seconds = (Date.now() - began) / 1000;
  await h.settled(page);
  h.check(taps <= MAX_TAPS, `applying took ${taps} taps`);
  h.check(seconds <= MAX_SECONDS, `applying took ${seconds} s`);
  const reasons = await page.locator('.f-reasons li, .f-bars li').allInnerTexts();
  h.check(reasons.length > 0, 'the answer gives no reasons');
  h.check(
    reasons.every((r) => /[\u4e00-\u9fff]/.test(r)),
    `reasons not in Chinese: ${reasons}`,
  );
  await h.shoot(page, 'answer-first-zh-CN');
  const verdict = await page.locator('.f-verdict').getAttribute('data-state');
  console.log(`  applied in ${taps} taps and ${seconds.toFixed(1)} s: ${verdict}`);
  return page.url().split('/').at(-1);
}

/** Reads and signs the contract, draws a part, repays a part; the loan's id if offered. */
async function borrow(h, page, id) {
  const detail = await h.get(page, `/farmer/applications/${id}`);
  if (detail.application.state !== 'offered') {
    h.fault(`a healthy plot was not offered a loan but ${detail.application.state}`);
    return undefined;
  }
  await page.locator('.f-verdict > .adm-button').tap();
  await page.locator('[data-testid=disclosure]').waitFor();
  await h.shoot(page, 'disclosure-zh-CN');
  await h.axe(page, 'the yearly cost');
  await page.locator('.f-foot button').tap();
  await page.locator('.f-contract').waitFor();
  h.check((await page.locator('.f-contract').textContent()).length > 100, 'the contract is empty');
  h.check(await page.locator('.f-foot button').isDisabled(), 'an unread contract can be signed');
  await page.locator('.f-consent').tap();
  await h.shoot(page, 'contract-open-zh-CN');
  await page.locator('.f-foot button').tap();
  const yuan = page.locator('.f-verdict .f-money input');
  await yuan.waitFor();
  await h.settled(page);
  const limit = Number(await yuan.inputValue());
  await yuan.fill(String(limit * 2));
  await page.locator('.f-money .f-error').waitFor();
  await yuan.fill(String(limit));
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await h.shoot(page, 'signed-zh-CN');
  await page.locator('.f-verdict .adm-button').tap();
  const link = page.locator('.f-verdict a[href*="/loans/"]');
  await link.waitFor();
  const path = await link.getAttribute('href');
  await link.tap();
  await page.locator('.f-months').waitFor();
  await page.locator('.f-money input').fill('100');
  await page.locator('.f-verdict .adm-button').tap();
  await page.locator('.adm-toast-main').waitFor();
  await h.settled(page);
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await h.shoot(page, 'repaid-zh-CN');
  return path.split('/').at(-1);
}

/** With the service worker: opens without a network, keeps an application, sends it once. */
async function offline(h, storageState, plot) {
  const context = await h.browser.newContext({
    baseURL: base,
    viewport: phone,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    storageState,
    ...touch,
  });
  const page = await context.newPage();
  page.on('pageerror', (e) => h.fault(`offline: ${e.message}`));
  page.on('request', (r) => {
    if (new URL(r.url()).host !== new URL(base).host) h.fault(`request left the house: ${r.url()}`);
  });
  await page.goto('/farmer/');
  await h.settled(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload(); // from here the worker sees every request and keeps the answers
  await h.settled(page);
  await page.goto('/farmer/apply');
  await h.settled(page);

  await context.setOffline(true);
  await page.goto('/farmer/');
  await page.locator('.f-offline').waitFor();
  await page.locator('.f-rows').first().waitFor();
  const next = page.locator('.f-foot button');
  const option = (text) => page.locator('.f-option').filter({ hasText: text }).first();
  await page.locator('.f-starts button').first().tap();
  await option(plot.name).tap();
  await next.tap();
  await next.tap();
  await page.locator('.f-quick button').first().tap();
  await next.tap();
  await page.locator('.f-option').first().tap();
  await option('农机').tap();
  await next.tap();
  await page.locator('.f-consent').tap();
  await next.tap();
  await page.locator('[data-fate=waiting]').waitFor();
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await h.shoot(page, 'offline-zh-CN');
  await h.axe(page, 'offline');
  await page.reload();
  await page.locator('[data-fate=waiting]').waitFor();

  await context.setOffline(false);
  await page.locator('[data-fate]').waitFor({ state: 'detached', timeout: 40_000 });
  await page.reload();
  await h.settled(page);
  const { applications } = await h.get(page, '/farmer/home');
  const sent = applications.filter((a) => a.subject.id === plot.id);
  h.check(sent.length === 1, `an application made offline arrived ${sent.length} times`);
  await context.close();
}

/** A phone without WebGL: corners are typed, with the keyboard alone. */
async function withoutMap(h, storageState) {
  const page = await h.page(phone, { storageState });
  await page.addInitScript(() => {
    localStorage.setItem('furrow.language', 'zh-CN');
    HTMLCanvasElement.prototype.getContext = () => null;
  });
  await h.open(page, '/farmer/plots/new');
  const field = page.locator('textarea');
  await field.focus();
  await page.keyboard.type('114.35, 35.00\n一二三\n');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  h.check(
    /2/.test(await page.locator('.f-list-way .f-error').textContent()),
    'a wrong line of coordinates is not named',
  );
  await field.fill('114.35, 35.00\n114.351，35.00\n114.351 35.001');
  await page.locator('.f-list-way button').click();
  await page.locator('.f-figures .f-good, .f-figures .f-note').waitFor();
  await h.shoot(page, 'draw-list-zh-CN');
  await h.axe(page, 'corners as text');
  await page.context().close();
}

/** A herder looks at a herd, reports a birth and a death, and claims a device. */
async function herder(h) {
  h.tolerate(/status of 4(22|09|29)/); // the refusals that are asked for below
  const page = await h.page(phone, { ...touch, permissions: ['clipboard-write'] });
  await h.signIn(page, '/farmer/', 'herder01');
  await h.settled(page);
  const { herds } = await h.get(page, '/farmer/home');
  const { herd } = herds[0];
  await page.locator(`.f-row[href$="/herds/${herd.id}"]`).tap();
  await page.locator('[data-testid=verified]').waitFor();
  await h.settled(page);
  const dam = await readHerd(h, page, herd);
  const young = await birth(h, page, dam);
  await death(h, page, young);
  await claim(h, page, herd, dam);

  const sold = `animals/${dam.id}/report/`;
  const places = [
    ['herd', `herds/${herd.id}`],
    ['animal', `animals/${dam.id}`],
    ['animal-dead', `animals/${young}`],
    ...['birth', 'death', 'departure', 'tag', 'number'].map((r) => [`report-${r}`, sold + r]),
    ['report-none', `animals/${young}/report/death`],
    ['claim', `herds/${herd.id}/claim?animal=${dam.id}`],
  ];
  for (const language of languages) {
    await h.speak(page, language);
    for (const [name, path] of places) {
      await h.open(page, `/farmer/${path}`);
      await h.shoot(page, `${name}-${language}`);
      await h.axe(page, `${name} (${language})`);
      await h.fits(page, `${name} (${language}) at 360x640`);
      h.check(/\S+ · /.test(await page.title()), `${name} has no title of its own`);
      await targets(h, page, name);
      const keys = await page.locator('.f-frame').innerText();
      h.check(!/\b(cause|event|herd|report)[.:_][a-z]/.test(keys), `${name} shows a key of a text`);
    }
  }
}

/** What counts, why not all, the map and the search; a female animal to go on with. */
async function readHerd(h, page, herd) {
  const now = await h.get(page, `/farmer/herds/${herd.id}`);
  const { items: animals } = await h.get(page, `/farmer/herds/${herd.id}/animals`);
  const verified = Number(await page.locator('[data-testid=verified]').textContent());
  const { registered } = now.report;
  h.check(
    Math.abs(verified - now.report.verified) <= 2,
    `${verified} animals are shown as verified, ${now.report.verified} are`,
  );
  const causes = await page.locator('[data-testid=causes] .f-sign').allTextContents();
  const missing = causes.reduce((n, c) => n + Number(c), 0);
  h.check(
    missing === registered - verified,
    `the causes name ${missing} animals, ${registered - verified} do not count`,
  );
  await h.shoot(page, 'herd-first-zh-CN');
  await page.locator('.fw-map').scrollIntoViewIfNeeded();
  await h.shoot(page, 'herd-map-zh-CN');
  if (causes.length) {
    await page.locator('[data-testid=causes] .f-change').first().tap();
    await page.waitForFunction(
      (n) => document.querySelectorAll('[data-testid=animals] li').length === n,
      Number(causes[0]),
    );
  }
  const dam = animals.find((a) => a.sex === 'f' && a.status === 'alive' && a.born < '2025');
  await page.locator('.f-option').filter({ hasText: '全部' }).tap();
  await page.locator('input[type=search]').fill(dam.identity.code.slice(-4));
  const row = page.locator(`[data-testid=animals] a[href$="${dam.id}"]`);
  await row.waitFor();
  await h.shoot(page, 'herd-list-zh-CN');
  await row.tap();
  await page.locator('[data-testid=life]').waitFor();
  await h.settled(page);
  h.check(
    (await page.locator('h1').textContent()) === dam.identity.code,
    'the animal is not called by its number',
  );
  const standing = await page.locator('[data-testid=standing]').getAttribute('data-cause');
  const state = now.states.find((s) => s.animal_id === dam.id);
  h.check(
    (standing === '') === (state.status === 'inside'),
    `${dam.identity.code} is ${state.status} and shown as "${standing}"`,
  );
  return dam;
}

/** Reports a calf: what is missing, a wrong number, and then a right one. */
async function birth(h, page, dam) {
  await page.locator('[data-testid=reports] a[href$=birth]').tap();
  const send = page.locator('.f-foot button');
  const option = (text) => page.locator('.f-option').filter({ hasText: text }).first();
  await page.locator('.f-field input').waitFor();
  await send.tap();
  await page.locator('.f-error').waitFor();
  h.check((await page.locator('.adm-dialog').count()) === 0, 'an empty form can be sent');
  await option('母').tap();
  const number = page.locator('.f-field input').first();
  await number.fill('123');
  await page.locator('.f-field .f-error').waitFor();
  await page.context().setOffline(true);
  await page.locator('.f-offline').waitFor();
  h.check(await send.isDisabled(), 'a birth can be sent without a network');
  await page.context().setOffline(false);
  await page.locator('.f-offline').waitFor({ state: 'detached' });

  // The number of another animal: the server refuses it in words.
  await number.fill(dam.identity.code);
  await send.tap();
  await page.locator('.adm-dialog-button').last().tap();
  const refusal = page.locator('.f-error[data-code]');
  await refusal.waitFor();
  h.check(
    /[\u4e00-\u9fff]/.test(await refusal.textContent()),
    `a number that is taken is refused with "${await refusal.textContent()}"`,
  );
  await page.locator('.adm-dialog').waitFor({ state: 'detached' });
  await h.shoot(page, 'report-birth-refused-zh-CN');
  await h.axe(page, 'a refused birth');

  const code = dam.identity.code.slice(0, 7) + String(Date.now()).slice(-8);
  await number.fill(code);
  await send.tap();
  await page.locator('.adm-dialog-button').last().waitFor();
  await h.axe(page, 'the question before a birth is sent');
  await h.shoot(page, 'report-birth-sure-zh-CN');
  await page.locator('.adm-dialog-button').last().tap();
  await page.waitForURL(
    (url) => /animals\/[^/]+$/.test(url.pathname) && !url.href.includes(dam.id),
  );
  await page.locator('[data-testid=life]').waitFor();
  const id = page.url().split('/').at(-1);
  const { life } = await h.get(page, `/farmer/animals/${id}`);
  h.check(
    life.animal.identity.code === code,
    `the calf has the number ${life.animal.identity.code}`,
  );
  h.check(life.dam === dam.id, 'the calf has lost its mother');
  return id;
}

/** Reports the death of an animal, with its reason. */
async function death(h, page, id) {
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await page.locator('[data-testid=reports] a[href$=death]').tap();
  await page.locator('.f-option').filter({ hasText: '病死' }).tap();
  await page.locator('.f-foot button').tap();
  await page.locator('.adm-dialog-button').last().waitFor();
  await page.locator('.adm-dialog-button').last().tap();
  await page.locator('[data-testid=standing][data-cause=dead]').waitFor();
  await page.locator('[data-testid=life] [data-kind=death]').waitFor();
  const { life } = await h.get(page, `/farmer/animals/${id}`);
  h.check(life.animal.status === 'dead', `a reported death leaves it ${life.animal.status}`);
  h.check(
    life.events.some((e) => e.kind === 'death' && e.reason === 'disease'),
    'the reason of the death is lost',
  );
}

/** Mistyped, wrong and right claim codes; what the device signs in with is shown once. */
async function claim(h, page, herd, dam) {
  await h.open(page, `/farmer/herds/${herd.id}`);
  await page.locator('a[href$="/claim"]').tap();
  const fields = page.locator('.f-field input');
  await fields.nth(1).waitFor();
  const send = page.locator('.f-foot button');
  const device = `E2E-${Date.now()}`;
  await fields.nth(0).fill(device);
  await fields.nth(1).fill('uxgvcr96va84ajbh');
  await page.locator('.f-field .f-error').waitFor();
  h.check(
    (await fields.nth(1).inputValue()) === 'UXGV-CR96-VA84-AJBH',
    'a code is not put into groups',
  );
  await h.shoot(page, 'claim-mistyped-zh-CN');
  await fields.nth(1).fill('uxgvcr96va84ajbg');
  await page.locator('.f-field .f-error').waitFor({ state: 'detached' });
  await send.tap();
  const refusal = page.locator('.f-error[data-code]');
  await refusal.waitFor();
  await h.shoot(page, 'claim-refused-zh-CN');
  const why = await refusal.getAttribute('data-code');
  h.check(/^(claim|device)\./.test(why), `a code of no device is refused with ${why}`);

  await page.locator('.f-option').filter({ hasText: '戴在一头身上' }).tap();
  await page.locator('input[type=search]').fill(dam.identity.code.slice(-4));
  await page.locator('.f-option').filter({ hasText: dam.identity.code }).tap();
  await page.locator('.f-good').waitFor();
  await h.shoot(page, 'claim-animal-zh-CN');
  await h.axe(page, 'claim for an animal');
  await page.locator('.f-option').filter({ hasText: '先领到牧群里' }).tap();

  const code = await box(h, device);
  await fields.nth(1).fill(code);
  await send.tap();
  const secret = page.locator('[data-testid=credential] dd').last();
  await secret.waitFor();
  const text = await secret.textContent();
  h.check(text.length > 40, `the password is "${text}"`);
  await h.shoot(page, 'claim-done-zh-CN');
  await h.axe(page, 'a claimed device');
  await h.fits(page, 'a claimed device');
  await targets(h, page, 'a claimed device');
  await page.locator('.f-foot button').tap();
  await page.locator('.adm-dialog-button').first().tap(); // not copied yet: stay
  await page.locator('.adm-dialog').waitFor({ state: 'detached' });
  await page.locator('main .adm-button').tap();
  await page.locator('.adm-toast-main').waitFor();
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await page.locator('.f-foot button').tap();
  await page.waitForURL(`**/herds/${herd.id}`);
  const kept = await page.evaluate(
    (s) => Object.values({ ...localStorage, ...sessionStorage }).some((v) => v.includes(s)),
    text,
  );
  h.check(!kept, 'the password of a device stays on the phone');
  const { free_tags: free } = await h.get(page, `/farmer/herds/${herd.id}`);
  h.check(free.includes(device), `${device} is not among the free tags ${free}`);
}

/** Has the operator take up a tag, and returns its claim code. */
async function box(h, device) {
  const page = await h.page();
  await page.request.post('/api/v1/session', { data: { login: 'operator', password } });
  const answer = await page.request.post('/api/v1/operator/devices', {
    multipart: {
      file: { name: 'box.csv', mimeType: 'text/csv', buffer: Buffer.from(`设备号\n${device}\n`) },
    },
  });
  const { devices } = await answer.json();
  await page.context().close();
  return devices?.[0].claim_code;
}

/** Every button and link on the page is large enough for a thumb. */
async function targets(h, page, name) {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('.f-frame button, .f-frame a.fw-button, .f-tabs a')]
      .filter((e) => !e.closest('.maplibregl-ctrl, .f-middle') && !e.matches('.f-middle'))
      .map((e) => ({
        text: e.textContent || e.ariaLabel,
        height: e.getBoundingClientRect().height,
      }))
      .filter((e) => e.height > 0 && e.height < 47.5)
      .map((e) => `${e.text} ${e.height}`),
  );
  h.check(!small.length, `${name}: targets below 48 px: ${small}`);
}

/** Signing out forgets what is on the phone. */
async function signOut(h, page) {
  h.tolerate(/api\/v1\/live.*Authentication/); // open pages lose their socket with the session
  await h.open(page, '/farmer/me');
  await page.locator('main button.f-big').tap();
  await page.locator('.adm-dialog-body').waitFor();
  await h.shoot(page, 'signout');
  await page.locator('.adm-dialog-button').last().tap();
  await page.locator('input[name=password]').waitFor();
  const left = await page.evaluate(() =>
    Object.keys(localStorage).filter((k) => k.startsWith('furrow.farmer.')),
  );
  h.check(!left.length, `signing out leaves ${left}`);
}
