import type { Instalment } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Pill, type Tone } from './Pill';

const looks: Record<string, [tone: Tone, word: string]> = {
  future: ['wait', 'open'],
  due: ['go', 'open'],
  overdue: ['stop', 'late'],
  paid: ['done', 'paid'],
};

type Row = Pick<Instalment, 'nr' | 'due_on' | 'due' | 'principal' | 'interest' | 'fee'> &
  Partial<Pick<Instalment, 'penalty' | 'status'>>;

/** The repayment calendar: each date with what is due and what it is made of. */
export function Plan(props: { rows: Row[]; states?: boolean }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const total = props.rows.reduce((sum, r) => sum + r.due, 0);
  return (
    <table className="f-plan">
      <caption className="f-hidden">{t('calendar')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('due')}</th>
          <th scope="col" className="fw-num">
            {t('amount')}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((r) => (
          <tr key={r.nr}>
            <th scope="row">
              <small>{r.nr}</small> {f.date(r.due_on)}
              {props.states ? <State status={r.status ?? ''} /> : null}
            </th>
            <td className="fw-num">
              <b>{f.yuan(r.due + (r.penalty ?? 0))}</b>
              <small>
                {t('of_which', { principal: f.yuan(r.principal), interest: f.yuan(r.interest) })}
                {r.fee ? t('fee_of', { fee: f.yuan(r.fee) }) : ''}
                {r.penalty ? t('penalty_of', { penalty: f.yuan(r.penalty) }) : ''}
              </small>
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t('total')}</th>
          <td className="fw-num">{f.yuan(total)}</td>
        </tr>
      </tfoot>
    </table>
  );
}

function State(props: { status: string }) {
  const { t } = useTranslation('loan');
  const [tone, word] = looks[props.status] ?? ['wait', 'open'];
  return <Pill tone={tone}>{t(word)}</Pill>;
}
