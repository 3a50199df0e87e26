import { Await, Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { FirmSelect } from '../chain/FirmSelect';
import { type FactState, useFacts } from '../fact/data';
import { FactCard } from '../fact/FactCard';
import { SendPanel } from '../fact/SendPanel';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';

/** What documents say about trade between firms, and what waits for a person. */
export function FactsPage() {
  const { t } = useTranslation('facts');
  const [state, setState] = useParam('state');
  const [firm, setFirm] = useParam('firm');
  const list = useFacts((state || 'pending') as FactState, firm);
  const may = useMay();
  return (
    <Page title={t('title')} lead={t('lead')}>
      {may ? <SendPanel /> : null}
      <div className="filters">
        <Choice
          label={t('state')}
          value={state}
          onChange={setState}
          options={[
            { value: '', text: t('pending') },
            { value: 'accepted', text: t('accepted') },
            { value: 'rejected', text: t('rejected') },
          ]}
        />
        <FirmSelect label={t('firm')} value={firm} onChange={setFirm} />
      </div>
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(lines) =>
            lines.length ? (
              lines.map((line) => <FactCard key={line.claim.id + line.claim.state} line={line} />)
            ) : (
              <Empty text={t('none')} />
            )
          }
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
