import type { Evidence, Exposures } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import './texts';

/** What the bureau, the accounts and the other loans tell, each when it was read. */
export function HistoryPanel(props: { evidence: Evidence }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const { bureau: b, bank, exposure: x } = props.evidence;
  if (!b && !bank && !x) return null;
  return (
    <Panel title={t('background')}>
      {b ? (
        <section className="part">
          <h3>
            {t('bureau.title')} <span className="fw-muted">{f.date(b.at)}</span>
          </h3>
          <BureauFacts of={b} />
        </section>
      ) : null}
      {bank ? (
        <section className="part">
          <h3>
            {t('bank.title')} <span className="fw-muted">{f.date(bank.at)}</span>
          </h3>
          <BankFacts of={bank} />
        </section>
      ) : null}
      {x ? (
        <section className="part">
          <h3>{t('exposure.title')}</h3>
          <ExposureFacts of={x} sides={SIDES} />
        </section>
      ) : null}
    </Panel>
  );
}

const SIDES = ['household', 'group', 'anchor', 'product', 'region', 'total'] as const;

/** What a credit report tells. */
export function BureauFacts({ of: b }: { of: NonNullable<Evidence['bureau']> }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  return (
    <Facts
      rows={[
        [t('bureau.loans'), t('bureau.loans_of', { count: b.open_loans, lenders: b.lenders })],
        [t('bureau.balance'), f.yuan0(b.balance)],
        [t('bureau.monthly'), f.yuan0(b.monthly_due)],
        [t('bureau.cards'), `${f.yuan0(b.card_used)} / ${f.yuan0(b.card_limit)}`],
        [t('bureau.overdue'), f.yuan0(b.overdue_now)],
        [t('bureau.worst'), f.integer(b.worst_overdue_days)],
        [t('bureau.queries'), f.integer(b.queries_6m)],
        [t('bureau.guaranteed'), f.yuan0(b.guaranteed)],
        [t('bureau.judgments'), f.integer(b.judgments)],
        [t('bureau.oldest'), f.integer(b.oldest_months)],
      ]}
    />
  );
}

/** What months of accounts tell. */
export function BankFacts({ of: bank }: { of: NonNullable<Evidence['bank']> }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const months = bank.months ?? [];
  const mean = (of: (m: (typeof months)[number]) => number) =>
    months.length ? months.reduce((n, m) => n + of(m), 0) / months.length : undefined;
  return (
    <Facts
      rows={[
        [t('bank.months'), f.integer(months.length)],
        [t('bank.in'), f.yuan0(mean((m) => m.in))],
        [t('bank.out'), f.yuan0(mean((m) => m.out))],
        [t('bank.low'), f.yuan0(months.length ? Math.min(...months.map((m) => m.low)) : undefined)],
        [t('bank.returned'), f.integer(months.reduce((n, m) => n + m.returned, 0))],
      ]}
    />
  );
}

/** What is lent around a borrower, and what was granted where that is more. */
export function ExposureFacts(props: { of: Exposures; sides: readonly (typeof SIDES)[number][] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const { of: x } = props;
  return (
    <Facts
      rows={props.sides.map((side) => {
        const granted = x.granted?.[side] ?? 0;
        return [
          t(`exposure.${side}`),
          granted > x[side]
            ? t('exposure.of', { out: f.yuan0(x[side]), granted: f.yuan0(granted) })
            : f.yuan0(x[side]),
        ];
      })}
    />
  );
}
