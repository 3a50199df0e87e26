/**
 * The portal of anchor enterprises: templates, a workbook with bad cells, its errors, the
 * good rows written once, history, undo, suppliers; every page in both languages.
 */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { desktop, languages, phone, run } from './harness.mjs';
import { orderFor } from './order.mjs';
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
  const contract = await send(h, page, 'contracts', contracts());
  const issued = await issue(h, page);
  const batch = await issueFile(h, page);
  const sold = await sell(h, page);
  await bring(h, page);

  const places = [
    ['upload', ''],
    ['history', 'uploads'],
    ['result', `uploads/${first}`],
    ['undone', `uploads/${second}`],
    ['contracts', `uploads/${contract}`],
    ['suppliers', 'suppliers'],
    ['receivables', 'receivables'],
    ['receivables-of-file', `receivables?batch=${batch}&state=proposed`],
    ['receivable', `receivables/${issued}`],
    ['propose', 'receivables/new'],
    ['propose-file', 'receivables/batch'],
    ['holdings', 'holdings'],
    ['pledges', 'receivables/pledges'],
    ['sales', 'sales'],
    ['sale', `sales/${sold}`],
    ['bring', 'bring'],
    ['bring-file', 'bring/file'],
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
  await hold(h, page);
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
  await h.open(page, '/anchor/suppliers?sort=name');
  const rows = page.locator('tbody tr.ant-table-row');
  const [before, total] = (await page.locator('.a-more > span').textContent())
    .match(/\d+/g)
    .map(Number);
  h.check((await rows.count()) === before, 'the list shows another number than it says');
  if (total > before) {
    await page.locator('.a-more button').click();
    await page.waitForFunction(
      (n) => document.querySelectorAll('tbody tr.ant-table-row').length > n,
      before,
    );
  }
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '下载名单' }).click(),
  ]);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n');
  h.check(lines.length === total + 1, `${lines.length - 1} suppliers in the file, not ${total}`);
  await h.open(page, '/anchor/suppliers?q=no-such-supplier');
  await page.getByText('没有符合条件的供应商').waitFor();
}

/** Days from now as a spreadsheet writes them: 2026-05-31. */
function day(from) {
  return new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
}

function contracts() {
  return `\uFEFF合同编号,卖方名称,卖方信用代码,货物名称,金额,签订日期,合同到期日
HT-${run_},青禾种业${run_}有限公司,${creditCode(run_)},种子,128500,2026-03-01,${day(300)}
`;
}

/** Sends a good file of some kind, writes all of it and gives the id of the upload. */
async function send(h, page, kind, text) {
  await h.open(page, `/anchor/?kind=${kind}`);
  await drop(page, `${kind}-${run_}.csv`, Buffer.from(text));
  await page.waitForURL('**/uploads/*');
  await h.settled(page);
  await page.getByRole('button', { name: /^全部入库/ }).click();
  await page.locator('.a-tag[data-state=committed]').waitFor();
  return page.url().split('/').at(-1);
}

/** What is confirmed to be owed becomes a receivable: proposed, confirmed, partly paid. */
async function issue(h, page) {
  await send(
    h,
    page,
    'confirmations',
    `\uFEFF确认单号,卖方名称,卖方信用代码,金额,确认日期,付款到期日
QR-${run_},青禾种业${run_}有限公司,${creditCode(run_)},90000,${day(-1)},${day(120)}
QR-${run_}-2,山泉粮油${run_}有限公司,${creditCode(run_ + 1)},30000,${day(-1)},${day(120)}
`,
  );
  await propose(h, page, `青禾种业${run_}`, `QR-${run_}`, '90,000.00');
  await h.shoot(page, 'proposed-zh-CN');
  await act(h, page, '确认应付', '确认应付');
  await page.locator('h1 [data-state=confirmed]').waitFor();
  await page.getByRole('button', { name: '登记付款' }).click();
  await page.getByLabel('金额（元）').fill('90000.01');
  await page.getByLabel('银行付款流水号').fill(`WIRE-${run_}`);
  await page.locator('.ant-modal').getByRole('button', { name: '登记付款' }).click();
  await page.getByText('最多 ¥90,000.00').waitFor();
  await h.shoot(page, 'pay-zh-CN');
  await h.axe(page, 'dialog of a payment');
  await page.getByLabel('金额（元）').fill('30,000');
  await page.locator('.ant-modal').getByRole('button', { name: '登记付款' }).click();
  await page.locator('.r-sums').getByText('¥60,000.00').waitFor();
  await page.locator('.r-past').getByText(`WIRE-${run_}`).waitFor();
  return page.url().split('/').at(-1);
}

