import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { useAlerts, useHome } from '../data';
import { AlertList } from '../pieces/AlertList';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';

/** Alerts as they arrive, newest first. */
export function AlertsPage() {
  const { t } = useTranslation('alerts');
  const w = useWords();
  const [shown, setShown] = useParam('shown');
  const [severity, setSeverity] = useParam('severity');
  const counts = useHome().data?.alerts ?? {};
  const list = useAlerts(shown !== 'all');
  return (
    <Page title={t('title')} lead={t('lead')}>
      <div className="filters">
        <Choice
          label={t('shown')}
          value={shown}
          onChange={setShown}
          options={[
            { value: '', text: t('open') },
            { value: 'all', text: t('all') },
          ]}
        />
        <Choice
          label={t('severity')}
          value={severity}
          onChange={setSeverity}
          options={[
            { value: '', text: t('any') },
            ...['critical', 'warning', 'info'].map((s) => ({
              value: s,
              text: w.word('severity', s),
              count: counts[s] ?? 0,
            })),
          ]}
        />
      </div>
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(alerts) => (
            <AlertList
              alerts={severity ? alerts.filter((a) => a.severity === severity) : alerts}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
