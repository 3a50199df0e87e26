/**
 * Who is asked to answer for a loan, on the phone: told on the front page, reads for whom,
 * for how much and what it means, keeps the contract as PDF, and signs or declines.
 */
import { languages, password, phone } from './harness.mjs';
import { person } from './order.mjs';

const BUSY = ['signed', 'active'];

/** An offer of a product that asks for a guarantor, to the owner of a firm who has none. */
async function offered(officer) {
  const year = new Date().getFullYear();
  const why = []; // nobody is offered one
  for (let i = 1; i < 9; i++) {
    const owner = await person(`owner${String(i).padStart(2, '0')}`);
    const { firms, applications } = await owner('GET', '/farmer/home');
    const busy = (applications ?? []).find((a) => BUSY.includes(a.state));
    if (!firms?.length || busy) {
      why.push(busy ? `${busy.product} ${busy.state}` : 'no firm');
      continue;
    }
    const { user: me } = await owner('GET', '/session');
    await officer('PUT', `/officer/borrowers/${me.id}`, {
      kind: 'person',
      birth_year: year - 44,
      region: '410725',
      industry: 'A01',
    });
    const { products, consents } = await owner('GET', '/catalogue');
    const agreed = (parts) =>
      consents
        .filter((c) => c.purpose === 'credit_decision' && parts.includes(c.part))
        .map((c) => ({ part: c.part, text: c.hash['zh-CN'] }));
    await owner('POST', '/farmer/consents', { consents: agreed(['bureau']) });
    await officer('POST', `/officer/borrowers/${me.id}/bureau`, {
      at: new Date().toISOString(),
      lenders: 1,
      open_loans: 1,
      balance: 1_200_000,
      monthly_due: 40_000,
      card_limit: 0,
      card_used: 0,
      guaranteed: 0,
      overdue_now: 0,
      worst_overdue_days: 0,
      overdue_months: 0,
      queries_6m: 1,
      oldest_months: 70,
      judgments: 0,
    });
    const product = products.find((p) => p.surety && p.subject_kind === 'firm');
    const parts = ['decision', ...product.evidence.map((e) => e.part)];
    const app = await owner(
      'POST',
      '/farmer/applications',
      {
        subject: { kind: 'firm', id: firms[0].firm.id },
        product: product.code,
        asked: 5_000_000,
        term_months: product.terms[0],
        purpose: '购买加工设备',
        consents: agreed(parts),
      },
      `guarantee-${Date.now()}-${i}`,
    );
    const { state, limit, reasons } = await decided(owner, app.id);
    if (state === 'referred' && limit > 0)
      await officer('POST', `/officer/applications/${app.id}/approve`, {
        note: '实地查看后同意',
      });
    if (state === 'offered' || (state === 'referred' && limit > 0)) return { id: app.id, owner };
    why.push(`${state} ${limit} ${reasons}`);
  }
  throw new Error(
    `no firm of the demo is offered a loan that asks for a guarantor: ${why.join('; ')}`,
  );
}

/** An application as it is once the house has decided on it. */
async function decided(owner, id) {
  for (const began = Date.now(); ; ) {
    const { application, decision } = await owner('GET', `/farmer/applications/${id}`);
    if (!['submitted', 'deciding'].includes(application.state) || Date.now() > began + 30_000)
      return { ...application, reasons: decision?.reasons?.map((r) => r.code) };
    await new Promise((r) => setTimeout(r, 100));
  }
}

export async function guarantee(h, yes, no) {
  const officer = await person('officer01');
  const { id, owner } = await offered(officer);
  const named = (login) =>
    officer('POST', `/officer/applications/${id}/guarantors`, { guarantors: [{ user_id: login }] });
  const signed = async () => {
    const { hash } = await owner('GET', `/farmer/applications/${id}/contract`);
    return owner('POST', `/farmer/applications/${id}/sign`, { hash });
  };
  const look = async (page, name) => {
    await h.settled(page);
    await h.shoot(page, name);
    await h.axe(page, name);
    await h.fits(page, name);
  };

  await named(no);
  const first = await h.page(phone, { hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  await h.signIn(first, `/farmer/guarantees/${id}`, no); // the link that the officer sends
  await first.locator('[data-testid=guarantee][data-state=waits]').waitFor();
  await look(first, 'guarantee-waits-zh-CN');
  await first.locator('.f-field input').fill('今年自己也要借');
  await first.locator('[data-testid=decline]').tap();
  await first.locator('.adm-dialog-button').last().tap();
  await first.locator('[data-testid=guarantee][data-state=declined]').waitFor();
  await first.context().close();
  const { application, sureties } = await owner('GET', `/farmer/applications/${id}`);
  h.check(
    application.state === 'referred' && sureties[0]?.reason === '今年自己也要借',
    `after a no: ${application.state} ${JSON.stringify(sureties)}`,
  );

  await named(yes);
  await officer('POST', `/officer/applications/${id}/approve`, { note: '另有担保人' });
  const half = await signed();
  h.check(half.state === 'accepted', `without the guarantor it is ${half.state}`);
  const page = await h.page(phone, { hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  await page.request.post('/api/v1/session', { data: { login: yes, password } });
  await h.open(page, '/farmer/');
  await look(page, 'guarantee-home-zh-CN');
  await page.locator(`a[href$="/guarantees/${id}"]`).tap();
  await page.locator('[data-testid=guarantee][data-state=ready]').waitFor();
  for (const language of [...languages].reverse()) {
    await h.speak(page, language);
    await page.locator('.f-contract').waitFor();
    await look(page, `guarantee-${language}`);
  }
  const file = page.waitForEvent('download');
  await page.locator('.f-part > .adm-button').first().tap();
  h.check((await file).suggestedFilename().endsWith('.pdf'), 'the contract is no PDF');
  const sign = page.locator('.f-foot button');
  h.check(await sign.isDisabled(), 'it can be signed without the declaration');
  await page.locator('main button.fw-button.f-big').tap(); // to the end
  await page.locator('.f-consent').tap();
  await sign.tap();
  await page.locator('[data-testid=evidence]').waitFor();
  await page.locator('.adm-toast-main').waitFor({ state: 'detached' });
  await look(page, 'guarantee-signed-zh-CN');
  const { items } = await h.get(page, `/farmer/applications/${id}/signatures`);
  const last = items.at(-1);
  h.check(
    last?.party === 'guarantor' &&
      last.consents.length === 1 &&
      last.seen.read_to_end &&
      last.device,
    `the evidence of the guarantor: ${JSON.stringify(last)}`,
  );
  const after = await owner('GET', `/farmer/applications/${id}`);
  h.check(
    after.application.state === 'signed',
    `with all signatures it is ${after.application.state}`,
  );
  await owner('POST', `/farmer/applications/${id}/withdraw`); // for the next run
  await page.context().close();
}
