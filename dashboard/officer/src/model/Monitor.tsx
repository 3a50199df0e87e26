import type { InputDrift, ModelMonitoring, PointsBand } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Figures } from '../pieces/Page';
import { Pill, type Tone } from '../pieces/Pill';

const drifts: Record<string, Tone> = { stable: 'good', shift: 'warn', major: 'bad' };
const fits: Record<string, Tone> = { yes: 'good', under: 'bad', over: 'warn' };

/** How a model fares: drift, calibration and overdue loans by band of points. */
export function MonitorView({ of: m }: { of: ModelMonitoring }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const drift = (code: string) => (
    <Pill tone={drifts[code] ?? 'calm'}>{t(`drift.${code}`, { defaultValue: code })}</Pill>
  );
  const bands = m.bands ?? [];
  const inputs = m.inputs ?? [];
  return (
    <>
      <Figures
        items={[
          {
            name: t('decisions'),
            value: f.integer(m.decisions),
            note: t('loans', { count: m.loans }),
          },
          {
            name: t('psi'),
            value: f.decimal(m.score_psi, 3),
            note: (
              <>
                {drift(m.drift)} {t(`baseline.${m.baseline}`, { defaultValue: m.baseline })}
              </>
            ),
          },
          { name: t('predicted'), value: f.percent1(m.predicted) },
          {
            name: t('rate'),
            value: f.percent1(m.rate),
            note: t('observed', { count: m.observed }),
          },
        ]}
      />
      {m.warnings?.length ? (
        <ul className="model-warnings">
          {m.warnings.map((code) => (
            <li key={code}>
              <Pill tone="warn">{t('warning')}</Pill>{' '}
              {t(`warnings.${code}`, { defaultValue: code })}
            </li>
          ))}
        </ul>
      ) : null}
      {bands.some((b) => b.decisions > 0) ? (
        <div className="split split-even">
          <Calibration bands={bands} />
          <Overdue bands={bands} />
        </div>
      ) : (
        <Empty text={t('no_decisions')} />
      )}
      {bands.some((b) => b.decisions > 0) ? <BandTable bands={bands} /> : null}
      {inputs.length ? <Drift inputs={inputs} drift={drift} /> : null}
    </>
  );
}

/** The points of a band; of the only one a dash. */
function name(b: PointsBand): string {
  if (b.low == null) return b.high == null ? '–' : `< ${b.high}`;
  return b.high == null ? `≥ ${b.low}` : `${b.low}–${b.high}`;
}

const W = 520;
const H = 190;
const LEFT = 44;
const FOOT = 26;

/** The frame of a picture of bands: shares upwards, bands from left to right. */
function Chart(props: {
  label: string;
  top: number;
  names: string[];
  children: (x: (i: number) => number, y: (share: number) => number, w: number) => React.ReactNode;
}) {
  const f = useFormats();
  const { top, names } = props;
  const step = (W - LEFT) / Math.max(names.length, 1);
  const x = (i: number) => LEFT + step * (i + 0.5);
  const y = (share: number) => 8 + (H - FOOT - 8) * (1 - Math.min(share, top) / top);
  return (
    <svg className="bands" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={props.label}>
      {[0, top / 2, top].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={W} y1={y(share)} y2={y(share)} className="band-grid" />
          <text x={LEFT - 6} y={y(share) + 4} textAnchor="end">
            {f.percent1(share)}
          </text>
        </g>
      ))}
      {names.map((n, i) => (
        <text key={n} x={x(i)} y={H - 8} textAnchor="middle">
          {n}
        </text>
      ))}
      {props.children(x, y, step)}
    </svg>
  );
}

const ceiling = (shares: number[]) => Math.max(0.05, Math.ceil(Math.max(...shares, 0) * 20) / 20);

/** Predicted beside what became of the loans, with the interval of that. */
function Calibration({ bands }: { bands: PointsBand[] }) {
  const { t } = useTranslation('model');
  const told = bands.filter((b) => b.observed > 0);
  const top = ceiling(told.flatMap((b) => [b.rate_high ?? 0, b.predicted ?? 0]));
  return (
    <figure className="band-figure">
      <figcaption>{t('calibration')}</figcaption>
      {told.length === 0 ? (
        <Empty text={t('no_outcome')} />
      ) : (
        <Chart label={t('calibration')} top={top} names={bands.map(name)}>
          {(x, y) =>
            bands.map((b, i) => (
              <g key={name(b)}>
                {b.rate == null ? null : (
                  <>
                    <line
                      className="band-span"
                      x1={x(i)}
                      x2={x(i)}
                      y1={y(b.rate_low ?? b.rate)}
                      y2={y(b.rate_high ?? b.rate)}
                    />
                    <circle className="band-rate" cx={x(i)} cy={y(b.rate)} r="4" />
                  </>
                )}
                {b.predicted == null ? null : (
                  <path className="band-predicted" d={`M${x(i) - 9} ${y(b.predicted)}h18`} />
                )}
              </g>
            ))
          }
        </Chart>
      )}
      <ul className="band-legend">
        <li>
          <i className="key-predicted" aria-hidden="true" /> {t('predicted')}
        </li>
        <li>
          <i className="key-rate" aria-hidden="true" /> {t('rate_interval')}
        </li>
      </ul>
    </figure>
  );
}

