import { useLive } from '@furrow/shared/live';
import { Loading } from '@furrow/shared/ui/states';
import { useQueryClient } from '@tanstack/react-query';
import { ConfigProvider } from 'antd-mobile';
import enUS from 'antd-mobile/es/locales/en-US';
import zhCN from 'antd-mobile/es/locales/zh-CN';
import { lazy, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, Outlet, Route, Routes, useLocation } from 'react-router';
import { useLetters } from './apply/post';
import { keys } from './data';
import { Apply } from './page/Apply';
import { Home } from './page/Home';
import { Me } from './page/Me';
import { useOnline } from './ui/online';
import { Screen } from './ui/Screen';
import { useWorker } from './worker';

// The map and the chart are the heavy parts; they load with the pages that show them.
const DrawPlot = lazy(() => import('./page/DrawPlot'));
const Plot = lazy(() => import('./page/Plot'));
const Herd = lazy(() => import('./page/Herd'));
const Animal = lazy(() => import('./page/Animal'));
const Report = lazy(() => import('./page/Report'));
const Claim = lazy(() => import('./page/Claim'));
// What comes after an application waits until there is one.
const Answer = lazy(() => import('./page/Answer'));
const Contract = lazy(() => import('./page/Contract'));
const Buy = lazy(() => import('./page/Buy'));
const Order = lazy(() => import('./page/Order'));
const Loan = lazy(() => import('./page/Loan'));
const Pledge = lazy(() => import('./page/Pledge'));
const Guarantee = lazy(() => import('./page/Guarantee'));
const Consents = lazy(() => import('./page/Consents'));

export function App() {
  const { i18n } = useTranslation();
  const client = useQueryClient();
  useLive((message) => {
    if (message.type === 'application') {
      void client.invalidateQueries({ queryKey: keys.application(message.application.id) });
      void client.invalidateQueries({ queryKey: keys.home });
    } else if (message.type === 'plot') {
      void client.invalidateQueries({ queryKey: keys.plot(message.plot_id) });
      void client.invalidateQueries({ queryKey: keys.home });
    }
  });
  // The server writes reasons and contracts in the reader's language.
  useEffect(() => {
    const again = () => void client.invalidateQueries();
    i18n.on('languageChanged', again);
    return () => i18n.off('languageChanged', again);
  }, [client, i18n]);
  return (
    <ConfigProvider locale={i18n.language === 'en' ? enUS : zhCN}>
      <Routes>
        <Route element={<Frame />}>
          <Route element={<Tabs />}>
            <Route index element={<Home />} />
            <Route path="me" element={<Me />} />
          </Route>
          <Route path="me/consents" element={<Consents />} />
          <Route path="plots/new" element={<DrawPlot />} />
          <Route path="plots/:id" element={<Plot />} />
          <Route path="herds/:id" element={<Herd />} />
          <Route path="herds/:id/claim" element={<Claim />} />
          <Route path="animals/:id" element={<Animal />} />
          <Route path="animals/:id/report/:what" element={<Report />} />
          <Route path="apply" element={<Apply />} />
          <Route path="applications/:id" element={<Answer />} />
          <Route path="applications/:id/contract" element={<Contract />} />
          <Route path="applications/:id/buy" element={<Buy />} />
          <Route path="applications/:id/collateral" element={<Pledge />} />
          <Route path="orders/:id" element={<Order />} />
          <Route path="guarantees/:id" element={<Guarantee />} />
          <Route path="loans/:id" element={<Loan />} />
          <Route path="*" element={<Nowhere />} />
        </Route>
      </Routes>
    </ConfigProvider>
  );
}

function Frame() {
  const { pathname } = useLocation();
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [pathname]);
  return (
    <div className="f-frame">
      <Notices />
      <Suspense fallback={<Loading />}>
        <Outlet />
      </Suspense>
    </div>
  );
}

/** What the phone has to say on every screen: no network, a newer version. */
function Notices() {
  const { t } = useTranslation('shell');
  const online = useOnline();
  const worker = useWorker();
  return (
    <div role="status">
      {online ? null : <p className="f-offline">{t('offline')}</p>}
      {worker.fresh ? (
        <p className="f-update">
          {t('update')}
          <button type="button" onClick={worker.renew}>
            {t('update_now')}
          </button>
        </p>
      ) : null}
    </div>
  );
}

const icons = {
  home: 'M4 11 12 4l8 7v9h-5v-6H9v6H4Z',
  apply: 'M6 3h9l4 4v14H6Zm9 0v4h4M9 12h7M9 16h7',
  me: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c1-5 4-7 8-7s7 2 8 7',
};

function Tabs() {
  const { t } = useTranslation('shell');
  const letters = useLetters();
  const waiting = letters.data?.filter((l) => l.fate !== 'sent').length ?? 0;
  const tab = (to: string, name: keyof typeof icons) => (
    <NavLink to={to} end>
      <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
        <path d={icons[name]} fill="none" stroke="currentColor" strokeWidth="1.8" />
      </svg>
      <span>{t(name)}</span>
      {name === 'home' && waiting ? (
        <b className="f-count">
          <span aria-hidden="true">{waiting}</span>
          <span className="f-hidden">{t('waiting_count', { count: waiting })}</span>
        </b>
      ) : null}
    </NavLink>
  );
  return (
    <>
      <Outlet />
      <nav className="f-tabs" aria-label={t('menu')}>
        {tab('/', 'home')}
        {tab('/apply', 'apply')}
        {tab('/me', 'me')}
      </nav>
    </>
  );
}

function Nowhere() {
  const { t } = useTranslation('shell');
  return (
    <Screen title={t('not_found')} back="/">
      <p>
        <Link className="fw-button" to="/">
          {t('go_home')}
        </Link>
      </p>
    </Screen>
  );
}
