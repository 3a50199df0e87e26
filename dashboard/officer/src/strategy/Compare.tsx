import { Await, Problem } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { Button, InputNumber, Select } from 'antd';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { ComparisonView } from './ComparisonPanel';
import { useBackTest, useShadow } from './data';

/** Decides the past anew by a kept version; it can be stopped while it runs. */
export function BackTest(props: { id: string; unsaved: boolean }) {
  const { t } = useTranslation('strategy');
  const w = useWords();
  const catalogue = useCatalogue();
  const run = useBackTest(props.id);
  const [limit, setLimit] = useState(1000);
  const [product, setProduct] = useState('');
  const stop = useRef<AbortController>(undefined);
  const [stopped, setStopped] = useState(false);
  const began = useSeconds(run.isPending);
  const ids = [useId(), useId()];
  useEffect(() => () => stop.current?.abort(), []);
  const start = () => {
    setStopped(false);
    stop.current = new AbortController();
    run.mutate({ limit, product, stop: stop.current.signal });
  };
  return (
    <Panel title={t('back_test')} className="back-test">
      <p className="fw-muted">{t('back_test_lead')}</p>
      <div className="filters">
        <span className="fw-row">
          <label htmlFor={ids[0]}>{t('newest')}</label>
          <InputNumber
            id={ids[0]}
            min={1}
            max={20000}
            step={500}
            value={limit}
            onChange={(v) => setLimit(v ?? 1000)}
          />
        </span>
        <span className="fw-row">
          <label htmlFor={ids[1]}>{t('product')}</label>
          <Select
            id={ids[1]}
            className="bench-product"
            value={product}
            onChange={setProduct}
            options={[
              { value: '', label: t('all_products') },
              ...(catalogue.data?.products ?? []).map((p) => ({
                value: p.code,
                label: w.product(p.code),
              })),
            ]}
          />
        </span>
        {run.isPending ? (
          <Button
            onClick={() => {
              setStopped(true);
              stop.current?.abort();
            }}
          >
            {t('cancel')}
          </Button>
        ) : (
          <Button type="primary" disabled={props.unsaved} onClick={start}>
            {t('run_back_test')}
          </Button>
        )}
      </div>
      {props.unsaved ? <p className="fw-muted">{t('save_first')}</p> : null}
      {run.isPending ? (
        <p role="status" className="running">
          <progress aria-label={t('back_test')} /> {t('running', { count: began })}
        </p>
      ) : null}
      {stopped && !run.isPending ? <p role="status">{t('stopped')}</p> : null}
      {run.error && !stopped ? <Problem error={run.error} compact /> : null}
      {run.data && !run.isPending ? <ComparisonView of={run.data} /> : null}
    </Panel>
  );
}

/** Seconds since something began. */
function useSeconds(on: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!on) return;
    setSeconds(0);
    const timer = setInterval(() => setSeconds((s) => s + 1), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return seconds;
}

/** What a shadow said of the decisions that were made beside it. */
export function ShadowPanel(props: { id: string }) {
  const { t } = useTranslation('strategy');
  const query = useShadow(props.id, true);
  return (
    <Panel title={t('shadow')}>
      <p className="fw-muted">{t('shadow_lead')}</p>
      <Await query={query}>{(c) => <ComparisonView of={c} />}</Await>
    </Panel>
  );
}
