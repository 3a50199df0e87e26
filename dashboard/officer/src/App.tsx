import { currentLanguage } from '@furrow/shared/i18n';
import { LiveProvider } from '@furrow/shared/live';
import { SessionGate } from '@furrow/shared/session';
import { theme } from '@furrow/shared/theme';
import { Loading } from '@furrow/shared/ui/states';
import { useQueryClient } from '@tanstack/react-query';
import { App as Antd, ConfigProvider } from 'antd';
import en from 'antd/locale/en_US';
import zh from 'antd/locale/zh_CN';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Route, Routes } from 'react-router';
import { Frame } from './frame/Frame';
import { AlertsPage } from './pages/Alerts';
import { ApplicationsPage } from './pages/Applications';
import { FirmsPage } from './pages/Firms';
import { HomePage } from './pages/Home';
import { MissingPage } from './pages/Missing';
import { SearchPage } from './pages/Search';

// Maps and curves weigh more than everything else: they come when they are needed.
const ApplicationPage = lazy(() =>
  import('./pages/Application').then((m) => ({ default: m.ApplicationPage })),
);
const FirmPage = lazy(() => import('./pages/Firm').then((m) => ({ default: m.FirmPage })));
const ChainsPage = lazy(() => import('./pages/Chain').then((m) => ({ default: m.ChainsPage })));
const ChainPage = lazy(() => import('./pages/Chain').then((m) => ({ default: m.ChainPage })));
const ShockPage = lazy(() => import('./pages/Shock').then((m) => ({ default: m.ShockPage })));
const MapPage = lazy(() => import('./pages/Map').then((m) => ({ default: m.MapPage })));
const PlotPage = lazy(() => import('./pages/Plot').then((m) => ({ default: m.PlotPage })));
const HerdsPage = lazy(() => import('./pages/Herds').then((m) => ({ default: m.HerdsPage })));
const HerdPage = lazy(() => import('./pages/Herd').then((m) => ({ default: m.HerdPage })));
const AnimalPage = lazy(() => import('./pages/Animal').then((m) => ({ default: m.AnimalPage })));
const FactsPage = lazy(() => import('./pages/Facts').then((m) => ({ default: m.FactsPage })));
const MergesPage = lazy(() => import('./pages/Merges').then((m) => ({ default: m.MergesPage })));
const ReceivablesPage = lazy(() =>
  import('./pages/Receivables').then((m) => ({ default: m.ReceivablesPage })),
);
const ReceivablePage = lazy(() =>
  import('./pages/Receivable').then((m) => ({ default: m.ReceivablePage })),
);
const PoliciesPage = lazy(() =>
  import('./strategy/Policies').then((m) => ({ default: m.PoliciesPage })),
);
const PolicyPage = lazy(() => import('./strategy/Policy').then((m) => ({ default: m.PolicyPage })));
const VersionPage = lazy(() =>
  import('./strategy/VersionPage').then((m) => ({ default: m.VersionPage })),
);
const ModelsPage = lazy(() => import('./model/Models').then((m) => ({ default: m.ModelsPage })));
const ModelPage = lazy(() => import('./model/Model').then((m) => ({ default: m.ModelPage })));
const LoanPage = lazy(() => import('./pages/Loan').then((m) => ({ default: m.LoanPage })));
const LoansPage = lazy(() => import('./pages/Loans').then((m) => ({ default: m.LoansPage })));
const ProposalsPage = lazy(() =>
  import('./pages/Proposals').then((m) => ({ default: m.ProposalsPage })),
);
const DayEndPage = lazy(() => import('./pages/DayEnd').then((m) => ({ default: m.DayEndPage })));
const IntakePage = lazy(() => import('./pages/Intake').then((m) => ({ default: m.IntakePage })));
const CounterPage = lazy(() => import('./pages/Counter').then((m) => ({ default: m.CounterPage })));
const VerifyPage = lazy(() =>
  import('./paper/VerifyPage').then((m) => ({ default: m.VerifyPage })),
);
const QuarantinePage = lazy(() =>
  import('./pages/Quarantine').then((m) => ({ default: m.QuarantinePage })),
);
const LedgerPage = lazy(() =>
  import('./ledger/LedgerPage').then((m) => ({ default: m.LedgerPage })),
);
const JournalPage = lazy(() =>
  import('./ledger/JournalPage').then((m) => ({ default: m.JournalPage })),
);
const AccountPage = lazy(() =>
  import('./ledger/AccountPage').then((m) => ({ default: m.AccountPage })),
);
const PeriodsPage = lazy(() =>
  import('./ledger/PeriodsPage').then((m) => ({ default: m.PeriodsPage })),
);
const FeesPage = lazy(() => import('./ledger/FeesPage').then((m) => ({ default: m.FeesPage })));
const FundsPage = lazy(() => import('./fund/FundsPage').then((m) => ({ default: m.FundsPage })));
const FunderPage = lazy(() => import('./fund/FunderPage').then((m) => ({ default: m.FunderPage })));
const CollateralsPage = lazy(() =>
  import('./collateral/CollateralsPage').then((m) => ({ default: m.CollateralsPage })),
);
const CollateralPage = lazy(() =>
  import('./collateral/CollateralPage').then((m) => ({ default: m.CollateralPage })),
);
const UploadsPage = lazy(() =>
  import('./borrower/Uploads').then((m) => ({ default: m.UploadsPage })),
);
const BorrowerPage = lazy(() =>
  import('./borrower/Borrower').then((m) => ({ default: m.BorrowerPage })),
);
const SellersPage = lazy(() =>
  import('./purchase/SellersPage').then((m) => ({ default: m.SellersPage })),
);
const PurchasesPage = lazy(() =>
  import('./purchase/PurchasesPage').then((m) => ({ default: m.PurchasesPage })),
);
const TracePage = lazy(() =>
  import('./purchase/TracePage').then((m) => ({ default: m.TracePage })),
);
const PaymentsPage = lazy(() =>
  import('./purchase/PaymentsPage').then((m) => ({ default: m.PaymentsPage })),
);
const StatementsPage = lazy(() =>
  import('./purchase/StatementsPage').then((m) => ({ default: m.StatementsPage })),
);
const StatementPage = lazy(() =>
  import('./purchase/StatementPage').then((m) => ({ default: m.StatementPage })),
);

