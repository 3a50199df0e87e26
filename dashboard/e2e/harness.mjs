/**
 * What every browser test shares: a Chromium that watches itself. A test fails when a
 * page asks anybody but the house, writes an error to its console, throws, gets a 5xx,
 * overflows a phone, or has a serious accessibility fault.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

export const base = process.env.FURROW_E2E_URL ?? 'http://127.0.0.1:8080';
export const password = process.env.FURROW_E2E_PASSWORD ?? '';
const shots = resolve(import.meta.dirname, '../../shots');

const args = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 360, height: 640 };
export const languages = ['zh-CN', 'en'];

/**
 * Runs `body(h)` in a fresh browser and ends the process with 0, or 1 and the list of
 * what was wrong. `face` names the screenshots.
 */
export async function run(face, body, options = {}) {
  const began = Date.now();
  await mkdir(shots, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args,
  });
  const faults = [];
  const h = new Harness(browser, face, faults, options);
  try {
    await body(h);
  } catch (e) {
    faults.push(`stopped: ${e.stack ?? e}`, ...(await h.witness()));
  } finally {
    await browser.close();
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  for (const fault of new Set(faults)) console.error(`  ✗ ${fault}`);
  console.log(
    `${face}: ${faults.length ? `${new Set(faults).size} faults` : 'no faults'} in ${seconds} s`,
  );
  process.exitCode = faults.length ? 1 : 0;
}

class Harness {
  constructor(browser, face, faults, options) {
    Object.assign(this, { browser, face, faults, options });
    this.tolerated = [];
  }

  /** From now on console errors that match are what a test provokes, not faults. */
  tolerate(pattern) {
    this.tolerated.push(pattern);
  }

  /** A page in a context of its own that reports what it does wrong. */
  async page(viewport = desktop, more = {}) {
    const context = await this.browser.newContext({
      baseURL: base,
      viewport,
      locale: 'zh-CN',
      timezoneId: 'Asia/Shanghai',
      serviceWorkers: 'block',
      ...this.options.context,
      ...more,
    });
    const page = await context.newPage();
    const host = new URL(base).host;
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (!['data:', 'blob:'].includes(url.protocol) && url.host !== host)
        this.fault(`request left the house: ${r.method()} ${r.url()}`);
    });
    page.on('websocket', (ws) => {
      if (new URL(ws.url()).host !== host) this.fault(`socket left the house: ${ws.url()}`);
    });
    page.on('response', (r) => {
      if (r.status() >= 500) this.fault(`${r.status()} ${r.url()}`);
    });
    page.on('pageerror', (e) => this.fault(`${page.url()}: ${e.message}`));
    page.on('console', (m) => {
      const meant = expected(m) || this.tolerated.some((p) => p.test(m.text()));
      if (m.type() === 'error' && !meant) this.fault(`console at ${page.url()}: ${m.text()}`);
    });
    return page;
  }

  fault(text) {
    this.faults.push(text);
  }

  /** Notes a fault when `ok` is false, and goes on. */
  check(ok, text) {
    if (!ok) this.fault(text);
  }

  /** Fills the sign-in form of a face. */
  async signIn(page, path, login) {
    await page.goto(path);
    await page.locator('input[name=login]').fill(login);
    await page.locator('input[name=password]').fill(password);
    await page.locator('form button[type=submit]').click();
    await page.locator('input[name=password]').waitFor({ state: 'detached' });
  }

  /** Chooses the language before the page starts; it is kept from then on. */
  async speak(page, language) {
    await page.evaluate((l) => localStorage.setItem('furrow.language', l), language);
    await page.reload();
    await this.settled(page);
  }

  /** Changes the language of an open page with its own button. */
  async turn(page, language) {
    const lang = () => page.evaluate(() => document.documentElement.lang);
    if ((await lang()) === language) return;
    await page.locator(`button.fw-language[lang="${language}"]`).click();
    await page.waitForFunction((l) => document.documentElement.lang === l, language);
    await this.settled(page);
  }

  /** Opens a path and waits until what it loads is there. */
  async open(page, path) {
    await page.goto(path);
    await this.settled(page);
  }

  /** Waits until nothing is being loaded and every map on the page has its tiles. */
  async settled(page) {
    await page.waitForLoadState('load');
    await page.locator('.fw-loading').first().waitFor({ state: 'detached', timeout: 30_000 });
    const maps = page.locator('.fw-map');
    for (let i = 0; i < (await maps.count()); i++)
      await page.waitForFunction(
        (n) => {
          const map = document.querySelectorAll('.fw-map')[n];
          if (!map || map.querySelector('.fw-map-failed')) return true;
          const canvas = map.querySelector('.fw-map-canvas');
          return map.dataset.ready === 'true' && canvas.dataset.idle === 'true';
        },
        i,
        { timeout: 30_000 },
      );
    await page.waitForLoadState('networkidle', { timeout: 15_000 }).catch(() => {});
    const problem = page.locator('.fw-problem');
    for (const text of await problem.allInnerTexts())
      this.fault(`${page.url()}: shows a problem: ${text.replaceAll('\n', ' ')}`);
  }

  /** Saves a screenshot as shots/<face>-<name>.png. */
  async shoot(page, name) {
    await page.screenshot({ path: join(shots, `${this.face}-${name}.png`) });
  }

  /** Fails on serious and critical accessibility faults. */
  async axe(page, name) {
    // A button that is just being enabled has the colours of neither state.
    await page.evaluate(() =>
      Promise.allSettled(
        document
          .getAnimations()
          .filter(
            (a) =>
              a.playState === 'running' &&
              a.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY,
          )
          .map((a) => a.finished),
      ),
    );
    // Dialogs of the phone face fade by script, which no list of animations shows.
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.adm-mask, .adm-center-popup-wrap > *')].every(
        (e) => !e.checkVisibility() || Number(getComputedStyle(e).opacity) > 0.999,
      ),
    );
    // No page has frames: without them nothing is gathered in a page of its own.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    for (const v of violations)
      if (['serious', 'critical'].includes(v.impact))
        this.fault(
          `axe ${v.impact} on ${name}: ${v.id}: ${v.nodes
            .slice(0, 3)
            .map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`)
            .join(' | ')}`,
        );
  }

  /** Fails when the page scrolls sideways. */
  async fits(page, name) {
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    this.check(wide <= 0, `${name} is ${wide}px wider than the window`);
  }

  /** What every open page shows, after a test has stopped: its address and a screenshot. */
  async witness() {
    const pages = this.browser.contexts().flatMap((c) => c.pages());
    const seen = [];
    for (const [i, page] of pages.entries()) {
      const name = `stopped-${i}`;
      await this.shoot(page, name).catch(() => {});
      const text = await page.locator('body').innerText({ timeout: 2000 }).catch(String);
      seen.push(`${name} at ${page.url()}: ${text.replace(/\s+/g, ' ').slice(0, 300)}`);
    }
    return seen;
  }

  /** GETs JSON with the page's session. */
  async get(page, path) {
    const response = await page.request.get(`/api/v1${path}`);
    if (!response.ok())
      throw new Error(`GET ${path}: ${response.status()} ${await response.text()}`);
    return response.json();
  }
}

/** Before somebody signs in, the page asks who it is and is told 401. */
function expected(message) {
  return message.location().url.endsWith('/api/v1/session') && message.text().includes('401');
}
