interface Interval {
  low: number;
  high: number;
  estimate: number;
  tags: number;
}

/** The scale that holds all of them with some room: from, to. */
export function scaleOf(all: Interval[]): [number, number] {
  const values = all.flatMap((x) => [x.low, x.high, x.estimate, x.tags]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((most - least) * 0.08, 1);
  return [Math.max(0, least - room), most + room];
}

/** An interval with its estimate, and the tags beside it. The numbers stand in the row. */
export function IntervalBar(props: { of: Interval; scale: [number, number] }) {
  const { of, scale } = props;
  const at = (n: number) => `${(100 * (n - scale[0])) / (scale[1] - scale[0])}%`;
  return (
    <span className="interval" aria-hidden="true">
      <i
        className="interval-span"
        style={{ left: at(of.low), width: `calc(${at(of.high)} - ${at(of.low)})` }}
      />
      <i className="interval-mid" style={{ left: at(of.estimate) }} />
      <i className="interval-tags" style={{ left: at(of.tags) }} />
    </span>
  );
}
