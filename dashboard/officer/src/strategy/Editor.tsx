import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Choice, useParam } from '../pieces/Filter';
import { Panel } from '../pieces/Page';
import { GridTable } from './GridTable';
import { type Grid, grids } from './grids';
import type { Problem } from './problems';
import { read } from './source';
import { TextView } from './TextView';

/** A policy as tables and as text; both show and change the same text. */
export function Editor(props: {
  text: string;
  problems: Problem[];
  onChange: ((text: string) => void) | undefined;
}) {
  const { t } = useTranslation('strategy');
  const { text, onChange } = props;
  const [view, setView] = useParam('view');
  const [at, setAt] = useState<Problem>();
  const faults = useMemo(() => yamlFaults(text), [text]);
  const all = useMemo(() => grids(text), [text]);
  const problems = [...faults, ...props.problems];
  const edit = useMemo(
    () => (onChange ? (change: (s: string) => string) => onChange(change(text)) : undefined),
    [onChange, text],
  );
  return (
    <Panel
      title={t('editor')}
      className="editor"
      extra={
        <Choice
          label={t('view')}
          value={view}
          onChange={setView}
          options={[
            { value: '', text: t('tables') },
            { value: 'text', text: t('text') },
          ]}
        />
      }
    >
      {problems.length ? (
        <div className="problems" role="alert">
          <strong>{t('problems', { count: problems.length })}</strong>
          <ul>
            {problems.map((p) => (
              <li key={`${p.line}.${p.column}.${p.text}`}>
                <button
                  type="button"
                  onClick={() => {
                    setView('text');
                    setAt({ ...p });
                  }}
                >
                  {t('place', { line: p.line, column: p.column || 1 })}
                </button>{' '}
                {p.text}
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      {view === 'text' ? (
        <TextView text={text} problems={problems} at={at} onChange={onChange} />
      ) : (
        all.map((g) => <Part key={g.id} grid={g} edit={edit} />)
      )}
    </Panel>
  );
}

function Part(props: {
  grid: Grid;
  edit: ((change: (text: string) => string) => void) | undefined;
}) {
  const { t } = useTranslation('strategy');
  const { grid } = props;
  const title = [t(`part.${grid.kind}`), grid.name].filter(Boolean).join(' ');
  return (
    <section className="grid-part">
      <h3>
        {t(`part.${grid.kind}`)} {grid.name ? <code>{grid.name}</code> : null}
      </h3>
      <GridTable grid={grid} title={title} edit={props.edit} />
    </section>
  );
}

function yamlFaults(text: string): Problem[] {
  return read(text).errors.map((e) => ({
    line: e.linePos?.[0].line ?? 0,
    column: e.linePos?.[0].col ?? 0,
    text: e.message.split('\n')[0] ?? '',
  }));
}
