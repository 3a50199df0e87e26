import type { Payable } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Checkbox } from 'antd';
import { useTranslation } from 'react-i18next';

/** The documents on which a receivable can stand, to be ticked. */
export function Picker(props: {
  of: Payable[];
  chosen: string[];
  choose(ids: string[]): void;
  missing: boolean;
}) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const { chosen } = props;
  const toggle = (id: string, on: boolean) =>
    props.choose(on ? [...chosen, id] : chosen.filter((x) => x !== id));
  const picked = props.of.filter((p) => chosen.includes(p.document_id));
  return (
    <>
      <ul className="r-picker" aria-label={t('propose.pick')}>
        {props.of.map((p) => (
          <li key={p.document_id}>
            <Checkbox
              checked={chosen.includes(p.document_id)}
              onChange={(e) => toggle(p.document_id, e.target.checked)}
            >
              <span className="r-pick">
                <span>
                  {t(`document.${p.kind}`)} <code>{p.number}</code>
                  {p.confirmed ? (
                    <small className="a-tag" data-state="known">
                      {t('propose.confirmed')}
                    </small>
                  ) : null}
                </span>
                <b className="fw-num">{t('propose.free', { amount: f.yuan(p.free) })}</b>
                <small className="fw-muted">
                  {[
                    p.goods,
                    f.date(p.date),
                    p.due ? t('propose.pick_due', { date: f.date(p.due) }) : '',
                    p.free === p.amount ? '' : t('propose.of_amount', { amount: f.yuan(p.amount) }),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </small>
              </span>
            </Checkbox>
          </li>
        ))}
      </ul>
      <p role="status">
        {picked.length ? (
          <b>
            {t('propose.chosen', {
              count: picked.length,
              amount: f.yuan(picked.reduce((sum, p) => sum + p.free, 0)),
            })}
          </b>
        ) : props.missing ? (
          <span className="ant-form-item-explain-error">{t('propose.none_chosen')}</span>
        ) : null}
      </p>
    </>
  );
}
