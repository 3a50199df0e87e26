import '@furrow/shared/base.css';
import './officer.css';
import { startFace } from '@furrow/shared/start';
import { App } from './App';

startFace(
  '/officer/',
  import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' }),
  <App />,
);
