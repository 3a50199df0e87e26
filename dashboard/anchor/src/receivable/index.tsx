import './receivable.css';
import { addTexts } from '@furrow/shared/i18n';
import { Route, Routes } from 'react-router';
import { Batch } from './Batch';
import { Detail } from './Detail';
import type { Side } from './data';
import { List } from './List';
import { Propose } from './Propose';

addTexts(import.meta.glob('../locales/*/receivable.json', { eager: true, import: 'default' }));

/** The pages of electronic receivables: what the enterprise owes, or what it holds. */
export default function Receivables({ side }: { side: Side }) {
  return (
    <Routes>
      <Route index element={<List key={side} side={side} />} />
      {side === 'owed' ? <Route path="new" element={<Propose />} /> : null}
      {side === 'owed' ? <Route path="batch" element={<Batch />} /> : null}
      <Route path=":id" element={<Detail side={side} />} />
    </Routes>
  );
}
