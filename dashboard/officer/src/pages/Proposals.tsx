import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { useProposals } from '../loan/data';
import { Proposals } from '../loan/Proposals';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';

const STATES = ['approved', 'refused', 'all'] as const;

/** What waits for a second person; and what was decided. */
export function ProposalsPage() {
  const { t } = useTranslation('servicing');
  const [state, setState] = useParam('state');
  const list = useProposals(
    state === 'all' ? '' : state === 'approved' || state === 'refused' ? state : 'proposed',
  );
  return (
    <Page title={t('proposals')} lead={t('proposals_lead')}>
      <Choice
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: '', text: t('proposal.proposed') },
          ...STATES.map((s) => ({ value: s, text: t(`proposal.${s}`) })),
        ]}
      />
      <Panel title={t('proposals')}>
        <Await query={list}>
          {(rows) => <Proposals rows={rows} link empty={t('no_proposals')} />}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
