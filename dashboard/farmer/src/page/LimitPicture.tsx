import type { Decision } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { type LimitStep, limitSteps } from '@furrow/shared/limit';
import { useTranslation } from 'react-i18next';
import { Part } from '../ui/Screen';

interface Bar {
  code: string;
  text: string;
  from: number;
  to: number;
  told: string;
  kind: string;
}

/** The steps that the picture shows, if it does not show what each rule allows. */
export function pictureSteps(decision: Decision | undefined): LimitStep[] {
  return !decision || decision.allowances?.length ? [] : limitSteps(decision);
}

/** The limit as bars: what each rule allows, or the steps that led to it. */
export function LimitPicture({ decision }: { decision: Decision }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const allowances = [...(decision.allowances ?? [])].sort((a, b) => a.amount - b.amount);
  const bars: Bar[] = allowances.length
    ? allowances.map((a) => ({
        code: a.code,
        text: a.message || a.code,
        from: 0,
        to: a.amount,
        told: f.yuan0(a.amount),
        kind: a.binding ? 'binding' : 'allowed',
      }))
    : pictureSteps(decision).map((s) => ({
        code: s.code,
        text: s.kind === 'round' ? t('picture.round') : s.text,
        from: Math.min(s.from, s.to),
        to: Math.max(s.from, s.to),
        told:
          s.kind === 'base'
            ? f.yuan0(s.to)
            : `${s.to < s.from ? '−' : '+'}${f.yuan0(Math.abs(s.to - s.from))}`,
        kind: s.kind,
      }));
  if (bars.length < 2) return null;
  const least = bars[0]?.to ?? 0;
  const most = Math.max(...bars.map((b) => b.to), 1);
  // A rule that allows far more than the others leaves them no width.
  const top = allowances.length ? Math.max(Math.min(most, 5 * least), 1) : most;
  const at = (fen: number) => `${(100 * Math.min(fen, top)) / top}%`;
  return (
    <Part title={t('picture.title')}>
      <p className="f-hint">{t(allowances.length ? 'picture.least' : 'picture.steps')}</p>
      <ol className="f-bars">
        {bars.map((b) => (
          <li key={b.code} data-kind={b.kind}>
            <span>{b.text}</span>
            <b className="fw-num">{b.told}</b>
            <span className="f-bar" aria-hidden="true">
              <i style={{ left: at(b.from), width: `calc(${at(b.to)} - ${at(b.from)})` }} />
            </span>
            {b.kind === 'binding' ? <small>{t('picture.binding')}</small> : null}
          </li>
        ))}
        <li data-kind="final">
          <span>{t('picture.limit')}</span>
          <b className="fw-num">{f.yuan0(decision.limit)}</b>
          <span className="f-bar" aria-hidden="true">
            <i style={{ left: 0, width: at(decision.limit) }} />
          </span>
        </li>
      </ol>
    </Part>
  );
}

/** What would raise the limit, in plain words. */
export function Raises({ decision }: { decision: Decision }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const raises = decision.raises ?? [];
  if (raises.length === 0) return null;
  return (
    <Part title={t('raises')}>
      <ul className="f-reasons">
        {raises.map((r) => (
          <li key={r.code} data-effect="raise">
            <span className="f-sign" aria-hidden="true">
              {'↑'}
            </span>
            <span>
              {r.message || r.code}
              {r.amount ? <small>{t('raises_by', { amount: f.yuan0(r.amount) })}</small> : null}
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}
