/**
 * The officer's policies and models: a draft written in its tables, tried, kept, handed in,
 * and refused to its own author; a fitted model, which a second person looks at.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { desktop } from './harness.mjs';

/** Pages for the list of the officer's test. */
export const policyPages = [
  ['policies', 'policies'],
  ['policy', 'policies/plot'],
  ['policy-new', 'policies/plot/new'],
  ['policy-text', 'policies/plot/new?view=text'],
  ['models', 'models'],
];

/** Writes a draft of the farmers' policy and brings it to review. */
export async function policies(h, page) {
  await h.speak(page, 'zh-CN');
  await h.open(page, '/officer/policies/plot/new');
  const version = page.getByLabel('基本信息，第 2 行，值');
  await version.fill(`e2e.${Date.now()}`);
  await version.press('Enter');
  const bp = page.getByLabel('系数 plot.confidence，第 2 行，基点');
  await bp.fill('1000');
  await bp.press('Enter');
  await page.locator('.unsaved').waitFor();

  await page.locator('.bench .ant-btn-primary').click();
  await page.locator('.tried').waitFor({ timeout: 20_000 });
  h.check(await page.locator('.tried-reasons li').count(), 'the bench tells no reasons');
  h.check(await page.locator('.bars li').count(), 'the bench draws no limits');
  await h.shoot(page, 'policy-tried');
  await h.axe(page, 'the test bench');

  await page.locator('.crumbs a').last().click();
  await page.locator('.ant-modal-confirm').waitFor();
  await h.axe(page, 'the question about unsaved changes');
  await page.locator('.ant-modal-confirm .ant-btn').first().click();
  await page.locator('.ant-modal-confirm').waitFor({ state: 'detached' });

  h.tolerate(/status of 4(03|22|00)/);
  const when = page.getByLabel('规则，第 1 行，条件');
  const meant = await when.inputValue();
  await when.fill('no_such_name > 1');
  await when.press('Enter');
  await save(page, '写错一个名称');
  await page.locator('.problems button').first().click();
  await page.locator('.text-wrong').first().waitFor();
  await h.shoot(page, 'policy-problem');
  await h.axe(page, 'a mistake at its place');
  await page.getByRole('button', { name: '表格', exact: true }).click();
  await when.fill(meant);
  await when.press('Enter');
  await save(page, '降低放款成数');
  await page.waitForURL(/policies\/plot\/[0-9a-f-]{36}/);
  await h.settled(page);
  h.check(!(await page.locator('.unsaved').count()), 'a kept draft counts as unsaved');

  await page.locator('.back-test .ant-btn-primary').click();
  await page.locator('.back-test .matrix').waitFor({ timeout: 60_000 });
  h.check(
    await page.locator('.back-test tr[data-key]').count(),
    'a tenth is counted and nobody changes',
  );
  await page.locator('.back-test').scrollIntoViewIfNeeded();
  await h.shoot(page, 'policy-back-test');
  await h.axe(page, 'a back-test');

  await page.getByRole('button', { name: '提交复核' }).click();
  await say(page, '请复核');
  await page.getByRole('button', { name: '复核通过' }).click();
  await say(page, '我自己看过');
  const refused = page.locator('.ant-modal .fw-problem');
  await refused.waitFor();
  h.check(
    /另一人/.test(await refused.textContent()),
    'the author may review, or is not told why not',
  );
}

const furrow = fileURLToPath(new URL('../../bin/furrow', import.meta.url));

/** A model that the command line fits to 400 farmers, of whom the young and the poor fields fail. */
function fitted(name) {
  const dir = mkdtempSync(join(tmpdir(), 'furrow-model-'));
  try {
    const rows = Array.from({ length: 400 }, (_, i) => {
      const [age, vigour] = [20 + ((i * 37) % 50), ((i * 61) % 100) / 100];
      return `${age},${vigour},${(i * 13) % 10 < (age < 35 ? 4 : 1) + (vigour < 0.4 ? 3 : 0) ? 1 : 0}`;
    });
    writeFileSync(join(dir, 'farmers.csv'), `age,vigour,bad\n${rows.join('\n')}\n`);
    const file = join(dir, 'model.json');
    execFileSync(
      furrow,
      ['score', 'fit', '--data', 'farmers.csv', '--target', 'bad', '--name', name, '--model', file],
      { cwd: dir, stdio: 'pipe' },
    );
    return readFileSync(file);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A model is registered by one person, looked at and put to use by another, and retired. */
export async function models(h, page) {
  await h.speak(page, 'zh-CN');
  await h.open(page, '/officer/models');
  const name = `e2e-${Date.now()}`;
  const form = page.locator('form.small-form');
  await form.locator('input[type=file]').setInputFiles({
    name: 'model.json',
    mimeType: 'application/json',
    buffer: fitted(name),
  });
  await page.getByLabel('负责人').fill('风控部');
  await form.getByRole('button', { name: '登记模型' }).click();
  await page.waitForURL(/models\/e2e-/);
  await h.settled(page);
  await h.shoot(page, 'model-draft');
  await h.axe(page, 'a model that waits for its review');
  const state = (p) => p.locator('.page-head .lead').textContent();
  const turn = async (p, step) => {
    await p.getByRole('button', { name: step }).click();
    await p.locator('.ant-popover .ant-btn-primary').click();
    await p.locator('.ant-popover').waitFor({ state: 'hidden' });
  };
  await turn(page, '提交复核');
  h.tolerate(/status of 403/);
  await page.getByRole('button', { name: '复核通过' }).click();
  await say(page, '我自己看过');
  const refused = page.locator('.ant-modal .fw-problem');
  await refused.waitFor();
  h.check(/另一人/.test(await refused.textContent()), 'who adds a model may review it');

  const other = await h.page(desktop);
  await h.signIn(other, new URL(page.url()).pathname, 'officer02');
  await other.getByRole('button', { name: '复核通过' }).click();
  await say(other, '样本与分箱都看过');
  await other.locator('.ant-modal').waitFor({ state: 'detached' });
  await turn(other, '启用');
  await other.getByRole('button', { name: '启用' }).waitFor({ state: 'detached' });
  h.check(/在用/.test(await state(other)), `a published model is called ${await state(other)}`);
  h.check(
    /样本与分箱都看过/.test(await other.locator('.steps').textContent()),
    'the review is not in the history',
  );
  await turn(other, '退役');
  await other.getByText('已退役').first().waitFor();
  await other.context().close();
}

async function save(page, note) {
  await page.getByRole('button', { name: '保存草稿' }).first().click();
  await say(page, note);
  await page.locator('.ant-modal').waitFor({ state: 'detached' });
}

async function say(page, note) {
  await page.locator('.ant-modal textarea').fill(note);
  await page.locator('.ant-modal .ant-btn-primary, .ant-modal .ant-btn-dangerous').last().click();
}
