import { Empty } from '@furrow/shared/ui/states';
import { type ReactNode, useMemo, useState } from 'react';

export interface Column<T> {
  key: string;
  title: string;
  cell(row: T): ReactNode;
  /** Numbers stand to the right. */
  number?: boolean;
  /** What to sort by; without it the column does not sort. */
  sort?(row: T): number | string;
}

/** A dense table whose columns sort what is loaded. `label` is its accessible caption. */
export function DataTable<T>(props: {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey(row: T): string;
  marked?: string;
  onHover?(key: string | undefined): void;
  empty?: string;
}) {
  const [by, setBy] = useState<{ key: string; down: boolean }>();
  const { rows, columns } = props;
  const sorted = useMemo(() => {
    const sort = columns.find((c) => c.key === by?.key)?.sort;
    if (!by || !sort) return rows;
    const sign = by.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [sort(a), sort(b)];
      return sign * (typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y));
    });
  }, [rows, columns, by]);

  if (rows.length === 0) return <Empty text={props.empty} />;
  return (
    <div className="table-box">
      <table className="fw-table table">
        <caption className="sr-only">{props.label}</caption>
        <thead>
          <tr>
            {columns.map((c) => {
              const on = by?.key === c.key;
              return (
                <th
                  key={c.key}
                  scope="col"
                  className={c.number ? 'fw-num' : undefined}
                  aria-sort={on ? (by.down ? 'descending' : 'ascending') : undefined}
                >
                  {c.sort ? (
                    <button
                      type="button"
                      onClick={() => setBy({ key: c.key, down: on ? !by.down : !!c.number })}
                    >
                      {c.title}
                      <i aria-hidden="true">{on ? (by.down ? '▾' : '▴') : ''}</i>
                    </button>
                  ) : (
                    c.title
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => {
            const key = props.rowKey(row);
            return (
              <tr
                key={key}
                data-key={key}
                className={key === props.marked ? 'marked' : undefined}
                onMouseEnter={props.onHover ? () => props.onHover?.(key) : undefined}
                onMouseLeave={props.onHover ? () => props.onHover?.(undefined) : undefined}
              >
                {columns.map((c) => (
                  <td key={c.key} className={c.number ? 'fw-num' : undefined}>
                    {c.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
