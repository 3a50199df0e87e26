import '../receivable/receivable.css';
import './sale.css';
import { addTexts } from '@furrow/shared/i18n';
import { Route, Routes } from 'react-router';
import { Detail } from './Detail';
import { List } from './List';

addTexts(import.meta.glob('../locales/*/sale.json', { eager: true, import: 'default' }));

/** The seller's desk: orders that are paid with directed loans. */
export default function Sales() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path=":id" element={<Detail />} />
    </Routes>
  );
}
