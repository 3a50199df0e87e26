/**
 * The portal of anchor enterprises: templates, a workbook with bad cells, its errors, the
 * good rows written once, history, undo, suppliers; every page in both languages.
 */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { desktop, languages, phone, run } from './harness.mjs';
import { creditCode, xlsx } from './xlsx.mjs';

const login = process.env.FURROW_E2E_ANCHOR ?? 'anchor01';
const kinds = [
  'suppliers',
  'contracts',
  'orders',
  'deliveries',
  'invoices',
  'payments',
  'confirmations',
];
const run_ = Date.now() % 10_000_000; // so that a second run brings new rows

/** Three good rows and three bad cells: B5 wrong check character, A6 no name, D7 no such day. */
const suppliers = xlsx([
  ['供应商名称', '统一社会信用代码', '联系电话', '合作开始日期'],
  [`青禾种业${run_}有限公司`, creditCode(run_), '0539-5550101', '2024-03-01'],
  [`山泉粮油${run_}有限公司`, creditCode(run_ + 1), '0539-5550102', '２０２４／０５／０１'],
  [`丰年农机${run_}有限公司`, creditCode(run_ + 2), '0539-5550103', '2025-01-15'],
  [`错码商行${run_}有限公司`, wrong(creditCode(run_ + 3)), '0539-5550104', '2025-01-15'],
  ['', creditCode(run_ + 4), '0539-5550105', '2025-01-15'],
  [`错日商行${run_}有限公司`, creditCode(run_ + 5), '0539-5550106', '2026-02-30'],
]);

const invoices = `\uFEFF发票号码,卖方名称,卖方信用代码,货物名称,金额,开票日期
2637${run_}01,青禾种业${run_}有限公司,${creditCode(run_)},种子,"128,500.00",2026-03-01
2637${run_}02,山泉粮油${run_}有限公司,${creditCode(run_ + 1)},大豆油,９６０００,2026-04-02
`;

/** The code with its check character replaced by another one. */
function wrong(code) {
  return code.slice(0, -1) + (code.at(-1) === '0' ? '1' : '0');
}

await run('anchor', async (h) => {
  const page = await h.page(desktop);
  await page.goto('/anchor/');
  await h.settled(page);
  await h.shoot(page, 'signin-zh-CN');
  await h.axe(page, 'signin');
  await h.signIn(page, '/anchor/', login);

  await templates(h, page);
  await refused(h, page);
  const first = await badRows(h, page);
  await again(h, page);
  const second = await invoicesAndUndo(h, page);
  await suppliersPage(h, page);

  const places = [
    ['upload', ''],
    ['history', 'uploads'],
    ['result', `uploads/${first}`],
    ['undone', `uploads/${second}`],
    ['suppliers', 'suppliers'],
    ['missing', 'no-such-page'],
  ];
  for (const language of languages) {
    await h.speak(page, language);
    for (const [name, path] of places) {
      await h.open(page, `/anchor/${path}`);
      await h.shoot(page, `${name}-${language}`);
      await h.axe(page, `${name} (${language})`);
      await h.fits(page, `${name} (${language}) at 1440x900`);
      h.check(/\S+ · /.test(await page.title()), `${name} has no title of its own`);
    }
  }
  const small = await h.page(phone, { storageState: await page.context().storageState() });
  for (const [name, path] of places) {
    await h.open(small, `/anchor/${path}`);
    await h.fits(small, `${name} at 360x640`);
    await h.shoot(small, `${name}-phone`);
  }
});

/** Every kind has a template that the server takes back. */
async function templates(h, page) {
  await h.open(page, '/anchor/');
  for (const kind of kinds) {
    await h.open(page, `/anchor/?kind=${kind}`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('a[download]').click(),
    ]);
    h.check(file.suggestedFilename() === `${kind}.xlsx`, `template of ${kind} has another name`);
    const bytes = await readFile(await file.path());
    h.check(bytes.subarray(0, 2).toString() === 'PK', `template of ${kind} is no workbook`);
  }
}

/** What never becomes an upload: wrong kind of file, empty, too large, damaged. */
async function refused(h, page) {
  await h.open(page, '/anchor/');
  const give = (name, buffer) =>
    page
      .locator('input[type=file]')
      .setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  const told = page.locator('main [role=alert]');
  for (const [name, buffer] of [
    ['供应商.txt', Buffer.from('a')],
    ['空.csv', Buffer.alloc(0)],
  ]) {
    await give(name, buffer);
    await told.filter({ hasText: name }).waitFor();
  }
  // A file this large is given by its path, and holds nothing but a hole.
  const folder = await mkdtemp(join(tmpdir(), 'furrow-e2e-'));
  const large = join(folder, '大.xlsx');
  await writeFile(large, '');
  await truncate(large, 128 * 1024 * 1024 + 1);
  await page.locator('input[type=file]').setInputFiles(large);
  await told.filter({ hasText: '大.xlsx' }).waitFor();
  await rm(folder, { recursive: true });
  await h.shoot(page, 'too-big-zh-CN');
  h.tolerate(/status of 422/); // the browser's own note of the answer
  await give('坏.xlsx', suppliers.subarray(0, 400));
  await page.locator('.fw-problem').waitFor();
  h.check(
    /[\u4e00-\u9fff]/.test(await page.locator('.fw-problem p').first().textContent()),
    'a damaged workbook is not explained',
  );
  await h.shoot(page, 'damaged-zh-CN');
}

