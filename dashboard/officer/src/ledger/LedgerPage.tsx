import type { Audit, Trial } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type CSSProperties, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useParam } from '../pieces/Filter';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useTrial, useVerify } from './data';
import { LedgerSub } from './LedgerSub';
import { Day } from './Span';
import { even, sides, unfolded } from './trial';

/** The trial balance of a day or a time, and whether the book is sound. */
export function LedgerPage() {
  const { t } = useTranslation('ledger');
  const [from, setFrom] = useParam('from');
  const [to, setTo] = useParam('to');
  const trial = useTrial(from, to);
  return (
    <Page title={t('title')} lead={t('lead')}>
      <LedgerSub />
      <Verify />
      <div className="filters">
        <Day label={t('from')} value={from} onChange={setFrom} />
        <Day label={t('to')} value={to} onChange={setTo} />
      </div>
      <Panel title={t('trial')} flush>
        <Await query={trial}>{(data) => <TrialTable trial={data} opened={!!from} />}</Await>
      </Panel>
    </Page>
  );
}

function TrialTable({ trial, opened }: { trial: Trial; opened: boolean }) {
  const { t, i18n } = useTranslation('ledger');
  const f = useFormats();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  if (trial.lines.length === 0) return <Empty text={t('no_moves')} />;
  const fold = (code: string) => {
    const next = new Set(folded);
    if (!next.delete(code)) next.add(code);
    setFolded(next);
  };
  const amount = (fen: number) => (fen ? f.yuan(fen) : '');
  const sum = sides(trial.lines);
  return (
    <>
      <Scroll label={t('trial')} className="table-box">
        <table className="fw-table table trial">
          <caption className="sr-only">{t('trial')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('account')}</th>
              {opened ? (
                <th scope="col" className="fw-num">
                  {t('opening')}
                </th>
              ) : null}
              {['debits', 'credits', 'balance_debit', 'balance_credit'].map((name) => (
                <th key={name} scope="col" className="fw-num">
                  {t(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {unfolded(trial.lines, folded).map((l) => {
              const name = l.name[i18n.language] ?? l.code;
              return (
                <tr
                  key={l.code}
                  data-heading={!!l.heading}
                  style={{ '--depth': l.depth } as CSSProperties}
                >
                  <td>
                    {l.heading ? (
                      <>
                        <button
                          type="button"
                          className="trial-fold"
                          aria-expanded={!folded.has(l.code)}
                          aria-label={t('fold', { name })}
                          onClick={() => fold(l.code)}
                        >
                          {folded.has(l.code) ? '▸' : '▾'}
                        </button>
                        {name}
                      </>
                    ) : (
                      <Link to={`/ledger/accounts/${encodeURIComponent(l.code)}`}>{name}</Link>
                    )}
                  </td>
                  {opened ? <td className="fw-num">{amount(l.opening)}</td> : null}
                  <td className="fw-num">{amount(l.debits)}</td>
                  <td className="fw-num">{amount(l.credits)}</td>
                  <td className="fw-num">{l.closing > 0 ? f.yuan(l.closing) : ''}</td>
                  <td className="fw-num">{l.closing < 0 ? f.yuan(-l.closing) : ''}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t('sum')}</th>
              {opened ? <td className="fw-num">{f.yuan(trial.opening)}</td> : null}
              <td className="fw-num">{f.yuan(trial.debits)}</td>
              <td className="fw-num">{f.yuan(trial.credits)}</td>
              <td className="fw-num">{f.yuan(sum.debit)}</td>
              <td className="fw-num">{f.yuan(sum.credit)}</td>
            </tr>
          </tfoot>
        </table>
      </Scroll>
      <p className="panel-body" data-even={even(trial)}>
        <Pill tone={even(trial) ? 'good' : 'bad'}>{t(even(trial) ? 'even' : 'uneven')}</Pill>{' '}
        {t('difference', {
          moved: f.yuan(trial.debits - trial.credits),
          left: f.yuan(trial.closing),
        })}
      </p>
    </>
  );
}

/** Asks the house to make the book again from its entries, and says what came out. */
function Verify() {
  const { t } = useTranslation('ledger');
  const may = useMay();
  const verify = useVerify();
  return (
    <Panel
      title={t('verify_title')}
      extra={
        may ? (
          <Button loading={verify.isPending} onClick={() => verify.mutate()}>
            {t('verify')}
          </Button>
        ) : null
      }
    >
      {verify.data ? (
        <Verdict audit={verify.data} />
      ) : verify.error ? (
        <Problem error={verify.error} compact />
      ) : (
        <p className="fw-muted">{t(may ? 'verify_lead' : 'verify_officer')}</p>
      )}
    </Panel>
  );
}

function Verdict({ audit }: { audit: Audit }) {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const sound = audit.wrong === 0;
  return (
    <div className="book-verdict" data-sound={sound} role="status">
      <strong>{t(sound ? 'sound' : 'unsound', { count: audit.wrong })}</strong>
      <span>
        {t('verified', {
          entries: f.integer(audit.entries),
          accounts: f.integer(audit.accounts),
          debits: f.yuan(audit.debits),
        })}
      </span>
      {audit.head ? (
        <span className="fw-muted">
          {t('head')} <code>{audit.head}</code>
        </span>
      ) : null}
      {audit.faults.length ? (
        <ul>
          {audit.faults.map((x) => (
            <li key={`${x.seq}${x.account}${x.item}${x.problem}`}>
              {[x.seq ? t('entry_nr', { seq: x.seq }) : '', x.account, x.item, x.problem]
                .filter(Boolean)
                .join(' · ')}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
