import { useTitle } from '@furrow/shared/ui/useTitle';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate } from 'react-router';

/** One screen: a heading with a way back, the content, and the actions at the thumb. */
export function Screen(props: {
  title: string;
  back?: string | (() => void);
  aside?: ReactNode;
  foot?: ReactNode;
  fill?: boolean;
  children: ReactNode;
}) {
  const { t } = useTranslation('shell');
  const navigate = useNavigate();
  const { key } = useLocation();
  useTitle(props.title);
  const { back } = props;
  const leave = () => {
    if (typeof back === 'function') back();
    else if (key !== 'default') navigate(-1);
    else navigate(back ?? '/');
  };
  return (
    <>
      <header className="f-head">
        {back ? (
          <button type="button" className="f-back" onClick={leave} aria-label={t('back')}>
            <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
              <path d="M15 5 8 12l7 7" fill="none" stroke="currentColor" strokeWidth="2.2" />
            </svg>
          </button>
        ) : null}
        <h1>{props.title}</h1>
        {props.aside}
      </header>
      <main className={props.fill ? 'f-main f-fill' : 'f-main'}>{props.children}</main>
      {props.foot ? <div className="f-foot">{props.foot}</div> : null}
    </>
  );
}

/** A titled part of a screen. */
export function Part(props: { title: string; children: ReactNode }) {
  return (
    <section className="f-part">
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** Names with their values. */
export function Facts(props: { of: [name: string, value: ReactNode][] }) {
  return (
    <dl className="f-facts">
      {props.of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
