import { Button } from 'antd';
import { memo, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Grid, GridCell } from './grids';
import { copy, put, remove, swap } from './source';

type Edit = (change: (text: string) => string) => void;

/** A list of the policy as a grid: cells are written in place, rows added, moved and taken out. */
export const GridTable = memo(function GridTable(props: {
  grid: Grid;
  title: string;
  edit: Edit | undefined;
}) {
  const { t } = useTranslation('strategy');
  const { grid, title, edit } = props;
  const names = grid.columns.map((c) =>
    c.own ? c.key : t(`column.${c.key}`, { defaultValue: c.key }),
  );
  return (
    <div className="table-box grid-box">
      <table className="fw-table table grid">
        <caption className="sr-only">{title}</caption>
        <thead>
          <tr>
            {grid.columns.map((c, i) => (
              <th key={c.key} scope="col" data-wide={c.wide}>
                {names[i]}
              </th>
            ))}
            {edit && grid.rowsAt ? (
              <th scope="col">
                <span className="sr-only">{t('rows.title')}</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {grid.rows.map((row, r) => (
            <tr key={`${grid.id}.${row[0]?.path.join('.') || row[0]?.text}`}>
              {row.map((cell, c) => (
                <td key={grid.columns[c]?.key} data-wide={grid.columns[c]?.wide}>
                  <CellField
                    cell={cell}
                    label={t('cell', { table: title, row: r + 1, column: names[c] })}
                    word={grid.kind === 'head' && c === 0}
                    edit={edit}
                  />
                </td>
              ))}
              {edit && grid.rowsAt ? (
                <td className="grid-tools">
                  <RowTools
                    label={`${title} ${r + 1}`}
                    at={grid.rowsAt}
                    row={r}
                    count={grid.rows.length}
                    edit={edit}
                  />
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
});

/** One cell: what is typed goes into the text when the cell is left, or by Enter. */
function CellField(props: {
  cell: GridCell;
  label: string;
  word: boolean;
  edit: Edit | undefined;
}) {
  const { t } = useTranslation('strategy');
  const { cell, edit } = props;
  const [typed, setTyped] = useState(cell.text);
  useEffect(() => setTyped(cell.text), [cell.text]);
  if (props.word) return <>{t(`head.${cell.text}`, { defaultValue: cell.text })}</>;
  if (!edit || cell.fixed) return <code>{cell.text}</code>;
  const keep = () => {
    const value = typed.replace(/\s*\n\s*/g, ' ').trim();
    if (value === cell.text) return setTyped(cell.text);
    if (value === '' && cell.blank !== undefined && cell.blank !== '-') return setTyped(cell.text);
    edit((text) => put(text, cell.path, value || (cell.blank ?? '')));
  };
  return (
    <textarea
      rows={1}
      spellCheck={false}
      aria-label={props.label}
      value={typed}
      onChange={(e) => setTyped(e.target.value)}
      onBlur={keep}
      onKeyDown={(e) => {
        if (e.key === 'Enter' && !e.nativeEvent.isComposing) {
          e.preventDefault();
          keep();
        }
        if (e.key === 'Escape') setTyped(cell.text);
      }}
    />
  );
}

function RowTools(props: {
  label: string;
  at: (string | number)[];
  row: number;
  count: number;
  edit: Edit;
}) {
  const { t } = useTranslation('strategy');
  const { at, row, edit } = props;
  const tool = (
    name: 'up' | 'down' | 'copy' | 'remove',
    sign: string,
    off: boolean,
    change: (text: string) => string,
  ) => (
    <Button
      size="small"
      type="text"
      disabled={off}
      title={t(`rows.${name}`)}
      aria-label={`${t(`rows.${name}`)} ${props.label}`}
      onClick={() => edit(change)}
    >
      <span aria-hidden="true">{sign}</span>
    </Button>
  );
  return (
    <>
      {tool('up', '↑', row === 0, (text) => swap(text, at, row - 1))}
      {tool('down', '↓', row === props.count - 1, (text) => swap(text, at, row))}
      {tool('copy', '＋', false, (text) => copy(text, at, row))}
      {tool('remove', '✕', props.count < 2, (text) => remove(text, at, row))}
    </>
  );
}
