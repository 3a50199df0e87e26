import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';

const WIDTH = 360;
const HEIGHT = 120;

/** Monthly amounts as bars, oldest first, the last one in the month of `end`. */
export function MonthBars(props: { months: number[]; end: string; label: string }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const { months } = props;
  const top = Math.max(...months, 1);
  const step = WIDTH / Math.max(months.length, 1);
  const end = new Date(props.end);
  const month = (i: number) => {
    const d = new Date(
      Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - (months.length - 1 - i), 15),
    );
    return f.date(d.toISOString()).slice(0, 7);
  };
  return (
    <figure className="bars">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 18}`} role="img" aria-label={props.label}>
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} stroke="var(--fw-line)" />
        {months.map((amount, i) => {
          const h = (amount / top) * (HEIGHT - 8);
          return (
            <g key={i}>
              <rect
                x={i * step + step * 0.14}
                y={HEIGHT - h}
                width={step * 0.72}
                height={h}
                rx="1.5"
                fill={i === months.length - 1 ? 'var(--fw-wheat)' : '#7d9a78'}
              >
                <title>{`${month(i)} ${f.yuan0(amount)}`}</title>
              </rect>
              {i % 3 === 0 ? (
                <text x={i * step + step * 0.14} y={HEIGHT + 14} fontSize="10">
                  {month(i)}
                </text>
              ) : null}
            </g>
          );
        })}
      </svg>
      <details>
        <summary>{t('shared:chart.table')}</summary>
        <table className="fw-table">
          <tbody>
            {months.map((amount, i) => (
              <tr key={i}>
                <th scope="row">{month(i)}</th>
                <td className="fw-num">{f.yuan(amount)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
