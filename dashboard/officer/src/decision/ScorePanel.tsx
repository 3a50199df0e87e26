import type { Score } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { byDimension, outline, path, RIM, RINGS, safety, spoke } from './radar';
import './decision.css';
import './texts';

const R = 92;

/** What the models say: a picture by dimension, and each with its interval and reasons. */
export function ScorePanel(props: { scores: Score[] }) {
  const { t } = useTranslation('decision');
  const { scores } = props;
  if (scores.length === 0) return null;
  return (
    <Panel title={t('scores')} className="scores">
      <div className="scores-split">
        {scores.filter((s) => s.dimension).length > 2 ? <Radar scores={scores} /> : null}
        <Table scores={scores} />
      </div>
      <ul className="score-whys">
        {scores.map((s) => (
          <Why key={s.model} score={s} />
        ))}
      </ul>
    </Panel>
  );
}

/** Five axes: the further out, the safer; the band is the 90 % interval. */
function Radar(props: { scores: Score[] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const axes = byDimension(props.scores);
  const n = axes.length;
  const ring = (radius: number) => path(axes.map((_, i) => spoke(i, n, radius)));
  // A side without a score is no side with a bad one: the line passes it by.
  const shape = (pd: (s: Score) => number) =>
    axes.flatMap(({ score }, i) => (score ? [spoke(i, n, R * safety(pd(score)))] : []));
  const said = axes
    .map(
      ({ dimension, score }) =>
        `${t(`dimension.${dimension}`)} ${score ? f.percent1(score.pd) : t('no_score')}`,
    )
    .join(', ');
  return (
    <figure className="radar">
      <svg viewBox="-150 -122 300 240" role="img" aria-label={t('radar_label', { said })}>
        {[...RINGS, RIM].map((pd) => (
          <polygon key={pd} points={ring(R * safety(pd))} fill="none" stroke="var(--fw-line)" />
        ))}
        {axes.map(({ dimension, score }, i) => {
          const [x, y] = spoke(i, n, R);
          const [tx, ty] = spoke(i, n, R + 14);
          const anchor = Math.abs(tx) < 8 ? 'middle' : tx < 0 ? 'end' : 'start';
          return (
            <g key={dimension} className={score ? undefined : 'radar-none'}>
              <line x2={x} y2={y} stroke="var(--fw-line)" />
              <text x={tx} y={ty + 3} fontSize="11" textAnchor={anchor}>
                {t(`dimension.${dimension}`)}
              </text>
            </g>
          );
        })}
        <path
          d={`${outline(shape((s) => s.pd_low))}${outline(shape((s) => s.pd_high))}`}
          fillRule="evenodd"
          className="radar-band"
        />
        <polygon points={path(shape((s) => s.pd))} className="radar-line" />
        {axes.map(({ dimension, score }, i) => {
          if (!score) return null;
          const [x, y] = spoke(i, n, R * safety(score.pd));
          return (
            <circle key={dimension} cx={x} cy={y} r="3.5" className="radar-dot">
              <title>{`${t(`dimension.${dimension}`)}: ${t('pd')} ${f.percent1(score.pd)}`}</title>
            </circle>
          );
        })}
        {RINGS.map((pd) => (
          <text key={pd} x="3" y={-R * safety(pd) + 10} fontSize="9" className="radar-ring">
            {f.percent(pd)}
          </text>
        ))}
      </svg>
      <figcaption className="fw-muted">{t('radar_about')}</figcaption>
    </figure>
  );
}

function Table(props: { scores: Score[] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  return (
    <Scroll label={t('scores')}>
      <table className="fw-table">
        <thead>
          <tr>
            <th scope="col">{t('dimension_of')}</th>
            <th scope="col" className="fw-num">
              {t('points')}
            </th>
            <th scope="col" className="fw-num">
              {t('pd')}
            </th>
            <th scope="col">{t('interval')}</th>
          </tr>
        </thead>
        <tbody>
          {props.scores.map((s) => (
            <tr key={s.model}>
              <th scope="row">
                {t(`dimension.${s.dimension || 'whole'}`)}
                <small className="fw-muted" title={s.model}>
                  {s.model.split(':')[0]}
                </small>
              </th>
              <td className="fw-num">{f.integer(s.points)}</td>
              <td className="fw-num">{f.percent1(s.pd)}</td>
              <td>
                <span className="pd" aria-hidden="true">
                  <i
                    className="pd-span"
                    style={{
                      left: `${100 * safety(s.pd_high)}%`,
                      width: `${100 * (safety(s.pd_low) - safety(s.pd_high))}%`,
                    }}
                  />
                  <i className="pd-mid" style={{ left: `${100 * safety(s.pd)}%` }} />
                </span>
                <span className="pd-text">
                  {f.percent1(s.pd_low)} – {f.percent1(s.pd_high)}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What costs points in one model, the most first. */
function Why(props: { score: Score }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const w = useWords();
  const { score: s } = props;
  const reasons = s.reasons ?? [];
  if (reasons.length === 0) return null;
  const top = Math.max(...reasons.map((r) => r.points), 1);
  return (
    <li>
      <details open={s.dimension === ''}>
        <summary>{t('costs', { name: t(`dimension.${s.dimension || 'whole'}`) })}</summary>
        <ol className="limit-rows">
          {reasons.map((r) => (
            <li key={r.feature}>
              <span>
                {w.feature(r.feature)}{' '}
                <small className="fw-muted">{r.bin === 'missing' ? t('missing') : r.bin}</small>
              </span>
              <span className="limit-track" aria-hidden="true">
                <i
                  className="limit-lower"
                  style={{ left: 0, width: `${(100 * r.points) / top}%` }}
                />
              </span>
              <b className="fw-num">−{f.decimal(r.points, 1)}</b>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
