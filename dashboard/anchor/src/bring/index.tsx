import '../receivable/receivable.css';
import { addTexts } from '@furrow/shared/i18n';
import { Route, Routes } from 'react-router';
import { Bring } from './Bring';
import { Table } from './Table';

addTexts(import.meta.glob('../locales/*/bring.json', { eager: true, import: 'default' }));

/** Suppliers and dealers that the enterprise brings to the bank. */
export default function Bringing() {
  return (
    <Routes>
      <Route index element={<Bring />} />
      <Route path="file" element={<Table />} />
    </Routes>
  );
}
