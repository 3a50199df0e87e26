import type { Alert } from '@furrow/shared/api/types';
import { useLive, useLiveStatus } from '@furrow/shared/live';
import { useSession } from '@furrow/shared/session';
import { LanguageSwitch } from '@furrow/shared/ui/LanguageSwitch';
import { Mark } from '@furrow/shared/ui/Mark';
import { useWords } from '@furrow/shared/words';
import { useQueryClient } from '@tanstack/react-query';
import { App as Antd } from 'antd';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, useLocation, useNavigate } from 'react-router';
import { useHome } from '../data';
import { alertPath } from '../pieces/subject';
import { useMay } from '../pieces/useMay';
import { Help } from './Help';
import { Icon, type IconName } from './Icon';
import { useKeys } from './keys';
import { takeAlert } from './live';

/** Where the menu leads; `acts` are for those who may change things. */
const places: { to: string; name: string; icon: IconName; acts?: boolean }[] = [
  { to: '/', name: 'home', icon: 'queue' },
  { to: '/applications', name: 'applications', icon: 'application' },
  { to: '/intake', name: 'intake', icon: 'intake', acts: true },
  { to: '/histories', name: 'histories', icon: 'history' },
  { to: '/map', name: 'map', icon: 'map' },
  { to: '/herds', name: 'herds', icon: 'herd' },
  { to: '/firms', name: 'firms', icon: 'firm' },
  { to: '/chain', name: 'chain', icon: 'chain' },
  { to: '/shock', name: 'shock', icon: 'shock' },
  { to: '/facts', name: 'facts', icon: 'fact' },
  { to: '/merges', name: 'merges', icon: 'merge' },
  { to: '/receivables', name: 'receivables', icon: 'receivable' },
  { to: '/alerts', name: 'alerts', icon: 'alert' },
  { to: '/loans', name: 'loans', icon: 'loan' },
  { to: '/proposals', name: 'proposals', icon: 'proposal' },
  { to: '/dayend', name: 'dayend', icon: 'dayend' },
  { to: '/collateral', name: 'collateral', icon: 'collateral' },
  { to: '/purchases', name: 'purchases', icon: 'purchase' },
  { to: '/payments', name: 'payments', icon: 'payment' },
  { to: '/funds', name: 'funds', icon: 'fund' },
  { to: '/ledger', name: 'ledger', icon: 'ledger' },
  { to: '/policies', name: 'policies', icon: 'policy' },
  { to: '/models', name: 'models', icon: 'model' },
  { to: '/quarantine', name: 'quarantine', icon: 'quarantine' },
];

/** What stands around every page: the menu, the search, and what arrives live. */
export function Frame(props: { children: ReactNode }) {
  const { t } = useTranslation('frame');
  const { user, signOut } = useSession();
  const navigate = useNavigate();
  const location = useLocation();
  const search = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const may = useMay();
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const home = useHome();
  const open = Object.values(home.data?.alerts ?? {}).reduce((a, b) => a + b, 0);
  const waiting = home.data?.applications?.referred ?? 0;
  const badges: Record<string, number> = { alerts: open, applications: waiting };

  useKeys({
    '/': () => search.current?.focus(),
    '?': () => setHelp(true),
    'g h': () => navigate('/'),
    'g a': () => navigate('/applications'),
    'g m': () => navigate('/map'),
    'g r': () => navigate('/herds'),
    'g f': () => navigate('/firms'),
    'g c': () => navigate('/chain'),
    'g s': () => navigate('/shock'),
    'g w': () => navigate('/alerts'),
    'g l': () => navigate('/loans'),
    'g q': () => navigate('/quarantine'),
  });
  useArrivals();
  useEffect(() => setMenu(false), [location.pathname]);

  const find = (event: FormEvent) => {
    event.preventDefault();
    const q = search.current?.value.trim();
    if (q) navigate(`/search?q=${encodeURIComponent(q)}`);
  };

  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t('skip')}
      </button>
      <aside className={menu ? 'side side-open' : 'side'}>
        <div className="side-head">
          <Link to="/">
            <Mark />
          </Link>
          <button
            type="button"
            className="menu-button"
            aria-expanded={menu}
            aria-controls="menu"
            onClick={() => setMenu(!menu)}
          >
            <Icon name="menu" />
            <span className="sr-only">{t('menu')}</span>
          </button>
        </div>
        <nav id="menu" aria-label={t('menu')}>
          <ul>
            {places
              .filter((p) => may || !p.acts)
              .map((p) => (
                <li key={p.to}>
                  <NavLink to={p.to} end={p.to === '/'}>
                    <Icon name={p.icon} />
                    <span>{t(`nav.${p.name}`)}</span>
                    {badges[p.name] ? <b>{badges[p.name]}</b> : null}
                  </NavLink>
                </li>
              ))}
          </ul>
          <div className="side-foot">
            <LiveLight />
            <button type="button" onClick={() => setHelp(true)}>
              <kbd>?</kbd> {t('help')}
            </button>
          </div>
        </nav>
      </aside>
      <div className="body">
        <header className="top">
          <search>
            <form onSubmit={find}>
              <Icon name="search" />
              <input
                ref={search}
                type="search"
                aria-label={t('search')}
                placeholder={t('search')}
                maxLength={100}
              />
              <kbd>/</kbd>
            </form>
          </search>
          <div className="fw-row top-user">
            <span>
              {user.name} <small className="fw-muted">{t(`shared:role.${user.role}`)}</small>
            </span>
            <LanguageSwitch />
            <button type="button" className="fw-button fw-quiet" onClick={() => void signOut()}>
              {t('shared:signout')}
            </button>
          </div>
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          {props.children}
        </main>
      </div>
      <Help open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function LiveLight() {
  const { t } = useTranslation('frame');
  const status = useLiveStatus();
  return (
    <span className={`live live-${status}`} role="status">
      <i aria-hidden="true" /> {t(`live.${status}`)}
    </span>
  );
}

/** Puts what arrives over the socket where it is shown, and announces new alerts. */
function useArrivals() {
  const { t } = useTranslation('frame');
  const client = useQueryClient();
  const { notification } = Antd.useApp();
  const w = useWords();
  const navigate = useNavigate();

  const announce = (a: Alert) => {
    const critical = a.severity === 'critical';
    const path = alertPath(a);
    notification[critical ? 'error' : a.severity === 'warning' ? 'warning' : 'info']({
      key: a.id,
      title: w.word('alert', a.kind),
      description: a.label,
      placement: 'bottomRight',
      duration: critical ? 12 : 6,
      role: critical ? 'alert' : 'status',
      actions: path ? (
        <button
          type="button"
          className="fw-button"
          onClick={() => {
            notification.destroy(a.id);
            navigate(path);
          }}
        >
          {t('look')}
        </button>
      ) : null,
    });
  };

  useLive((message) => {
    if (message.type === 'alert') {
      const fresh = takeAlert(client, message.alert);
      if (fresh && !message.alert.closed_at) announce(message.alert);
    } else if (message.type === 'application') {
      void client.invalidateQueries({ queryKey: ['home'] });
      void client.invalidateQueries({ queryKey: ['applications'] });
      void client.invalidateQueries({ queryKey: ['application', message.application.id] });
    } else if (message.type === 'plot')
      void client.invalidateQueries({ queryKey: ['plot', message.plot_id] });
  });
}