async function propose(h, page, supplier, number, amount) {
  await h.open(page, '/anchor/receivables/new');
  await page.getByRole('button', { name: '开立', exact: true }).click();
  await page.getByText('请填写').first().waitFor();
  await page.getByLabel('供应商').fill(supplier);
  await page.locator('.ant-select-item-option').filter({ hasText: supplier }).first().click();
  const pick = page.locator('.r-picker li').filter({ hasText: number }).first();
  await pick.waitFor();
  await pick.locator('input[type=checkbox]').check();
  const filled = await page.getByLabel('金额（元）', { exact: true }).inputValue();
  h.check(Number(filled) >= Number(amount.replaceAll(',', '')), `the choice fills in ${filled}`);
  h.check(
    (await page.getByLabel('到期日').inputValue()) === day(120),
    'the choice fills in another due date',
  );
  await h.shoot(page, 'propose-picked-zh-CN');
  await h.axe(page, 'documents to choose from');
  await page.getByLabel('金额（元）', { exact: true }).fill(amount);
  await page.getByLabel('到期日').fill(day(100));
  await page.getByRole('button', { name: '开立', exact: true }).click();
  await page.waitForURL(/receivables\/[0-9a-f-]{36}$/);
  await h.settled(page);
  await page.locator('h1 [data-state=proposed]').waitFor();
}

/** Presses an act on the page and, in its dialog, the button that does it. */
async function act(h, page, name, yes) {
  await page.getByRole('button', { name, exact: true }).click();
  const dialog = page.locator('.ant-modal');
  await dialog.waitFor();
  await h.axe(page, `dialog of ${name}`);
  await dialog.getByRole('button', { name: yes }).click();
  await dialog.waitFor({ state: 'detached' });
  await h.settled(page);
}

/** A file of proposals: a wrong one writes nothing, a right one all; then all are confirmed. */
async function issueFile(h, page) {
  const head = '\uFEFF供应商名称,发票号码,金额,到期日,备注\n';
  const good = `山泉粮油${run_}有限公司,QR-${run_}-2,20000,${day(90)},\n`;
  await h.open(page, '/anchor/receivables/batch');
  await drop(page, '开立-错.csv', Buffer.from(`${head}${good}没有的企业${run_},X1,5,,\n`));
  await page.getByText('2 行中有 1 行有错误').waitFor();
  await h.shoot(page, 'batch-bad-zh-CN');
  await h.axe(page, 'file of proposals with errors');
  await drop(page, '开立.csv', Buffer.from(`${head}${good}`));
  await page.getByText('1 行都正确').waitFor();
  await page.getByRole('button', { name: '全部开立' }).click();
  await page.waitForURL(/batch=B/);
  await h.settled(page);
  const id = new URL(page.url()).searchParams.get('batch');
  await page.getByRole('button', { name: '全部确认应付' }).click();
  await page.locator('.ant-popconfirm').getByRole('button', { name: '确定' }).click();
  await page.getByText('已确认 1 张').waitFor();
  await page.locator('td [data-state=confirmed]').waitFor();
  await h.shoot(page, 'batch-confirmed-zh-CN');
  return id;
}

