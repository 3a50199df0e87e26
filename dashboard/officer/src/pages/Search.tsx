import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useApplications, useFirms, useHerds, usePlots } from '../data';
import { Page, Panel } from '../pieces/Page';
import { ApplicationTable } from './Applications';
import { FirmTable } from './Firms';

const MOST = 50;

/** What carries the words: firms by name or code, plots and herds by name or holder, the latest applications. */
export function SearchPage() {
  const [params] = useSearchParams();
  const q = params.get('q')?.trim() ?? '';
  const { t } = useTranslation('search');
  return (
    <Page title={q ? t('of', { q }) : t('title')}>
      {q ? <Results q={q} key={q} /> : <Empty text={t('type')} />}
    </Page>
  );
}

function Results(props: { q: string }) {
  const { t } = useTranslation('search');
  const w = useWords();
  const q = props.q.toLowerCase();
  const firms = useFirms(props.q, false);
  const plots = usePlots();
  const herds = useHerds();
  const applications = useApplications('');
  const has = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(q));
  return (
    <>
      <Panel title={t('applications')} flush>
        <Await query={applications}>
          {(all) => (
            <ApplicationTable
              rows={all.filter((a) => has(a.user_name, a.subject_name, a.id)).slice(0, MOST)}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
      <div className="split split-even">
        <Panel title={t('plots')} flush>
          <Await query={plots}>
            {(all) => (
              <Links
                empty={t('none')}
                items={all
                  .filter((l) => has(l.plot.name, l.plot.owner_name, l.plot.id))
                  .slice(0, MOST)
                  .map((l) => ({
                    to: `/plots/${l.plot.id}`,
                    text: l.plot.name,
                    note: `${l.plot.owner_name} · ${w.crop(l.crop)}`,
                  }))}
              />
            )}
          </Await>
        </Panel>
        <Panel title={t('herds')} flush>
          <Await query={herds}>
            {(all) => (
              <Links
                empty={t('none')}
                items={all
                  .filter((h) => has(h.herd.name, h.herd.owner_name, h.herd.id))
                  .map((h) => ({
                    to: `/herds/${h.herd.id}`,
                    text: h.herd.name,
                    note: h.herd.owner_name,
                  }))}
              />
            )}
          </Await>
        </Panel>
      </div>
      <Panel title={t('firms')} flush>
        <Await query={firms}>{(rows) => <FirmTable rows={rows} empty={t('none')} />}</Await>
      </Panel>
    </>
  );
}

function Links(props: { items: { to: string; text: string; note: string }[]; empty: string }) {
  if (props.items.length === 0) return <Empty text={props.empty} />;
  return (
    <ul className="links">
      {props.items.map((i) => (
        <li key={i.to}>
          <Link to={i.to}>{i.text}</Link> <span className="fw-muted">{i.note}</span>
        </li>
      ))}
    </ul>
  );
}
