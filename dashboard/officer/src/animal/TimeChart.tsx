import { type Formats, useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { stacked } from './timeline';

export interface Line {
  name: string;
  color: string;
  y: (number | null)[];
  dash?: number[];
}

/**
 * Numbers over time: lines, or bars that stand on each other; and the same as a table.
 * Where nothing was measured the line stops.
 */
export function TimeChart(props: {
  /** What is shown, with its unit. */
  label: string;
  x: number[];
  lines: Line[];
  /** Bars on each other instead of lines. */
  bars?: boolean;
  /** Points alone, of what is measured seldom. */
  points?: boolean;
  /** Ticks say the time of the day. */
  hourly?: boolean;
  digits?: number;
  /** The axis spans no less than this, so that noise does not look like a change. */
  least?: number;
  height?: number;
}) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const box = useRef<HTMLDivElement>(null);
  const { x, lines, bars, points, hourly, digits = 1, least = 1, height = 170 } = props;
  const told = useMemo(
    () => x.flatMap((_, i) => (lines.some((l) => l.y[i] != null) ? [i] : [])),
    [x, lines],
  );

  useEffect(() => {
    const el = box.current;
    if (!el || told.length === 0) return;
    const rows = lines.map((l) => l.y);
    const drawn = bars ? stacked(rows).reverse() : rows;
    const order = bars ? [...lines].reverse() : lines;
    const half = ((x[1] ?? 0) - (x[0] ?? 0)) / 2;
    const plot = new uPlot(
      {
        width: Math.max(el.clientWidth, 240),
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: {
          x: {
            time: true,
            ...(bars ? { range: [(x[0] ?? 0) - half, (x.at(-1) ?? 0) + half] } : {}),
          },
          y: {
            range: (_, low, high) =>
              bars ? [0, Math.max(high, 0.1) * 1.05] : roomy(low, high, least),
          },
        },
        tzDate: (s) => uPlot.tzDate(new Date(s * 1000), 'Asia/Shanghai'),
        axes: [
          {
            grid: { show: false },
            ticks: { stroke: '#e4e0d4' },
            stroke: '#5b5f52',
            values: (_, ticks) => ticks.map((s) => tick(f, s, hourly)),
            space: hourly ? 56 : 64,
          },
          {
            grid: { stroke: '#e4e0d4', width: 1 },
            ticks: { show: false },
            stroke: '#5b5f52',
            size: 44,
          },
        ],
        series: [
          {},
          ...order.map((l): uPlot.Series => {
            if (bars) {
              const paths = uPlot.paths.bars?.({ size: [0.8, 48] });
              return {
                stroke: l.color,
                fill: l.color,
                width: 0,
                points: { show: false },
                ...(paths ? { paths } : {}),
              };
            }
            return {
              stroke: l.color,
              width: 1.6,
              points: { show: points ?? alone(l.y), size: points ? 6 : 4, fill: l.color },
              ...(l.dash ? { dash: l.dash } : {}),
            };
          }),
        ],
      },
      [x, ...drawn],
      el,
    );
    const resize = new ResizeObserver(() =>
      plot.setSize({ width: Math.max(el.clientWidth, 240), height }),
    );
    resize.observe(el);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [x, lines, bars, points, hourly, height, least, told, f]);

  if (told.length === 0)
    return (
      <figure className="fw-chart time-chart">
        <figcaption>
          <b>{props.label}</b>
        </figcaption>
        <p className="fw-muted">{t('not_measured')}</p>
      </figure>
    );
  return (
    <figure className="fw-chart time-chart">
      <figcaption>
        <b>{props.label}</b>
        <ul className="fw-legend">
          {lines.length > 1 || bars
            ? lines.map((l) => (
                <li key={l.name}>
                  <i style={{ background: l.color, height: bars ? 10 : 3 }} /> {l.name}
                </li>
              ))
            : null}
        </ul>
      </figcaption>
      <div ref={box} role="img" aria-label={summary(props.label, lines, f, digits)} />
      <details>
        <summary>{t('shared:chart.table')}</summary>
        <Scroll label={props.label}>
          <table className="fw-table">
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                {lines.map((l) => (
                  <th key={l.name} scope="col" className="fw-num">
                    {l.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {told.map((i) => (
                <tr key={x[i]}>
                  <td>{f.time(iso(x[i] ?? 0))}</td>
                  {lines.map((l) => (
                    <td key={l.name} className="fw-num">
                      {f.decimal(l.y[i], digits)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}

const iso = (s: number) => new Date(s * 1000).toISOString();

const tick = (f: Formats, s: number, hourly: boolean | undefined) =>
  hourly ? f.clock(iso(s)) : f.date(iso(s)).slice(5);

/** A span with some room, no smaller than `least`; what is never negative stays above 0. */
function roomy(low: number, high: number, least: number): [number, number] {
  const more = Math.max((least - (high - low)) / 2, 0.05 * (high - low));
  return [low >= 0 ? Math.max(0, low - more) : low - more, high + more];
}

/** Whether values stand without neighbours, so that a line alone would not show them. */
function alone(y: (number | null)[]): boolean {
  return y.some((v, i) => v != null && y[i - 1] == null && y[i + 1] == null);
}

/** "Temperature °C: tag 31.2–33.4; air 20.1–21.9". */
function summary(label: string, lines: Line[], f: Formats, digits: number): string {
  const parts = lines.flatMap((l) => {
    const there = l.y.filter((v): v is number => v != null);
    if (there.length === 0) return [];
    const [least, most] = [Math.min(...there), Math.max(...there)];
    return [`${l.name} ${f.decimal(least, digits)}–${f.decimal(most, digits)}`];
  });
  return `${label}: ${parts.join('; ')}`;
}
