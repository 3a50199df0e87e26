import type { Worth } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';

/** What the harvest is worth, step by step, and what a lender may count on. */
export function WorthPanel(props: { worth: Worth }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const v = props.worth;
  const [low, middle, high] = v.yield_kg_per_mu;
  return (
    <Panel title={t('worth')} className="worth">
      <p className="prudent">
        <span>{t('prudent')}</span> <b>{f.yuan0(v.prudent)}</b> <small>{t('prudent_note')}</small>
      </p>
      <Facts
        rows={[
          [
            t('harvest'),
            t(v.standing ? 'harvest_standing' : 'harvest_past', { crop: w.crop(v.crop) }),
          ],
          [
            t('yield'),
            t('yield_of', {
              low: f.integer(low),
              middle: f.integer(middle),
              high: f.integer(high),
              unit: t('shared:unit.kg_mu'),
            }),
          ],
          [t('index'), t('index_of', { index: f.decimal(v.index) })],
          [
            t('price'),
            t('price_of', { price: f.yuan(v.price_fen_per_kg), date: f.date(v.price_date) }),
          ],
          [
            t('value'),
            t('value_of', {
              low: f.yuan0(v.low),
              middle: f.yuan0(v.middle),
              high: f.yuan0(v.high),
            }),
          ],
          [t('remaining_cost'), f.yuan0(v.remaining_cost)],
          [t('basis'), t('worth_basis')],
        ]}
      />
    </Panel>
  );
}
