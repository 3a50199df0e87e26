import type { Weighing } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Empty, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useWeigh } from '../data';
import { fromField, toField } from '../herd/when';
import { Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { TimeChart } from './TimeChart';
import { gains } from './timeline';

const methods = ['scale', 'walk_over', 'tape', 'estimate'] as const;

/** What an animal weighed, and how it grew between. */
export function WeightPanel(props: { animalId: string; weighings: Weighing[] }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const may = useMay();
  const [adding, setAdding] = useState(false);
  const { weighings } = props;
  const growth = useMemo(() => gains(weighings), [weighings]);
  const chart = useMemo(
    () => ({
      x: weighings.map((w) => Date.parse(w.at) / 1000),
      lines: [{ name: t('weight'), color: '#7a5c2e', y: weighings.map((w) => w.kg) }],
    }),
    [weighings, t],
  );
  return (
    <Panel
      title={t('weighings')}
      flush
      className="weighings"
      extra={
        may && !adding ? (
          <Button size="small" onClick={() => setAdding(true)}>
            {t('weigh')}
          </Button>
        ) : null
      }
    >
      {adding ? <WeighForm animalId={props.animalId} onDone={() => setAdding(false)} /> : null}
      {weighings.length > 2 ? (
        <div className="panel-body">
          <TimeChart label={t('weight_unit')} x={chart.x} lines={chart.lines} points height={140} />
        </div>
      ) : null}
      {weighings.length ? (
        <Scroll label={t('weighings')} className="table-box">
          <table className="fw-table table">
            <caption className="sr-only">{t('weighings')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col" className="fw-num">
                  {t('weight_unit')}
                </th>
                <th scope="col" className="fw-num">
                  {t('gain')}
                </th>
                <th scope="col">{t('method')}</th>
              </tr>
            </thead>
            <tbody>
              {weighings
                .map((w, i) => (
                  <tr key={`${w.at}${w.method}${w.kg}`}>
                    <td className="nowrap">{f.date(w.at)}</td>
                    <td className="fw-num">{f.decimal(w.kg, 1)}</td>
                    <td className="fw-num">{f.decimal(growth[i], 2)}</td>
                    <td>{t(`methods.${w.method}`)}</td>
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </Scroll>
      ) : (
        <Empty text={t('never_weighed')} />
      )}
    </Panel>
  );
}

function WeighForm(props: { animalId: string; onDone(): void }) {
  const { t } = useTranslation('animal');
  const weigh = useWeigh(props.animalId);
  const [kg, setKg] = useState('');
  const [method, setMethod] = useState<(typeof methods)[number]>('scale');
  const [at, setAt] = useState(() => toField(Date.now()));
  const id = useId();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    weigh.mutate({ at: fromField(at), kg: Number(kg), method }, { onSuccess: props.onDone });
  };
  return (
    <form className="small-form" onSubmit={submit}>
      <p>
        <label htmlFor={`${id}kg`}>{t('weight_unit')}</label>
        <input
          id={`${id}kg`}
          type="number"
          min={0.01}
          max={5000}
          step="any"
          required
          value={kg}
          onChange={(e) => setKg(e.target.value)}
        />
      </p>
      <p>
        <label htmlFor={`${id}how`}>{t('method')}</label>
        <select
          id={`${id}how`}
          value={method}
          onChange={(e) => setMethod(methods.find((m) => m === e.target.value) ?? 'scale')}
        >
          {methods.map((m) => (
            <option key={m} value={m}>
              {t(`methods.${m}`)}
            </option>
          ))}
        </select>
      </p>
      <p>
        <label htmlFor={`${id}at`}>{t('weighed_at')}</label>
        <input
          id={`${id}at`}
          type="datetime-local"
          required
          value={at}
          onChange={(e) => setAt(e.target.value)}
        />
      </p>
      <p className="fw-row">
        <Button htmlType="submit" type="primary" size="small" loading={weigh.isPending}>
          {t('save')}
        </Button>
        <Button size="small" onClick={props.onDone}>
          {t('cancel')}
        </Button>
      </p>
      {weigh.error ? <Problem error={weigh.error} compact /> : null}
    </form>
  );
}
