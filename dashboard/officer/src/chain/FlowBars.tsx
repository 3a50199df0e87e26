import type { FlowShares } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import './texts';

/** How much of the invoiced amount has each kind of document behind it. */
export function FlowBars(props: { flows: FlowShares }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const s = props.flows;
  if (s.invoices === 0) return <Empty text={t('no_flows')} />;
  const rows = [
    { name: 'trade', share: s.trade },
    { name: 'logistics', share: s.logistics },
    { name: 'money', share: s.money, later: s.not_due },
    { name: 'credit', share: s.credit },
    { name: 'proven', share: s.proven },
  ];
  return (
    <div className="flows">
      <p className="fw-muted">
        {t('flows_lead', { count: s.invoices, amount: f.yuan0(s.invoiced) })}
      </p>
      <dl>
        {rows.map((r) => (
          <div key={r.name} data-flow={r.name}>
            <dt>
              {t(`flow.${r.name}`)}
              {r.name === 'proven' ? <small>{t('flow_note.proven')}</small> : null}
            </dt>
            <dd>
              <span className="flow-bar" aria-hidden="true">
                <i style={{ width: `${100 * r.share}%` }} />
                {r.later ? <i className="later" style={{ width: `${100 * r.later}%` }} /> : null}
              </span>
              <b>{f.percent(r.share)}</b>
              {r.later !== undefined ? (
                <small>
                  {t('flow.not_due')} {f.percent(r.later)}
                </small>
              ) : null}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