export function App() {
  useTranslation();
  const client = useQueryClient();
  return (
    <ConfigProvider
      locale={currentLanguage() === 'en' ? en : zh}
      theme={theme}
      wave={{ disabled: true }}
      button={{ autoInsertSpace: false }}
    >
      <Antd notification={{ maxCount: 3 }}>
        <SessionGate roles={['officer', 'auditor']} face="officer">
          <LiveProvider onReconnect={() => void client.invalidateQueries()}>
            <Frame>
              <Suspense fallback={<Loading />}>
                <Routes>
                  <Route index element={<HomePage />} />
                  <Route path="applications" element={<ApplicationsPage />} />
                  <Route path="applications/new" element={<CounterPage />} />
                  <Route path="contracts/verify" element={<VerifyPage />} />
                  <Route path="applications/:id" element={<ApplicationPage />} />
                  <Route path="map" element={<MapPage />} />
                  <Route path="plots/:id" element={<PlotPage />} />
                  <Route path="herds" element={<HerdsPage />} />
                  <Route path="herds/:id" element={<HerdPage />} />
                  <Route path="herds/:id/animals/:animal" element={<AnimalPage />} />
                  <Route path="firms" element={<FirmsPage />} />
                  <Route path="firms/:id" element={<FirmPage />} />
                  <Route path="chain" element={<ChainsPage />} />
                  <Route path="chain/:id" element={<ChainPage />} />
                  <Route path="shock" element={<ShockPage />} />
                  <Route path="facts" element={<FactsPage />} />
                  <Route path="merges" element={<MergesPage />} />
                  <Route path="receivables" element={<ReceivablesPage />} />
                  <Route path="receivables/:id" element={<ReceivablePage />} />
                  <Route path="alerts" element={<AlertsPage />} />
                  <Route path="loans" element={<LoansPage />} />
                  <Route path="loans/:id" element={<LoanPage />} />
                  <Route path="proposals" element={<ProposalsPage />} />
                  <Route path="dayend" element={<DayEndPage />} />
                  <Route path="intake" element={<IntakePage />} />
                  <Route path="ledger" element={<LedgerPage />} />
                  <Route path="ledger/fees" element={<FeesPage />} />
                  <Route path="ledger/periods" element={<PeriodsPage />} />
                  <Route path="ledger/journal" element={<JournalPage />} />
                  <Route path="ledger/accounts/:code" element={<AccountPage />} />
                  <Route path="funds" element={<FundsPage />} />
                  <Route path="funds/:code" element={<FunderPage />} />
                  <Route path="collateral" element={<CollateralsPage />} />
                  <Route path="collateral/:id" element={<CollateralPage />} />
                  <Route path="histories" element={<UploadsPage />} />
                  <Route path="borrowers/:id" element={<BorrowerPage />} />
                  <Route path="sellers" element={<SellersPage />} />
                  <Route path="purchases" element={<PurchasesPage />} />
                  <Route path="loans/:id/trace" element={<TracePage />} />
                  <Route path="payments" element={<PaymentsPage />} />
                  <Route path="statements" element={<StatementsPage />} />
                  <Route path="statements/:day" element={<StatementPage />} />
                  <Route path="policies" element={<PoliciesPage />} />
                  <Route path="policies/:name" element={<PolicyPage />} />
                  <Route path="policies/:name/:id" element={<VersionPage />} />
                  <Route path="models" element={<ModelsPage />} />
                  <Route path="models/:name/:version" element={<ModelPage />} />
                  <Route path="quarantine" element={<QuarantinePage />} />
                  <Route path="search" element={<SearchPage />} />
                  <Route path="*" element={<MissingPage />} />
                </Routes>
              </Suspense>
            </Frame>
          </LiveProvider>
        </SessionGate>
      </Antd>
    </ConfigProvider>
  );
}
