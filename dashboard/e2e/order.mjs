/**
 * An order of directed money that waits for a seller, made through the API where the
 * county has none yet.
 */
import { base, password } from './harness.mjs';

const api = `${base}/api/v1`;
const OPEN = ['submitted', 'deciding', 'offered', 'referred', 'signed', 'active'];

/** A person of the county who asks the API: `(method, path, body, key) => JSON`. */
export async function person(login) {
  const send = async (method, path, body, more = {}) => {
    const response = await fetch(api + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...more },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  };
  const { token } = await send('POST', '/session', { login, password });
  return (method, path, body, key) =>
    send(method, path, body, {
      Authorization: `Bearer ${token}`,
      ...(key ? { 'Idempotency-Key': key } : {}),
    });
}

/** The id of an order that the firm of `login` can confirm now. */
export async function orderFor(login) {
  const seller = await person(login);
  const { items } = await seller('GET', '/anchor/sales?state=submitted');
  if (items.length > 0) return items[0].id;
  const { user } = await seller('GET', '/session');
  const officer = await person('officer01');
  const enrolled = await enrol(officer, user.firm_id);
  const run = Date.now();
  for (let i = 2; i < 40; i++) {
    const buyer = await person(`farmer${String(i).padStart(2, '0')}`);
    const { plots = [], applications } = await buyer('GET', '/farmer/home');
    const busy = (applications ?? []).some((a) => OPEN.includes(a.state));
    if (busy || plots.length === 0) continue;
    const id = await borrow(buyer, officer, plots[0].plot.id, `e2e-${run}-${i}`);
    if (!id) continue;
    const shelf = await buyer('GET', `/farmer/applications/${id}/shelf`);
    const offer = shelf.offers.find((o) => o.in_season && o.sellers.includes(enrolled));
    if (!offer) continue;
    const line = { goods: offer.goods.code, quantity: '20', price: offer.low };
    const order = await buyer(
      'POST',
      '/farmer/purchases',
      { application_id: id, seller_id: enrolled, lines: [line] },
      `e2e-${run}-order`,
    );
    return order.id;
  }
  throw new Error('nobody could order anything');
}

/** The firm as a seller: proposed by one officer, approved by another. */
async function enrol(officer, firm_id) {
  const { items } = await officer('GET', `/officer/sellers?firm_id=${firm_id}&state=enrolled`);
  if (items.length > 0) return items[0].id;
  const seller = await officer('POST', '/officer/sellers', {
    firm_id,
    regions: [],
    categories: ['seed', 'fertiliser', 'pesticide', 'film'],
    account: '6222000011112222',
    bank: '农商银行',
    from: '2026-01-01',
    to: '2036-12-31',
  });
  const operator = await person('operator');
  const second = `e2e${Date.now()}`;
  await operator('POST', '/operator/users', {
    login: second,
    name: '复核员',
    role: 'officer',
    password,
  });
  await (await person(second))('POST', `/officer/sellers/${seller.id}/approve`);
  return seller.id;
}

/** A signed limit for inputs on a plot, or nothing where it was refused. */
async function borrow(buyer, officer, plot, key) {
  const catalogue = await buyer('GET', '/catalogue');
  const product = catalogue.products.find((p) => p.code === 'inputs');
  const parts = ['decision', ...product.evidence.map((n) => n.part)];
  const consents = catalogue.consents
    .filter((c) => c.purpose === 'credit_decision' && parts.includes(c.part))
    .map((c) => ({ part: c.part, text: c.hash['zh-CN'] }));
  const { id } = await buyer(
    'POST',
    '/farmer/applications',
    {
      subject: { kind: 'plot', id: plot },
      product: 'inputs',
      asked: 200_000,
      term_months: 6,
      purpose: 'seed',
      consents,
    },
    key,
  );
  let state = 'submitted';
  for (let i = 0; i < 60 && ['submitted', 'deciding'].includes(state); i++) {
    await new Promise((done) => setTimeout(done, 250));
    ({ state } = (await buyer('GET', `/farmer/applications/${id}`)).application);
  }
  if (state === 'referred')
    ({ state } = await officer('POST', `/officer/applications/${id}/approve`, { note: '同意' }));
  if (state !== 'offered') return undefined;
  const { hash } = await buyer('GET', `/farmer/applications/${id}/contract`);
  await buyer('POST', `/farmer/applications/${id}/sign`, { hash });
  return id;
}