/** An order is confirmed, delivered with a receipt, paid, and a part of it given back. */
async function sell(h, page) {
  const id = await orderFor(login);
  await h.open(page, '/anchor/sales?state=submitted');
  await page.locator(`a[href$="/sales/${id}"]`).click();
  await page.waitForURL(`**/sales/${id}`);
  await h.settled(page);
  await act(h, page, '确认有货', '确认有货');
  await page.locator('h1 [data-state=confirmed]').waitFor();
  await h.shoot(page, 'sale-confirmed-zh-CN');

  await page.getByRole('button', { name: '登记交付', exact: true }).click();
  const dialog = page.locator('.ant-modal');
  await dialog
    .locator('input[type=file]')
    .setInputFiles({ name: '签收单.pdf', mimeType: 'application/pdf', buffer: Buffer.from('abc') });
  await dialog.getByText('ba7816bf8f01cfea414140de5dae2223').waitFor();
  await h.shoot(page, 'deliver-zh-CN');
  await h.axe(page, 'dialog of a delivery');
  await dialog.getByRole('button', { name: '登记交付' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('h1 [data-state=paid]').waitFor();

  await page.getByRole('button', { name: '退款', exact: true }).click();
  await dialog.getByRole('textbox').first().fill('1');
  await dialog.getByLabel('原因').fill('少送一袋');
  await h.shoot(page, 'refund-zh-CN');
  await h.axe(page, 'dialog of a refund');
  await dialog.getByRole('button', { name: '退款' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.r-sums').getByText('¥1.00').waitFor();
  const trail = await page.locator('.r-past').innerText();
  for (const step of ['确认有货', '交付', '付款到账', '开始退款'])
    h.check(trail.includes(step), `the trail of the order lacks ${step}`);
  return id;
}

/** A table of firms with a wrong row says so by cell, and enters nothing. */
async function bring(h, page) {
  await h.open(page, '/anchor/bring/file');
  await drop(
    page,
    '推荐.csv',
    Buffer.from(`\uFEFF借款人,依据类型,依据,产品,申请金额,期限,授权项目,授权书编号,授权日期
nobody${run_},企业,没有的企业,产业链订单贷,50000,6,决策,SQ-${run_},${day(-1)}
`),
  );
  await page.getByText('共 1 行，0 行正确').waitFor();
  await page.locator('.a-table tbody code').getByText('A2').waitFor();
  await h.shoot(page, 'bring-bad-zh-CN');
  await h.axe(page, 'table of firms with errors');
}

/** An anchor that another one owes: accepts, splits, passes on, asks for finance. */
async function hold(h, page) {
  await h.speak(page, 'zh-CN');
  const other = await h.page(desktop);
  await h.signIn(other, '/anchor/', process.env.FURROW_E2E_ANCHOR_2 ?? 'anchor02');
  const { items } = await h.get(other, '/anchor/suppliers');
  const me = items[0].link.buyer;
  await send(
    h,
    page,
    'confirmations',
    `\uFEFF确认单号,卖方名称,金额,确认日期,付款到期日
QZ-${run_},${me},50000,${day(-1)},${day(120)}
`,
  );
  await propose(h, page, me, `QZ-${run_}`, '50000');
  const id = page.url().split('/').at(-1);
  await act(h, page, '确认应付', '确认应付');

  await h.open(other, `/anchor/holdings/${id}`);
  await act(h, other, '签收', '签收');
  const press = async (name, fill) => {
    await other.locator('.r-owners > li').first().getByRole('button', { name }).click();
    const dialog = other.locator('.ant-modal');
    await dialog.waitFor();
    await fill(dialog);
    await h.axe(other, `dialog of ${name}`);
    await dialog.locator('.ant-modal-footer .ant-btn-primary').click();
    await dialog.waitFor({ state: 'detached' });
    await h.settled(other);
  };
  const firm = items.find((s) => s.firm.uscc)?.firm;
  await press('转让', async (dialog) => {
    await dialog.getByLabel('受让企业').fill(firm.uscc);
    await dialog.getByLabel('金额（元）').fill('12000');
  });
  await press('申请融资', (dialog) => dialog.getByLabel('金额（元）').fill('15000'));
  await press('拆分', (dialog) => dialog.getByLabel('第 1 个新部分').fill('8000'));
  const rows = other.locator('.r-owners > li');
  h.check((await rows.count()) === 4, `${await rows.count()} parts are shown, not 4`);
  h.check(
    (await other.locator('.r-owners').innerText()).includes(firm.name),
    'the chain of owners lacks the firm that got a part',
  );
  await h.open(page, `/anchor/receivables/${id}`);
  const small = await h.page(phone, { storageState: await other.context().storageState() });
  for (const [one, path, who] of [
    [other, `holdings/${id}`, 'holding'],
    [page, `receivables/${id}`, 'owners'],
    [small, `holdings/${id}`, 'holding-phone'],
    [other, 'holdings', 'holdings-of-two'],
  ])
    for (const language of languages) {
      await h.open(one, `/anchor/${path}`);
      await h.speak(one, language);
      await h.shoot(one, `${who}-${language}`);
      await h.axe(one, `${who} (${language})`);
      await h.fits(one, `${who} (${language})`);
    }
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
