import type { OfficerLoanPage } from '@furrow/shared/api/types';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { ActDialog } from './ActDialog';
import { type Act, actsOn, GROUPS } from './acts';
import { useKind } from './Books';

/** What an officer may do to a loan, by group; each is previewed before it is booked. */
export function ActPanel(props: { page: OfficerLoanPage }) {
  const { t } = useTranslation('servicing');
  const may = useMay();
  const kind = useKind();
  const [act, setAct] = useState<Act>();
  const { loan } = props.page;
  const open = actsOn(loan.state, loan.credit);
  if (!may || open.length === 0) return null;
  return (
    <Panel title={t('acts')} className="acts">
      {Object.entries(GROUPS).map(([group, kinds]) => {
        const shown = kinds.filter((k) => open.includes(k));
        if (shown.length === 0) return null;
        return (
          <fieldset key={group} className="act-group">
            <legend>{t(`group.${group}`)}</legend>
            {shown.map((k) => (
              <Button
                key={k}
                size="small"
                danger={group === 'loss'}
                data-act={k}
                onClick={() => setAct(k)}
              >
                {kind(k)}
              </Button>
            ))}
          </fieldset>
        );
      })}
      {act ? (
        <ActDialog key={act} act={act} page={props.page} onClose={() => setAct(undefined)} />
      ) : null}
    </Panel>
  );
}