/** Drops the workbook, reads its errors, keeps the bad rows, writes the good ones. */
async function badRows(h, page) {
  await h.open(page, '/anchor/?kind=suppliers');
  await drop(page, `供应商-${run_}.xlsx`, suppliers);
  await page.waitForURL('**/uploads/*');
  await h.settled(page);
  const count = async (name) =>
    Number(await page.locator(`[data-count=${name}] b`).first().textContent());
  h.check((await count('rows')) === 6, `the workbook has ${await count('rows')} rows, not 6`);
  h.check((await count('good')) === 3, `${await count('good')} rows are good, not 3`);
  h.check((await count('bad')) === 3, `${await count('bad')} rows are bad, not 3`);
  const cells = await page.locator('.a-table tbody code').allTextContents();
  for (const cell of ['B5', 'A6', 'D7'])
    h.check(cells.includes(cell), `no error is shown for cell ${cell}, only for ${cells}`);
  await h.shoot(page, 'checked-zh-CN');
  await h.axe(page, 'result with errors');

  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '下载错误行' }).click(),
  ]);
  h.check(file.suggestedFilename() === `供应商-${run_}-错误行.xlsx`, 'the error file has no name');
  const bytes = await readFile(await file.path());
  h.check(bytes.subarray(0, 2).toString() === 'PK', 'the error file is no workbook');

  await page.getByRole('button', { name: '只入库正确的 3 行' }).click();
  await page.locator('.a-tag[data-state=committed]').waitFor();
  await h.open(page, '/anchor/uploads');
  const row = page.locator('tbody tr').filter({ hasText: `供应商-${run_}.xlsx` });
  h.check((await row.locator('[data-state=committed]').count()) === 1, 'history lacks the upload');
  await row.getByRole('link').click();
  await page.waitForURL('**/uploads/*');
  await h.settled(page);
  return page.url().split('/').at(-1);
}

/** The same file again changes nothing and says so. */
async function again(h, page) {
  await h.open(page, '/anchor/?kind=suppliers');
  await drop(page, `供应商-${run_}-again.xlsx`, suppliers);
  await page.waitForURL('**/uploads/*');
  await h.settled(page);
  const known = await page.locator('[data-count=known] b').first().textContent();
  h.check(known === '3', `a second upload knows ${known} rows, not 3`);
  await page.locator('.a-notice').filter({ hasText: '上传过' }).waitFor();
  await h.shoot(page, 'again-zh-CN');
}

/** Invoices as CSV with full-width digits: written, then taken back, then written for good. */
async function invoicesAndUndo(h, page) {
  const send = async () => {
    await h.open(page, '/anchor/?kind=invoices');
    await drop(page, `发票-${run_}.csv`, Buffer.from(invoices));
    await page.waitForURL('**/uploads/*');
    await h.settled(page);
    await page.getByRole('button', { name: '全部入库（2 行）' }).click();
    await page.locator('.a-tag[data-state=committed]').waitFor();
    return page.url().split('/').at(-1);
  };
  const id = await send();
  await page.getByRole('button', { name: '撤销入库' }).click();
  await page.locator('.ant-popconfirm').getByRole('button', { name: '确定' }).click();
  await page.locator('.a-tag[data-state=undone]').waitFor();
  await send();
  return id;
}

/** The new supplier stands in the list with what it invoiced. */
async function suppliersPage(h, page) {
  await h.open(page, '/anchor/suppliers');
  await page.locator('input[type=search], .ant-input-search input').first().fill(`青禾种业${run_}`);
  await page.keyboard.press('Enter');
  const row = page.locator('tbody tr').filter({ hasText: `青禾种业${run_}` });
  await row.waitFor();
  h.check(
    (await row.textContent()).includes('128,500.00'),
    'the supplier lacks its invoiced amount',
  );
  h.check(page.url().includes('q='), 'the search is not in the address');
}

/** Drops a file on the upload area as a mouse would. */
async function drop(page, name, buffer) {
  const data = await page.evaluateHandle(
    ([file, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], file));
      return transfer;
    },
    [name, buffer.toString('base64')],
  );
  await page.locator('.ant-upload-drag .ant-upload').first().dispatchEvent('drop', {
    dataTransfer: data,
  });
}
