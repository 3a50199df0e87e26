import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useTimeline } from '../data';
import { Choice, useParam } from '../pieces/Filter';
import { Panel } from '../pieces/Page';
import { type Line, TimeChart } from './TimeChart';
import { barOf, deeds, hours, means, type Span, spans, type Told } from './timeline';

const ink = {
  temp: '#b3432b',
  ambient: '#2f5f87',
  activity: '#2f6b3c',
  weight: '#7a5c2e',
  lying_s: '#8b9099',
  ruminating_s: '#c8962e',
  grazing_s: '#2f7d43',
  walking_s: '#2f5f87',
};

/** How an animal was and what it did, over a day, a week or a month. */
export const TimePanel = memo(function TimePanel(props: { animalId: string }) {
  const { t } = useTranslation('animal');
  const [param, setSpan] = useParam('span');
  const span = spans.find((s) => s === param) ?? 'day';
  const query = useTimeline(props.animalId, span);
  return (
    <Panel
      title={t('time')}
      extra={
        <Choice
          label={t('span')}
          value={span}
          onChange={setSpan}
          options={spans.map((s) => ({ value: s, text: t(`spans.${s}`) }))}
        />
      }
    >
      <Await query={query} lines={8}>
        {(told) => <Charts told={told} span={span} />}
      </Await>
    </Panel>
  );
});

function Charts(props: { told: Told; span: Span }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const { told, span } = props;
  const hourly = span === 'day';
  const charts = useMemo(() => {
    const { x, y } = means(told, ['temp_c', 'ambient_c', 'activity', 'weight_kg', 'heads']);
    const line = (name: string, color: string, i: number, dash?: number[]): Line => ({
      name,
      color,
      y: y[i] ?? [],
      ...(dash ? { dash } : {}),
    });
    const bars = hours(told, barOf(span));
    return {
      x,
      temp: [line(t('tag'), ink.temp, 0), line(t('air'), ink.ambient, 1, [5, 4])].filter(
        (l, i) => i === 0 || l.y.some((v) => v != null),
      ),
      activity: [line(t('activity'), ink.activity, 2)],
      weight: [line(t('weight'), ink.weight, 3)],
      heads: [line(t('heads'), ink.weight, 4)],
      bars: {
        x: bars.x,
        lines: deeds.map(
          (d, i): Line => ({
            name: t(`deeds.${d}`),
            color: ink[d],
            y: bars.y[i] ?? [],
          }),
        ),
      },
    };
  }, [told, span, t]);
  const has = (lines: Line[]) => lines.some((l) => l.y.some((v) => v != null));
  return (
    <>
      <p className="fw-muted chart-span">
        {t('span_of', { from: f.time(told.from), to: f.time(told.to) })}
      </p>
      <TimeChart label={t('temp_unit')} x={charts.x} lines={charts.temp} hourly={hourly} />
      <TimeChart
        label={t('activity_unit')}
        x={charts.x}
        lines={charts.activity}
        hourly={hourly}
        digits={2}
      />
      <TimeChart
        label={t(hourly ? 'deeds_hour' : 'deeds_day')}
        x={charts.bars.x}
        lines={charts.bars.lines}
        hourly={hourly}
        bars
      />
      {has(charts.weight) ? (
        <TimeChart label={t('weight_unit')} x={charts.x} lines={charts.weight} hourly={hourly} />
      ) : null}
      {has(charts.heads) ? (
        <TimeChart
          label={t('heads')}
          x={charts.x}
          lines={charts.heads}
          hourly={hourly}
          digits={0}
        />
      ) : null}
    </>
  );
}
