import { useTranslation } from 'react-i18next';
import type { Growth } from '../api/types';
import { useFormats } from '../format';
import { grades } from '../portrait';
import { useWords } from '../words';

const FIVE = [1, 2, 3, 4, 5];

/** The growth of a plot as one of five grades, what it may be, and its place among the peers. */
export function GradeScale(props: { growth: Growth | undefined }) {
  const { t } = useTranslation();
  const f = useFormats();
  const w = useWords();
  const g = grades(props.growth);
  if (!g || !props.growth)
    return (
      <p className="fw-muted">
        {w.word('growth_reason', props.growth?.reason) || t('growth.none')}
      </p>
    );
  return (
    <div className="fw-grade" data-grade={g.grade}>
      <ol aria-hidden="true">
        {FIVE.map((n) => (
          <li
            key={n}
            data-is={n === g.grade ? 'grade' : n >= g.low && n <= g.high ? 'maybe' : 'not'}
          >
            {w.word('grade', String(n))}
          </li>
        ))}
      </ol>
      <p>
        <b>{t('growth.grade', { grade: g.grade, word: w.word('grade', String(g.grade)) })}</b>{' '}
        {g.low < g.high ? t('growth.range', { low: g.low, high: g.high }) : t('growth.sure')}
      </p>
      <p>
        {t('growth.rank', {
          count: props.growth.peers,
          share: f.percent(props.growth.percentile / 100),
        })}
      </p>
    </div>
  );
}
