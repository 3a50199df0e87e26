import '@furrow/shared/base.css';
import './officer.css';
import { startFace } from '@furrow/shared/start';
import { App } from './App';

// The texts of what is not looked at each day come with their pages.
startFace(
  '/officer/',
  import.meta.glob(
    [
      './locales/*/*.json',
      '!./locales/*/{herds,animal,quarantine,chain,strategy,model,servicing,paper,collateral,fund,ledger,purchase}.json',
    ],
    {
      eager: true,
      import: 'default',
    },
  ),
  <App />,
);
