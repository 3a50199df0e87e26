import { Empty, Loading, Problem } from '@furrow/shared/ui/states';
import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useShock } from '../chain/data';
import { ShockForm } from '../chain/ShockForm';
import { ShockReport } from '../chain/ShockReport';
import { firmsOf, partOf } from '../chain/shock';
import '../chain/texts';
import { useParam } from '../pieces/Filter';
import { Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';

/** What becomes of firms and loans when a firm stops, or loses a part of its output. */
export function ShockPage() {
  const { t } = useTranslation('chain');
  const [firm, setFirm] = useParam('firm');
  const [partText, setPart] = useParam('part');
  const part = partOf(partText);
  const may = useMay();
  const run = useShock();
  const raise = useShock();
  const [asking, setAsking] = useState(false);

  const forget = () => {
    run.reset();
    raise.reset();
  };
  const report = run.data;
  const loans = report?.endangered.loans ?? [];
  const raised = raise.data?.raised;

  return (
    <Page title={t('shock.title')} lead={t('shock.lead')}>
      <Panel title={t('shock.title')} flush>
        {may ? (
          <ShockForm
            firm={firm}
            part={part}
            pending={run.isPending}
            again={!!report}
            onFirm={(id) => {
              forget();
              setFirm(id);
            }}
            onPart={(v) => {
              forget();
              setPart(v >= 1 ? '' : String(v));
            }}
            onRun={() => {
              raise.reset();
              run.mutate({ firm_id: firm, part, raise: false });
            }}
          />
        ) : (
          <p className="panel-note">{t('shock.readonly')}</p>
        )}
        {run.isPending ? <Loading /> : null}
        {run.error ? (
          <div className="panel-body">
            <Problem error={run.error} />
          </div>
        ) : null}
        {may && run.isIdle ? <Empty text={t('shock.hint')} /> : null}
      </Panel>
      {report && !run.isPending ? (
        <ShockReport
          report={report}
          raise={
            raised !== undefined ? (
              <span className="fw-row" role="status">
                {t('shock.raised', { count: raised })}{' '}
                <Link to="/alerts">{t('shock.see_alerts')}</Link>
              </span>
            ) : loans.length ? (
              <Button danger size="small" onClick={() => setAsking(true)}>
                {t('shock.raise')}
              </Button>
            ) : null
          }
        />
      ) : null}
      {asking ? (
        <Modal
          open
          title={t('shock.raise_title')}
          okText={t('shock.raise')}
          okButtonProps={{ loading: raise.isPending, danger: true }}
          onCancel={() => setAsking(false)}
          onOk={() =>
            raise.mutate(
              { firm_id: firm, part, raise: true },
              { onSuccess: () => setAsking(false) },
            )
          }
        >
          <p>{t('shock.raise_text', { firms: firmsOf(loans), loans: loans.length })}</p>
          {raise.error ? <Problem error={raise.error} compact /> : null}
        </Modal>
      ) : null}
    </Page>
  );
}
