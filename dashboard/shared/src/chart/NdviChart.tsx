import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { CropReport, Growth } from '../api/types';
import { type Formats, useFormats } from '../format';
import { Scroll } from '../ui/Scroll';
import { ndviColumns } from './ndvi';

const ink = {
  smooth: '#2f6b3c',
  raw: '#8a6d2f',
  gap: '#8b9099',
  hazard: '#b3432b',
  grid: '#e4e0d4',
  peers: '#2f5f87',
};

/**
 * The vegetation curve of a plot: clear observations as dots, the smoothed curve as a
 * line that stops where no clear view supports it, the same crop's plots of the county
 * as a band behind it, hazards as marked spans; and the same numbers as a table.
 */
export function NdviChart(props: {
  report: CropReport;
  /** Name of a hazard kind in the reader's language. */
  hazardName(kind: string): string;
  /** Name of the reason of an observation that is not valid. */
  reasonName(reason: string): string;
  height?: number;
}) {
  const { t } = useTranslation();
  const f = useFormats();
  const box = useRef<HTMLDivElement>(null);
  const { report, hazardName, height = 300 } = props;
  const columns = useMemo(() => ndviColumns(report), [report]);
  const hazards = report.hazards;

  useEffect(() => {
    const el = box.current;
    if (!el || columns.x.length === 0) return;
    const span = (u: uPlot, from: number, to: number) => {
      const a = Math.max(u.bbox.left, u.valToPos(from, 'x', true));
      const b = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, 'x', true));
      return [a, Math.max(b, a + 2)] as const;
    };
    const font = `${11 * devicePixelRatio}px system-ui, "Noto Sans CJK SC", sans-serif`;
    const plot = new uPlot(
      {
        width: Math.max(el.clientWidth, 240),
        height,
        scales: { x: { time: true }, y: { range: [-0.1, 1] } },
        legend: { show: false },
        cursor: { drag: { x: true, y: false } },
        tzDate: (s) => uPlot.tzDate(new Date(s * 1000), 'Asia/Shanghai'),
        axes: [
          {
            grid: { show: false },
            ticks: { stroke: ink.grid },
            stroke: '#5b5f52',
            values: (_, ticks) =>
              ticks.map((s) => f.date(new Date(s * 1000).toISOString()).slice(2)),
            space: 90,
          },
          {
            grid: { stroke: ink.grid, width: 1 },
            ticks: { show: false },
            stroke: '#5b5f52',
            size: 40,
          },
        ],
        series: [
          {},
          { points: { show: false } },
          { points: { show: false } },
          { stroke: ink.peers, width: 1, dash: [5, 4], points: { show: false } },
          { stroke: ink.smooth, width: 2, points: { show: false } },
          {
            stroke: ink.raw,
            paths: () => null,
            points: { show: true, size: 5, fill: '#fff', stroke: ink.raw, width: 1.5 },
          },
        ],
        bands: [{ series: [1, 2], fill: 'rgba(47,95,135,.16)' }],
        hooks: {
          drawClear: [
            (u) => {
              const { ctx } = u;
              ctx.save();
              for (const [from, to] of columns.gaps) {
                const [a, b] = span(u, from, to);
                ctx.fillStyle = 'rgba(139,144,153,.14)';
                ctx.fillRect(a, u.bbox.top, b - a, u.bbox.height);
                ctx.beginPath();
                ctx.rect(a, u.bbox.top, b - a, u.bbox.height);
                ctx.clip();
                ctx.strokeStyle = 'rgba(139,144,153,.35)';
                ctx.lineWidth = devicePixelRatio;
                ctx.beginPath();
                for (let x = a - u.bbox.height; x < b; x += 9 * devicePixelRatio) {
                  ctx.moveTo(x, u.bbox.top + u.bbox.height);
                  ctx.lineTo(x + u.bbox.height, u.bbox.top);
                }
                ctx.stroke();
                ctx.restore();
                ctx.save();
              }
              for (const [i, h] of (hazards ?? []).entries()) {
                const [a, b] = span(u, Date.parse(h.start) / 1000, Date.parse(h.end) / 1000);
                ctx.fillStyle = 'rgba(179,67,43,.12)';
                ctx.fillRect(a, u.bbox.top, b - a, u.bbox.height);
                ctx.fillStyle = ink.hazard;
                ctx.fillRect(a, u.bbox.top, b - a, 3 * devicePixelRatio);
                ctx.font = font;
                ctx.textBaseline = 'top';
                ctx.fillText(
                  hazardName(h.kind),
                  a + 3 * devicePixelRatio,
                  u.bbox.top + (6 + 15 * i) * devicePixelRatio,
                );
              }
              ctx.restore();
            },
          ],
        },
      },
      [
        columns.x,
        columns.peers.high,
        columns.peers.low,
        columns.peers.middle,
        columns.smooth,
        columns.raw,
      ],
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
  }, [columns, hazards, height, hazardName, f]);

  const observations = report.observations ?? [];
  if (columns.x.length === 0) return <p className="fw-muted">{t('chart.none')}</p>;
  const clear = observations.filter((o) => o.valid);
  const peers = new Map((report.growth?.points ?? []).map((p) => [p.date.slice(0, 10), p]));
  const summary = t('chart.summary', {
    from: f.date(observations[0]?.date),
    to: f.date(observations.at(-1)?.date),
    clear: clear.length,
    total: observations.length,
    peak: f.decimal(Math.max(...clear.map((o) => o.ndvi))),
  });

  return (
    <figure className="fw-chart">
      <div ref={box} role="img" aria-label={`${t('chart.ndvi')}: ${summary}`} />
      <figcaption>
        <ul className="fw-legend">
          <li>
            <i style={{ background: ink.smooth, height: 3 }} /> {t('chart.smooth')}
          </li>
          <li>
            <i className="fw-ring" style={{ borderColor: ink.raw }} /> {t('chart.raw')}
          </li>
          <li>
            <i className="fw-hatch" /> {t('chart.gap')}
          </li>
          {peers.size ? (
            <li>
              <i className="fw-band" /> {t('chart.peers')}
            </li>
          ) : null}
        </ul>
        <span className="fw-muted">{summary}</span>
      </figcaption>
      <details>
        <summary>{t('chart.table')}</summary>
        <Scroll label={t('chart.table')}>
          <table className="fw-table">
            <thead>
              <tr>
                <th scope="col">{t('chart.date')}</th>
                <th scope="col" className="fw-num">
                  {t('chart.value')}
                </th>
                {peers.size ? (
                  <th scope="col" className="fw-num">
                    {t('chart.peers_short')}
                  </th>
                ) : null}
                <th scope="col" className="fw-num">
                  {t('chart.coverage')}
                </th>
                <th scope="col">{t('chart.note')}</th>
              </tr>
            </thead>
            <tbody>
              {observations.map((o) => (
                <tr key={o.date + o.scene}>
                  <td>{f.date(o.date)}</td>
                  <td className="fw-num">{o.valid ? f.decimal(o.ndvi) : f.decimal(undefined)}</td>
                  {peers.size ? (
                    <td className="fw-num">{quartiles(peers.get(o.date.slice(0, 10)), f)}</td>
                  ) : null}
                  <td className="fw-num">{f.percent(o.coverage)}</td>
                  <td>{o.reason ? props.reasonName(o.reason) : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}

/** "0.61 (0.55–0.68)": the middle of the peers with their quartiles. */
function quartiles(p: Growth['points'][number] | undefined, f: Formats): string {
  return p ? `${f.decimal(p.middle)} (${f.decimal(p.low)}–${f.decimal(p.high)})` : '';
}
