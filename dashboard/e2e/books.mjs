/** The officer's books: ledger, funders, collateral, sellers, payments, reconciliation. */
import { phone } from './harness.mjs';

/** Every page of the books by name, and a page of one of each kind there is. */
async function pages(h, page) {
  const first = async (path) => (await h.get(page, path)).items?.[0];
  const loan = await first('/officer/loans');
  const pool =
    (await first('/officer/collateral?called=true')) ?? (await first('/officer/collateral'));
  return [
    ['ledger', 'ledger'],
    ['journal', `ledger/journal?item=${loan.id}`],
    ['ledger-account', 'ledger/accounts/cash'],
    ['fees', 'ledger/fees'],
    ['periods', 'ledger/periods'],
    ['funds', 'funds'],
    ['funder', 'funds/county_interest'],
    ['collaterals', 'collateral'],
    ['collateral', `collateral/${pool.pool.application_id}`],
    ['sellers', 'sellers'],
    ['purchases', 'purchases'],
    ['trace', `loans/${loan.id}/trace`],
    ['payments', 'payments'],
    ['statements', 'statements'],
  ].map(([name, path]) => [name, `/officer/${path}`]);
}

/** Pages whose pictures and forms fold on a phone. */
const dense = new Set(['ledger', 'funds', 'collateral', 'statements']);

/** Each page once at a desk in Chinese and once on a phone in English. */
export async function books(h, page) {
  await h.speak(page, 'zh-CN');
  const places = await pages(h, page);
  for (const [name, path] of places) {
    await h.open(page, path);
    await h.shoot(page, `${name}-zh-CN`);
    await h.axe(page, `${name} (zh-CN)`);
  }
  await verify(h, page);
  await plan(h, page);
  await amend(h, page);
  await compare(h, page);
  const small = await h.page(phone, { storageState: await page.context().storageState() });
  await small.goto('/officer/ledger');
  await h.speak(small, 'en');
  for (const [name, path] of places) {
    await h.open(small, path);
    await h.fits(small, `${name} at 360x640`);
    if (dense.has(name)) await h.axe(small, `${name} (en)`);
    await h.shoot(small, `${name}-en-phone`);
  }
  await small.context().close();
}

/** The trial balance is even, and the book is sound when it is made again. */
async function verify(h, page) {
  await h.open(page, '/officer/ledger');
  h.check((await page.locator('.trial tbody tr').count()) > 3, 'the trial balance lacks accounts');
  h.check(await page.locator('[data-even=true]').count(), 'the trial balance is not even');
  const trial = await h.get(page, '/officer/ledger/trial');
  const sum = await page.locator('.trial tfoot td').first().textContent();
  // Work goes on: the page may be a little older than the answer.
  h.check(/^¥[\d,]+\.\d\d$/.test(sum) && trial.debits === trial.credits, `the sum is ${sum}`);
  await page.getByRole('button', { name: '立即核对' }).click();
  const verdict = page.locator('.book-verdict');
  await verdict.waitFor({ timeout: 30_000 });
  h.check(
    (await verdict.getAttribute('data-sound')) === 'true',
    `the book is not sound: ${await verdict.textContent()}`,
  );
  await h.axe(page, 'the verdict on the book');
  await h.shoot(page, 'ledger-verified');
}

/** Whether a thing may leave is told as soon as it is chosen, and nothing is done yet. */
async function plan(h, page) {
  const { items } = await h.get(page, '/officer/collateral?open=true');
  const open = items.find((x) => x.cover.assets > 0);
  if (!open) return h.fault('no application has collateral');
  await h.open(page, `/officer/collateral/${open.pool.application_id}`);
  await page.getByRole('button', { name: '部分释放' }).click();
  await page.locator('.ant-modal input[type=checkbox]').first().check();
  await page.locator('.ant-modal .book-verdict').waitFor();
  await h.axe(page, 'to release collateral');
  await page.keyboard.press('Escape');
  await page.locator('.ant-modal').waitFor({ state: 'detached' });
  for (const [act, ready] of [
    ['追加押品', '.ant-select'],
    ['处置', 'input[type=date]'],
    ['登记入册', 'input[type=date]'],
  ]) {
    await page.getByRole('button', { name: act, exact: true }).click();
    await page.locator(`.ant-modal ${ready}`).first().waitFor();
    await h.axe(page, `to ${act}`);
    await h.shoot(page, `collateral-${act}`);
    await page.keyboard.press('Escape');
    await page.locator('.ant-modal').waitFor({ state: 'detached' });
  }
}

/** Other terms of a seller are asked with those of now filled in. */
async function amend(h, page) {
  await h.open(page, '/officer/sellers');
  await page.getByRole('button', { name: /^变更/ }).first().click();
  await page.locator('.ant-modal input[type=checkbox]:checked').first().waitFor();
  await h.axe(page, 'other terms of a seller');
  await h.shoot(page, 'seller-amend');
  await page.keyboard.press('Escape');
  await page.locator('.ant-modal').waitFor({ state: 'detached' });
}

/** A statement with a line that the house does not know shows it under its kind. */
async function compare(h, page) {
  await h.open(page, '/officer/statements');
  const day = '2020-01-02';
  await page.locator('input[type=date]').fill(day);
  await page.locator('input[type=file]').setInputFiles({
    name: 'bank.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`date,direction,amount,order_id,ref\n${day},in,12.50,,B1\n`),
  });
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(`**/statements/${day}`);
  const panel = page.locator('.panel', { hasText: '银行有、本行无' });
  await panel.waitFor();
  await h.axe(page, 'the differences of a day');
  await h.shoot(page, 'statement');
  await panel.getByRole('button', { name: '说明' }).click();
  await page.locator('.ant-modal textarea').fill('试算');
  await page.locator('.ant-modal .ant-btn-primary').click();
  await panel.locator('.pill-good').waitFor();
}
