import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Choice, useParam } from '../pieces/Filter';
import { Panel } from '../pieces/Page';
import { useWays } from './data';
import { FirmSelect } from './FirmSelect';
import { Sure, WaySteps } from './Proofs';
import './texts';

const STEPS = [2, 3, 4, 5, 6];

/** The ways of trade between two firms; `to` is where they lead when nothing is chosen. */
export function WaysPanel(props: { to?: string }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const [from, setFrom] = useParam('from');
  const [chosen, setTo] = useParam('to');
  const [steps, setSteps] = useParam('steps');
  const to = chosen || props.to || '';
  const query = useWays(from, to, Number(steps) || 4);
  const ready = from !== '' && to !== '';
  return (
    <Panel title={t('ways')} className="ways" flush>
      <div className="filters ways-form">
        <div>
          <span>{t('from')}</span>
          <FirmSelect label={t('from')} value={from} onChange={setFrom} />
        </div>
        <div>
          <span>{t('to')}</span>
          <FirmSelect label={t('to')} value={to} onChange={setTo} anchorsFirst />
        </div>
        <div>
          <span>{t('hops')}</span>
          <Choice
            label={t('hops')}
            value={steps || '4'}
            onChange={setSteps}
            options={STEPS.map((n) => ({ value: String(n), text: f.integer(n) }))}
          />
        </div>
        <p className="fw-muted">{t('ways_hint')}</p>
      </div>
      {!ready ? (
        <Empty text={t('find_ways')} />
      ) : from === to ? (
        <Empty text={t('same_firm')} />
      ) : (
        <Await query={query}>
          {(ways) =>
            ways.length === 0 ? (
              <Empty text={t('no_way')} />
            ) : (
              <ul className="links">
                {ways.map((w, i) => (
                  <li key={w.hops.map((h) => h.buyer_id).join()}>
                    <details open={i === 0}>
                      <summary>
                        {t('way')} {i + 1} · {t('steps', { count: w.hops.length })} ·{' '}
                        <Sure share={w.confidence} />
                      </summary>
                      <WaySteps way={w} label={`${t('way')} ${i + 1}`} />
                    </details>
                  </li>
                ))}
              </ul>
            )
          }
        </Await>
      )}
    </Panel>
  );
}
