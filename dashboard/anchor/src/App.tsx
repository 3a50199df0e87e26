import { useSession } from '@furrow/shared/session';
import { theme } from '@furrow/shared/theme';
import { LanguageSwitch } from '@furrow/shared/ui/LanguageSwitch';
import { Mark } from '@furrow/shared/ui/Mark';
import { Empty, Loading } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useQueryClient } from '@tanstack/react-query';
import { App as AntApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { lazy, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, Outlet, Route, Routes } from 'react-router';
import { History } from './page/History';
import { Loans } from './page/Loans';
import { Pledges } from './page/Pledges';
import { Result } from './page/Result';
import { Suppliers } from './page/Suppliers';
import { Upload } from './page/Upload';

const Receivables = lazy(() => import('./receivable'));
const Sales = lazy(() => import('./sale'));
const Bringing = lazy(() => import('./bring'));

export function App() {
  const { i18n } = useTranslation();
  const client = useQueryClient();
  // The server writes the mistakes of cells in the reader's language.
  useEffect(() => {
    const again = () => void client.invalidateQueries();
    i18n.on('languageChanged', again);
    return () => i18n.off('languageChanged', again);
  }, [client, i18n]);
  return (
    <ConfigProvider
      theme={theme}
      locale={i18n.language === 'en' ? enUS : zhCN}
      button={{ autoInsertSpace: false }}
    >
      <AntApp>
        <Routes>
          <Route element={<Frame />}>
            <Route index element={<Upload />} />
            <Route path="uploads" element={<History />} />
            <Route path="uploads/:id" element={<Result />} />
            <Route path="suppliers" element={<Suppliers />} />
            <Route path="receivables/pledges" element={<Pledges />} />
            <Route path="receivables/*" element={<Receivables side="owed" />} />
            <Route path="holdings/*" element={<Receivables side="held" />} />
            <Route path="loans" element={<Loans />} />
            <Route path="sales/*" element={<Sales />} />
            <Route path="bring/*" element={<Bringing />} />
            <Route path="*" element={<Nowhere />} />
          </Route>
        </Routes>
      </AntApp>
    </ConfigProvider>
  );
}

function Frame() {
  const { t } = useTranslation('portal');
  const { user, signOut } = useSession();
  return (
    <>
      <a className="a-skip" href="#content">
        {t('skip')}
      </a>
      <header className="a-head">
        <Mark />
        <nav aria-label={t('menu')}>
          <NavLink to="/" end>
            {t('upload')}
          </NavLink>
          <NavLink to="/uploads">{t('history')}</NavLink>
          <NavLink to="/suppliers">{t('suppliers')}</NavLink>
          <NavLink to="/receivables">{t('receivables')}</NavLink>
          <NavLink to="/holdings">{t('holdings')}</NavLink>
          <NavLink to="/sales">{t('sales')}</NavLink>
          <NavLink to="/loans">{t('financed')}</NavLink>
          <NavLink to="/bring">{t('bring')}</NavLink>
        </nav>
        <span className="a-who">
          <span>{user.name}</span>
          <LanguageSwitch />
          <button
            type="button"
            className="fw-button fw-quiet"
            onClick={() => void signOut().catch(() => undefined)}
          >
            {t('sign_out')}
          </button>
        </span>
      </header>
      <main id="content" className="a-main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </>
  );
}

function Nowhere() {
  const { t } = useTranslation('portal');
  useTitle(t('not_found'));
  return (
    <>
      <h1>{t('not_found')}</h1>
      <Empty>
        <Link to="/">{t('to_upload')}</Link>
      </Empty>
    </>
  );
}
