/** What officers do to a loan: one proposes a waiver, another approves it. */
import { desktop } from './harness.mjs';

/**
 * On a loan that goes out in parts: an inspection counts when a second person confirms it, and
 * a fee that one officer charges is let off by two; the schedule follows.
 */
export async function servicing(h, page) {
  await h.speak(page, 'zh-CN');
  const { items } = await h.get(page, '/officer/loans?limit=200');
  const loan = items.find((l) => l.state === 'active' && l.tranches?.length);
  if (!loan) return h.fault('no loan in parts runs');
  const path = `/officer/loans/${loan.id}`;
  const waived = async () =>
    (await h.get(page, path)).schedule.reduce((sum, row) => sum + row.waived, 0);
  await h.open(page, path);

  // Nobody has seen the crop of the second part but this officer, which is not enough.
  await page.locator('.tranches button').first().click();
  await page.locator('.ant-modal textarea').fill('e2e');
  await page.locator('.ant-modal .ant-btn-primary').click();
  await page.locator('.ant-modal textarea').waitFor({ state: 'hidden', timeout: 20_000 });
  await page.locator('.tranches q').waitFor();
  const inspected = async () => {
    const { items: parts } = await h.get(page, `${path}/tranches`);
    return parts[1].inspections.at(-1);
  };
  h.check(!(await inspected()).second, 'an inspection counts without a second person');
  h.check(
    !(await page.locator('.tranches .ant-btn-primary').count()),
    'who inspected is offered to confirm it',
  );

  await act(page, 'charge', async (dialog) => {
    await dialog.getByLabel('金额（元）').fill('150');
    await dialog.getByLabel('名称').fill('查询费');
    await dialog.getByLabel('应还日').fill(loan.next_due || loan.day_end);
  });
  await page.locator('.act-dialog .ant-btn-primary').click();
  await page.locator('.act-dialog').waitFor({ state: 'detached', timeout: 20_000 });
  const { events } = await h.get(page, path);
  const fee = events.findLast((e) => e.event.kind === 'charge');
  h.check(fee?.event.amount === 15_000, 'a fee that one may charge is not booked');

  const before = await waived();
  await act(page, 'waive', async (dialog) => {
    await dialog.getByLabel('针对费用').selectOption(fee.event.id);
  });
  const reason = page.locator('.act-reason textarea');
  await reason.waitFor();
  await h.axe(page, 'a waiver before it is proposed');
  await h.shoot(page, 'waiver-preview');
  await reason.fill('e2e');
  await page.locator('.act-dialog .ant-btn-primary').click();
  await page.locator('.act-dialog').waitFor({ state: 'detached', timeout: 20_000 });
  h.check((await waived()) === before, 'a proposal changes the schedule before it is approved');
  await page.locator('[data-proposal]').first().waitFor();
  h.check(
    !(await page.locator('[data-proposal] .ant-btn-primary').count()),
    'who proposes is offered to approve',
  );

  const other = await h.page(desktop);
  await h.signIn(other, '/officer/proposals', 'officer02');
  await other.locator('[data-proposal] .ant-btn-primary').first().click();
  await other.locator('.ant-modal textarea').fill('e2e');
  await other.locator('.ant-modal .ant-btn-primary').click();
  await other.locator('.ant-modal textarea').waitFor({ state: 'hidden', timeout: 20_000 });
  await h.open(other, path);
  await other.locator('.tranches .ant-btn-primary').click();
  await other.getByText('确认后生效').waitFor({ state: 'detached', timeout: 20_000 });
  h.check((await inspected()).second_name, 'a second person cannot confirm an inspection');
  await h.shoot(other, 'loan-in-parts');
  await other.context().close();
  h.check((await waived()) === before + 15_000, 'an approved waiver does not change the schedule');
  await h.open(page, path);
  const rows = await page.locator('.loan-rows').textContent();
  h.check(rows.includes('减免 ¥150.00'), 'the schedule does not show what was waived');
  const second = await page.locator('.loan-events').textContent();
  h.check(second.includes('复核'), 'the history does not name the second person');
  await h.shoot(page, 'loan-waived');
}

/** Opens an act of the loan, fills it in and looks at its preview. */
async function act(page, kind, fill) {
  await page.locator(`[data-act=${kind}]`).click();
  const dialog = page.locator('.act-dialog');
  await dialog.waitFor();
  await fill(dialog);
  await dialog.locator('form button[type=submit]').click();
  await page.locator('.act-preview').waitFor({ timeout: 20_000 });
}

/** A file is held against what was signed: each check is told, and one changed byte is found. */
export async function contracts(h, page) {
  await h.speak(page, 'zh-CN');
  const { items } = await h.get(page, '/officer/loans?limit=1');
  const application = items[0].application_id;
  const answer = await page.request.get(`/api/v1/officer/applications/${application}/contract.pdf`);
  const file = await answer.body();
  const changed = Buffer.from(file);
  changed[changed.length >> 1] ^= 1;
  await h.open(page, '/officer/contracts/verify');
  const check = async (body) => {
    await page.locator('.verify input[type=file]').setInputFiles({
      name: 'contract.pdf',
      mimeType: 'application/pdf',
      buffer: body,
    });
    await page.locator('.verify button[type=submit]').click();
    await page.locator('[data-genuine]').waitFor({ timeout: 20_000 });
    return page.locator('[data-genuine]').getAttribute('data-genuine');
  };
  h.check((await check(changed)) === 'false', 'a contract with another byte is called genuine');
  h.check(
    (await page.locator('[data-check=signed]').getAttribute('data-holds')) === 'false',
    'it is not said that the bytes are others',
  );
  h.check((await check(file)) === 'true', 'the contract that was signed is not called genuine');
  h.check(
    (await page.locator('[data-holds=true]').count()) === 6,
    'not every check of a genuine contract holds',
  );
  await h.axe(page, 'a contract that was checked');
  await h.shoot(page, 'contract-verified');
}
