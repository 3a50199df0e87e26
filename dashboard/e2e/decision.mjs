/**
 * Parts of a decision that not every bank's policy gives, put into the answer of the API on
 * its way to the page, so that the pictures of them are looked at as well: scores by
 * dimension, what each rule allows, what would raise the limit, where evidence comes from.
 */

const model = (dimension, points, pd, feature) => ({
  model: `${dimension || 'whole'}@2026.1:0011223344556677`,
  dimension,
  points,
  pd,
  pd_low: pd * 0.6,
  pd_high: pd * 1.7,
  reasons: [
    { feature, bin: '[0, 3)', points: 24.5 },
    { feature: 'bureau_queries_6m', bin: 'missing', points: 8 },
  ],
});

const allowance = (code, message, yuan, binding = false) => ({
  code,
  message,
  amount: yuan * 100,
  binding,
});

/** Six months from this one on, about a mean. */
const months = (mean) =>
  Array.from({ length: 6 }, (_, i) => {
    const day = new Date();
    day.setUTCDate(1);
    day.setUTCMonth(day.getUTCMonth() + i);
    return {
      month: day.toISOString().slice(0, 7),
      low: Math.round(mean * (0.8 - 0.03 * i)),
      middle: Math.round(mean * (1 + 0.02 * i)),
      high: Math.round(mean * (1.25 + 0.06 * i)),
    };
  });

const source = (part, from, more = {}) => ({
  part,
  from,
  version: '2026.1',
  at: new Date().toISOString(),
  uncertainty: 0.2,
  ...more,
});

/** The detail of an application with every part that can be drawn; `words` are of the reader. */
export function full(detail, words) {
  const limit = detail.decision.limit / 100;
  const mean = (detail.evidence?.standing?.invoiced_12m ?? 0) / 12;
  return {
    ...detail,
    decision: {
      ...detail.decision,
      allowances: [
        allowance('capacity', words[0], limit * 1.4),
        allowance('evidence', words[1], limit, true),
        allowance('regulation', words[2], limit * 40),
      ],
      raises: [{ code: 'raise.flows', effect: 'raise', message: words[3], amount: 2_000_000 }],
      scores: [
        model('', 612, 0.021, 'active_months'),
        model('owner', 640, 0.012, 'worst_overdue'),
        model('firm', 590, 0.034, 'recent'),
        model('industry', 560, 0.071, 'anchor_share'),
        model('enhancement', 655, 0.008, 'anchor_tier'),
      ],
    },
    evidence: {
      ...detail.evidence,
      turnover: {
        status: 'known',
        history: 14,
        method: 'ets+theta',
        months: months(mean || 20_000_000),
      },
      bureau: {
        at: '2026-05-01T00:00:00Z',
        lenders: 2,
        open_loans: 3,
        balance: 12_000_000,
        monthly_due: 310_000,
        card_limit: 5_000_000,
        card_used: 1_200_000,
        guaranteed: 0,
        overdue_now: 0,
        worst_overdue_days: 4,
        overdue_months: 1,
        queries_6m: 2,
        oldest_months: 61,
        judgments: 0,
      },
      bank: {
        at: '2026-05-31T00:00:00Z',
        months: [{ month: '2026-05', in: 9_000_000, out: 8_100_000, low: 310_000, returned: 0 }],
      },
      exposure: {
        household: 8_000_000,
        group: 8_000_000,
        anchor: 96_000_000,
        product: 640_000_000,
        region: 2_900_000_000,
        total: 2_900_000_000,
      },
      sources: [
        source('applicant', 'this bank', { uncertainty: 0 }),
        source('standing', `upload ${'0a1b2c3d'.repeat(8)}`),
        source('turnover', "forecast of the firm's sales", { uncertainty: 0.45 }),
        { part: 'bureau', from: '', version: '', uncertainty: 1, missing: 'no_consent' },
      ],
      consents: [
        {
          id: 'c1',
          purpose: 'credit_decision',
          part: 'standing',
          text: 'ab'.repeat(32),
          given_at: '2026-05-20T08:00:00Z',
        },
      ],
    },
  };
}

/** What the made-up rules say, in the language of the reader. */
export const words = {
  'zh-CN': ['按预计收入能还的', '按证据价值放款', '法规规定的上限', '补齐付款凭证，可证实更多销售'],
  en: [
    'What the expected income can repay',
    'What the evidence is worth',
    'What the law allows',
    'Payment papers would prove more sales',
  ],
};

/** Has the page see application `id` with all parts in a language. */
export async function filled(page, face, id, language) {
  await page.unroute(`**/api/v1/${face}/applications/${id}`);
  await page.route(`**/api/v1/${face}/applications/${id}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: full(await answer.json(), words[language]) });
  });
}
