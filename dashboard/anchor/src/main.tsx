import '@furrow/shared/base.css';
import './anchor.css';
import { SessionGate } from '@furrow/shared/session';
import { startFace } from '@furrow/shared/start';
import { App } from './App';

// The texts of receivables, sales and of bringing firms come with their pages.
startFace(
  import.meta.env.BASE_URL,
  import.meta.glob(['./locales/*/*.json', '!./locales/*/{receivable,sale,bring}.json'], {
    eager: true,
    import: 'default',
  }),
  <SessionGate roles={['anchor']} face="anchor">
    <App />
  </SessionGate>,
);
