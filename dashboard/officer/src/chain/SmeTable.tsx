import type { Sme } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { local } from './local';
import { firmPath, ProofText, Sure } from './Proofs';
import './texts';

const warnings = new Set(['named_only', 'few_documents', 'old_documents', 'through_others']);

/** The small firms around an anchor, each with how sure it is and what proves it. */
export function SmeTable(props: { label: string; rows: Sme[] }) {
  const { t, i18n } = useTranslation('chain');
  const f = useFormats();
  const w = useWords();
  const columns = useMemo(
    (): Column<Sme>[] => [
      {
        key: 'name',
        title: t('name'),
        sort: (s) => s.name,
        cell: (s) => (
          <>
            <Link to={firmPath(s.firm_id)}>{s.name}</Link>
            {s.mounts.length ? (
              <small className="under">
                {s.mounts.slice(0, 2).map((m) => (
                  <span key={m.node} className="comma">
                    {local(m)}
                  </span>
                ))}
              </small>
            ) : null}
          </>
        ),
      },
      { key: 'tier', title: t('tier'), number: true, sort: (s) => s.tier, cell: (s) => s.tier },
      {
        key: 'amount',
        title: t('amount'),
        number: true,
        sort: (s) => s.amount,
        cell: (s) => f.yuan0(s.amount),
      },
      {
        key: 'strength',
        title: t('strength'),
        sort: (s) => s.links[0]?.of_buyer ?? 0,
        cell: (s) => {
          const [l] = s.links;
          return l?.documents ? (
            <small className="strength">
              <span>{t('of_buyer', { share: f.percent1(l.of_buyer) })}</span>
              <span>{t('of_seller', { share: f.percent1(l.of_seller) })}</span>
            </small>
          ) : null;
        },
      },
      {
        key: 'tenure',
        title: t('tenure'),
        number: true,
        sort: (s) => s.months,
        cell: (s) => t('months', { count: s.months }),
      },
      {
        key: 'confidence',
        title: t('confidence'),
        number: true,
        sort: (s) => s.confidence,
        cell: (s) => <Sure share={s.confidence} />,
      },
      {
        key: 'reasons',
        title: t('reasons'),
        cell: (s) => (
          <span className="sme-reasons">
            {s.reasons.map((r) => (
              <span key={r} className={warnings.has(r) ? 'kind kind-warn' : 'kind'}>
                {warnings.has(r) ? t(`reason.${r}`) : w.word('document', r)}
              </span>
            ))}
          </span>
        ),
      },
      {
        key: 'proofs',
        title: t('proofs'),
        cell: (s) => (
          <details className="sme-proofs">
            <summary>
              {t('proof_documents', { count: s.links.reduce((n, l) => n + l.documents, 0) })}
            </summary>
            {s.links.map((l) => (
              <div key={l.firm_id}>
                {t('through')} <Link to={firmPath(l.firm_id)}>{l.name}</Link>
                <ProofText proof={l} />
              </div>
            ))}
          </details>
        ),
      },
    ],
    [t, f, w, i18n.language],
  );
  return (
    <DataTable
      label={props.label}
      rows={props.rows}
      columns={columns}
      rowKey={(s) => s.firm_id}
      empty={t('no_firms')}
    />
  );
}
