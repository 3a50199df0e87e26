import { useFormats } from '@furrow/shared/format';
import { Await, Loading, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useAlerts, useApplications, useHome, useReviews } from '../data';
import { AlertList } from '../pieces/AlertList';
import { Page, Panel } from '../pieces/Page';
import { ApplicationTable } from './Applications';

const WaitingPanel = lazy(() =>
  import('../loan/WaitingPanel').then((m) => ({ default: m.WaitingPanel })),
);

/** The work queue: what waits, what burns, and what is out; each number opens its list. */
export function HomePage() {
  const { t } = useTranslation('home');
  const f = useFormats();
  const w = useWords();
  const home = useHome();
  const waiting = useApplications('referred');
  const alerts = useAlerts(true);
  const reviews = useReviews();

  return (
    <Page title={t('title')} lead={t('lead')}>
      <Await query={home}>
        {(h) => {
          const apps = h.applications ?? {};
          const loans = h.loans ?? {};
          return (
            <div className="queue">
              <section aria-label={t('applications')}>
                <h2>{t('applications')}</h2>
                <Link className="queue-main" to="/applications?state=referred">
                  <b>{f.integer(apps.referred ?? 0)}</b>
                  <span>{w.word('state', 'referred')}</span>
                </Link>
                <ul>
                  {['submitted', 'offered', 'signed', 'active', 'refused'].map((state) => (
                    <li key={state}>
                      <Link to={`/applications?state=${state}`}>
                        {w.word('state', state)} <b>{f.integer(apps[state] ?? 0)}</b>
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
              <section aria-label={t('alerts')}>
                <h2>{t('alerts')}</h2>
                <Link className="queue-main queue-bad" to="/alerts?severity=critical">
                  <b>{f.integer(h.alerts?.critical ?? 0)}</b>
                  <span>{w.word('severity', 'critical')}</span>
                </Link>
                <ul>
                  {['warning', 'info'].map((severity) => (
                    <li key={severity}>
                      <Link to={`/alerts?severity=${severity}`}>
                        {w.word('severity', severity)} <b>{f.integer(h.alerts?.[severity] ?? 0)}</b>
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
              <section aria-label={t('loans')}>
                <h2>{t('loans')}</h2>
                <Link className="queue-main" to="/loans">
                  <b>{f.yuanShort(h.outstanding_fen)}</b>
                  <span>{t('outstanding')}</span>
                </Link>
                <ul>
                  <li>
                    <Link to="/loans?state=overdue" className={h.overdue_fen ? 'bad' : undefined}>
                      {t('overdue')} <b>{f.yuanShort(h.overdue_fen)}</b>
                    </Link>
                  </li>
                  {Object.entries(loans).map(([state, n]) => (
                    <li key={state}>
                      <Link to={`/loans?state=${state}`}>
                        {w.word('loan_state', state)} <b>{f.integer(n)}</b>
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
              <section aria-label={t('watched')}>
                <h2>{t('watched')}</h2>
                <Link className="queue-main" to="/map">
                  <b>{f.integer(h.plots)}</b>
                  <span>{t('plots')}</span>
                </Link>
                <ul>
                  <li>
                    <Link to="/herds">
                      {t('herds')} <b>{f.integer(h.herds)}</b>
                    </Link>
                  </li>
                  <li>
                    <Link to="/firms">
                      {t('firms')} <b>{f.integer(h.firms)}</b>
                    </Link>
                  </li>
                </ul>
              </section>
            </div>
          );
        }}
      </Await>
      <Suspense>
        <WaitingPanel title={t('proposals')} all={t('all')} />
      </Suspense>
      {reviews.data?.length ? (
        <Panel title={t('reviews')}>
          <ul>
            {reviews.data.map((r) => (
              <li key={r.id}>
                <Link to={`/applications/${r.application_id}`}>{r.user_name}</Link>{' '}
                <q>{r.reason}</q> <time dateTime={r.opened_at}>{f.time(r.opened_at)}</time>
              </li>
            ))}
          </ul>
        </Panel>
      ) : null}
      <div className="split">
        <Panel
          title={t('waiting')}
          flush
          extra={<Link to="/applications?state=referred">{t('all')}</Link>}
        >
          {waiting.data ? (
            <ApplicationTable rows={waiting.data.slice(0, 12)} empty={t('nothing_waits')} brief />
          ) : waiting.error ? (
            <Problem error={waiting.error} onRetry={() => void waiting.refetch()} />
          ) : (
            <Loading />
          )}
        </Panel>
        <Panel title={t('feed')} flush extra={<Link to="/alerts">{t('all')}</Link>}>
          {alerts.data ? (
            <AlertList alerts={alerts.data.slice(0, 14)} brief empty={t('no_alerts')} />
          ) : alerts.error ? (
            <Problem error={alerts.error} onRetry={() => void alerts.refetch()} />
          ) : (
            <Loading />
          )}
        </Panel>
      </div>
    </Page>
  );
}
