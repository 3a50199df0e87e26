import { useTitle } from '@furrow/shared/ui/useTitle';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

export interface Crumb {
  to: string;
  text: string;
}

/** A page: where it stands, its heading, what can be done, and its content. */
export function Page(props: {
  title: string;
  crumbs?: Crumb[];
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useTranslation('frame');
  useTitle(props.title);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          {props.crumbs ? (
            <nav aria-label={t('breadcrumb')}>
              <ol className="crumbs">
                <li>
                  <Link to="/">{t('nav.home')}</Link>
                </li>
                {props.crumbs.map((c) => (
                  <li key={c.to}>
                    <Link to={c.to}>{c.text}</Link>
                  </li>
                ))}
              </ol>
            </nav>
          ) : null}
          <h1>{props.title}</h1>
          {props.lead ? <div className="lead">{props.lead}</div> : null}
        </div>
        {props.actions ? <div className="fw-row">{props.actions}</div> : null}
      </header>
      {props.children}
    </div>
  );
}

/** A titled part of a page. */
export function Panel(props: {
  title: string;
  extra?: ReactNode;
  className?: string;
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className={`panel ${props.className ?? ''}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.extra}
      </header>
      <div className={props.flush ? 'panel-flush' : 'panel-body'}>{props.children}</div>
    </section>
  );
}

/** Names and values, one a line. */
export function Facts(props: { rows: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A few large numbers side by side. */
export function Figures(props: { items: { name: string; value: ReactNode; note?: ReactNode }[] }) {
  return (
    <dl className="figures">
      {props.items.map((i) => (
        <div key={i.name}>
          <dt>{i.name}</dt>
          <dd>
            <b>{i.value}</b>
            {i.note ? <small>{i.note}</small> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}