/** The shares of the loans of each band that are, or ever were, overdue. */
function Overdue({ bands }: { bands: PointsBand[] }) {
  const { t } = useTranslation('model');
  const share = (n: number, b: PointsBand) => (b.loans ? n / b.loans : 0);
  const top = ceiling(bands.flatMap((b) => [share(b.overdue, b), share(b.ever_30, b)]));
  return (
    <figure className="band-figure">
      <figcaption>{t('overdue_by_band')}</figcaption>
      {bands.every((b) => b.loans === 0) ? (
        <Empty text={t('no_loans')} />
      ) : (
        <Chart label={t('overdue_by_band')} top={top} names={bands.map(name)}>
          {(x, y, w) =>
            bands.map((b, i) => {
              const bar = (n: number, at: number, look: string) => (
                <rect
                  className={look}
                  x={at}
                  width={w * 0.28}
                  y={y(share(n, b))}
                  height={y(0) - y(share(n, b))}
                />
              );
              return (
                <g key={name(b)}>
                  {bar(b.overdue, x(i) - w * 0.3, 'band-now')}
                  {bar(b.ever_30, x(i) + w * 0.02, 'band-ever')}
                </g>
              );
            })
          }
        </Chart>
      )}
      <ul className="band-legend">
        <li>
          <i className="key-now" aria-hidden="true" /> {t('overdue_now')}
        </li>
        <li>
          <i className="key-ever" aria-hidden="true" /> {t('ever_30')}
        </li>
      </ul>
    </figure>
  );
}

function BandTable({ bands }: { bands: PointsBand[] }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const number = (
    key: string,
    title: string,
    cell: (b: PointsBand) => React.ReactNode,
  ): Column<PointsBand> => ({ key, title, number: true, cell });
  const columns: Column<PointsBand>[] = [
    { key: 'band', title: t('band'), cell: name },
    number('decisions', t('decisions'), (b) => f.integer(b.decisions)),
    number('loans', t('loans_column'), (b) => f.integer(b.loans)),
    number('overdue', t('overdue_now'), (b) => f.integer(b.overdue)),
    number('ever', t('ever_30'), (b) => f.integer(b.ever_30)),
    number('bad', t('bad'), (b) => `${f.integer(b.bad)} / ${f.integer(b.observed)}`),
    number('predicted', t('predicted'), (b) => f.percent1(b.predicted)),
    number('rate', t('rate_interval'), (b) =>
      b.rate == null
        ? f.percent1(null)
        : `${f.percent1(b.rate)} (${f.percent1(b.rate_low)}–${f.percent1(b.rate_high)})`,
    ),
    {
      key: 'fits',
      title: t('calibrated'),
      cell: (b) => (
        <Pill tone={fits[b.calibrated] ?? 'calm'}>
          {t(`fits.${b.calibrated}`, { defaultValue: b.calibrated })}
        </Pill>
      ),
    },
  ];
  return <DataTable label={t('bands')} rows={bands} columns={columns} rowKey={name} />;
}

/** How far each input has moved from the training rows, the most first. */
function Drift(props: { inputs: InputDrift[]; drift(code: string): React.ReactNode }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const rows = [...props.inputs].sort((a, b) => b.csi - a.csi);
  const top = Math.max(0.5, ...rows.map((i) => i.csi));
  return (
    <>
      <h3 className="model-h3">{t('input_drift')}</h3>
      <ul className="drifts">
        {rows.map((i) => (
          <li key={i.input}>
            <details>
              <summary>
                <code>{i.input}</code>
                <span className="drift-track" aria-hidden="true">
                  <i data-drift={i.drift} style={{ width: `${(100 * i.csi) / top}%` }} />
                </span>
                <b className="fw-num">{f.decimal(i.csi, 3)}</b>
                {props.drift(i.drift)}
              </summary>
              <DataTable
                label={t('bins_of', { name: i.input })}
                rows={i.bins ?? []}
                rowKey={(b) => b.bin}
                columns={[
                  { key: 'bin', title: t('bin'), cell: (b) => b.bin },
                  { key: 'then', title: t('then'), number: true, cell: (b) => f.percent1(b.then) },
                  { key: 'now', title: t('now'), number: true, cell: (b) => f.percent1(b.now) },
                ]}
              />
            </details>
          </li>
        ))}
      </ul>
    </>
  );
}
