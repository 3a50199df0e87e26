import type { ConsentAct, HistoryLine, BorrowerPage as Known } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { BankFacts, BureauFacts, ExposureFacts } from '../decision/HistoryPanel';
import { type Column, DataTable } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useBorrower } from './data';

/** A borrower: what was uploaded, what is read from it, and the consents it stands on. */
export function BorrowerPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('borrower');
  const query = useBorrower(id);
  return (
    <Page
      title={query.data?.name ?? t('one')}
      crumbs={[{ to: '/histories', text: t('uploads') }]}
      lead={query.data?.profile ? <Profile of={query.data.profile} /> : null}
    >
      <Await query={query} lines={8}>
        {(b) => (
          <div className="split">
            <div>
              <Panel title={t('uploads')}>
                {b.histories.length ? (
                  b.histories.map((h) => <History key={h.id} of={h} />)
                ) : (
                  <Empty text={t('no_uploads')} />
                )}
              </Panel>
            </div>
            <div>
              <Panel title={t('decision:exposure.title')}>
                <ExposureFacts of={b.exposure} sides={['household', 'group', 'region', 'total']} />
              </Panel>
              <Panel title={t('decision:consents')} flush>
                <Acts of={b.consents} />
              </Panel>
            </div>
          </div>
        )}
      </Await>
    </Page>
  );
}

function Profile({ of: p }: { of: NonNullable<Known['profile']> }) {
  const { t } = useTranslation('borrower');
  const said = [
    [t('region'), p.region],
    [t('industry'), p.industry],
    [t('household'), p.household],
    [t('group'), p.group],
  ].filter(([, v]) => v);
  return (
    <>
      <span>{t(`kinds.${p.kind}`)}</span>
      {said.map(([name, value]) => (
        <span key={name}>
          {name} {value}
        </span>
      ))}
    </>
  );
}

/** One upload: its consent, and what is read from it. */
function History({ of: h }: { of: HistoryLine }) {
  const { t } = useTranslation('borrower');
  const f = useFormats();
  return (
    <section className="part" data-closed={h.closed}>
      <h3>
        {t(`decision:${h.kind}.title`)} <span className="fw-muted">{f.date(h.at)}</span>{' '}
        {h.withdrawn_at ? (
          <Pill tone="warn">{t('withdrawn_on', { time: f.time(h.withdrawn_at) })}</Pill>
        ) : null}{' '}
        {h.closed ? <Pill tone="bad">{t('closed')}</Pill> : null}
      </h3>
      <p className="fw-muted">
        {h.file ? `${h.file} · ` : ''}
        {t('saved', { time: f.time(h.saved_at) })} ·{' '}
        {h.purpose ? t(`decision:for.${h.purpose}`) : t('no_purpose')} ·{' '}
        <code title={h.hash}>{h.hash.slice(0, 12)}</code>
      </p>
      {h.bureau ? <BureauFacts of={h.bureau} /> : null}
      {h.bank ? <BankFacts of={h.bank} /> : null}
    </section>
  );
}

function Acts({ of }: { of: ConsentAct[] }) {
  const { t } = useTranslation('borrower');
  const f = useFormats();
  const columns: Column<ConsentAct>[] = [
    { key: 'at', title: t('at'), cell: (a) => <span className="nowrap">{f.time(a.at)}</span> },
    {
      key: 'part',
      title: t('decision:part_of'),
      cell: (a) =>
        `${t(`decision:part.${a.part}`, { defaultValue: a.part })} ${t(`decision:for.${a.purpose}`)}`,
    },
    {
      key: 'kind',
      title: t('said'),
      cell: (a) => <Pill tone={a.kind === 'given' ? 'good' : 'warn'}>{t(`acts.${a.kind}`)}</Pill>,
    },
  ];
  return (
    <DataTable
      label={t('decision:consents')}
      rows={[...of].reverse()}
      columns={columns}
      rowKey={(a) => a.id}
      empty={t('no_consents')}
      page={20}
    />
  );
}
