import type { Allowance, Decision } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { type LimitStep, limitSteps } from '@furrow/shared/limit';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import './texts';
import './decision.css';

/** How the limit came about: what each rule allows, and the steps that led to it. */
export function LimitPanel(props: { decision: Decision }) {
  const { t } = useTranslation('decision');
  const allowances = props.decision.allowances ?? [];
  const steps = limitSteps(props.decision);
  if (allowances.length === 0 && steps.length === 0) return null;
  return (
    <Panel title={t('limit')} className="limit">
      {allowances.length ? (
        <Allowances of={allowances} limit={props.decision.limit} />
      ) : (
        <p className="fw-muted">{t('steps_lead')}</p>
      )}
      {steps.length ? (
        <>
          {allowances.length ? <h3>{t('steps')}</h3> : null}
          <Waterfall steps={steps} limit={props.decision.limit} />
        </>
      ) : null}
    </Panel>
  );
}

/** What each rule allows by itself, the least first: that one decides. */
function Allowances(props: { of: Allowance[]; limit: number }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const sorted = [...props.of].sort((a, b) => a.amount - b.amount);
  // One rule that allows a hundred times as much would leave the others no width.
  const binding = sorted[0]?.amount ?? 0;
  const top = Math.max(
    Math.min(sorted.at(-1)?.amount ?? 1, Math.max(binding * 5, props.limit * 5)),
    1,
  );
  return (
    <>
      <p className="fw-muted">{t('allowances_lead')}</p>
      <ol className="limit-rows">
        {sorted.map((a) => (
          <li key={a.code} data-binding={a.binding}>
            <span>
              {a.message || a.code} {a.message ? <code>{a.code}</code> : null}{' '}
              {a.binding ? <Pill tone="warn">{t('binding')}</Pill> : null}
            </span>
            <span className="limit-track" aria-hidden="true">
              <i
                className={a.binding ? 'limit-binding' : 'limit-allowed'}
                style={{ width: `${(100 * Math.min(a.amount, top)) / top}%` }}
              />
              {a.amount > top ? <i className="limit-beyond" /> : null}
              <i className="limit-line" style={{ left: `${(100 * props.limit) / top}%` }} />
            </span>
            <b className="fw-num">{f.yuan0(a.amount)}</b>
          </li>
        ))}
      </ol>
    </>
  );
}

/** From what the evidence is worth, step by step, to the limit. */
function Waterfall(props: { steps: LimitStep[]; limit: number }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const top = Math.max(...props.steps.flatMap((s) => [s.from, s.to]), 1);
  const at = (fen: number) => `${(100 * fen) / top}%`;
  return (
    <ol className="limit-rows limit-steps">
      {props.steps.map((s) => (
        <li key={s.code} data-kind={s.kind}>
          <span>
            {s.kind === 'round' ? t('rounding') : s.text}{' '}
            {s.kind === 'round' ? null : <code>{s.code}</code>}
          </span>
          <span className="limit-track" aria-hidden="true">
            <i
              className={`limit-${s.kind}`}
              style={{
                left: at(Math.min(s.from, s.to)),
                width: at(Math.abs(s.to - s.from)),
              }}
            />
          </span>
          <b className="fw-num">
            {s.kind === 'base'
              ? f.yuan0(s.to)
              : `${s.to < s.from ? '−' : '+'}${f.yuan0(Math.abs(s.to - s.from))}`}
          </b>
        </li>
      ))}
      <li className="limit-sum">
        <span>{t('comes_to')}</span>
        <span className="limit-track" aria-hidden="true">
          <i className="limit-final" style={{ left: 0, width: at(props.limit) }} />
        </span>
        <b className="fw-num">{f.yuan0(props.limit)}</b>
      </li>
    </ol>
  );
}
