import '@furrow/shared/base.css';
import './officer.css';
import { startFace } from '@furrow/shared/start';
import { App } from './App';

// The texts of herds, animals, refused messages, policies and models come with their pages.
startFace(
  '/officer/',
  import.meta.glob(
    ['./locales/*/*.json', '!./locales/*/{herds,animal,quarantine,chain,strategy,model}.json'],
    {
      eager: true,
      import: 'default',
    },
  ),
  <App />,
);
