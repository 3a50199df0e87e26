import { Scroll } from '@furrow/shared/ui/Scroll';
import { Empty } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

export interface Column<T> {
  key: string;
  title: string;
  cell(row: T): ReactNode;
  /** Numbers stand to the right. */
  number?: boolean;
  /** What to sort by; without it the column does not sort. */
  sort?(row: T): number | string;
}

/** Rows by a key, each key taken once: a sort of 10,000 rows costs milliseconds. */
export function sortedBy<T>(rows: T[], key: (row: T) => number | string, down: boolean): T[] {
  const sign = down ? -1 : 1;
  const keyed = rows.map((row) => ({ row, by: key(row) }));
  const { compare } = new Intl.Collator();
  keyed.sort(
    (a, b) => sign * (typeof a.by === 'string' ? compare(a.by, String(b.by)) : a.by - Number(b.by)),
  );
  return keyed.map((k) => k.row);
}

/**
 * A dense table whose columns sort what is loaded. `label` is its accessible caption;
 * with `page` it shows so many rows at a time.
 */
export function DataTable<T>(props: {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey(row: T): string;
  page?: number;
  marked?: string;
  onHover?(key: string | undefined): void;
  empty?: string;
}) {
  const [by, setBy] = useState<{ key: string; down: boolean }>();
  const [at, setAt] = useState(0);
  const { rows, columns } = props;
  const sorted = useMemo(() => {
    const sort = columns.find((c) => c.key === by?.key)?.sort;
    return by && sort ? sortedBy(rows, sort, by.down) : rows;
  }, [rows, columns, by]);

  if (rows.length === 0) return <Empty text={props.empty} />;
  const size = props.page ?? rows.length;
  const last = Math.floor((rows.length - 1) / size);
  const page = Math.min(at, last);
  const shown = sorted.slice(page * size, (page + 1) * size);
  return (
    <>
      <Scroll label={props.label} className="table-box">
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
            {shown.map((row) => {
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
      </Scroll>
      {last > 0 ? (
        <Pager
          label={props.label}
          from={page * size + 1}
          to={page * size + shown.length}
          all={rows.length}
          onBack={page > 0 ? () => setAt(page - 1) : undefined}
          onNext={page < last ? () => setAt(page + 1) : undefined}
        />
      ) : null}
    </>
  );
}

/** Which rows are shown, and the way to those before and behind them. */
function Pager(props: {
  label: string;
  from: number;
  to: number;
  all: number;
  onBack: (() => void) | undefined;
  onNext: (() => void) | undefined;
}) {
  const { t } = useTranslation('frame');
  const { from, to, all, onBack, onNext } = props;
  return (
    <nav className="pager" aria-label={t('pages_of', { name: props.label })}>
      <span className="fw-muted">{t('rows', { from, to, all })}</span>
      <Button size="small" disabled={!onBack} onClick={onBack}>
        {t('back')}
      </Button>
      <Button size="small" disabled={!onNext} onClick={onNext}>
        {t('next')}
      </Button>
    </nav>
  );
}
