import type { Receivable, ReceivableLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { ActDialog, type Wanted } from './ActDialog';
import { today } from './amount';
import { type Side, useLine } from './data';
import { Owners } from './Owners';
import { Past } from './Past';
import { Status } from './Status';
import { type ActKind, heldActs, owedActs, partActs } from './tree';

/** One receivable: what it says, who holds what of it, and what can be done. */
export function Detail({ side }: { side: Side }) {
  const { t } = useTranslation('receivable');
  const { id = '' } = useParams();
  const line = useLine(side, id);
  useTitle(line.data ? `${t('one')} · ${line.data.receivable.number}` : t('one'));
  return (
    <>
      <p>
        <Link to={side === 'owed' ? '/receivables' : '/holdings'}>{t(`${side}.back`)}</Link>
      </p>
      <Await query={line} lines={8}>
        {(l) => <Shown key={l.receivable.id} line={l} side={side} />}
      </Await>
    </>
  );
}

function Shown({ line, side }: { line: ReceivableLine; side: Side }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const firm = useSession().user.firm_id ?? '';
  const [wanted, setWanted] = useState<Wanted>();
  const { receivable: r } = line;
  const day = today();
  const acts = side === 'owed' ? owedActs(line, day) : heldActs(line, firm, day);
  const facts: [string, string][] = [
    [t('obligor'), line.names[r.obligor_id] ?? ''],
    [t('creditor'), line.names[r.creditor_id] ?? ''],
    [t('due'), f.date(r.due)],
    [t('issued'), f.date(r.issued)],
    [t('proposed_at'), f.time(r.proposed_at)],
  ];
  return (
    <>
      <h1 className="r-title">
        <code>{r.number}</code> <Status line={line} />
      </h1>
      <dl className="r-sums">
        <Sum name={t('amount')} fen={r.amount} />
        <Sum name={t('outstanding')} fen={line.outstanding} />
        {side === 'owed' ? <Sum name={t('paid')} fen={r.paid} /> : null}
        {r.set_off ? <Sum name={t('fate.set_off')} fen={r.set_off} /> : null}
      </dl>
      <dl className="a-file">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {r.note ? (
          <div>
            <dt>{t('note')}</dt>
            <dd>{r.note}</dd>
          </div>
        ) : null}
        {r.batch && side === 'owed' ? (
          <div>
            <dt>{t('batch.file')}</dt>
            <dd>
              <Link to={`/receivables?batch=${r.batch}`}>
                <code>{r.batch}</code>
              </Link>
            </dd>
          </div>
        ) : null}
      </dl>
      <CancelAsked receivable={r} mine={side === 'owed' ? r.obligor_id : firm} />
      <p className="fw-row">
        {acts.map((kind) => (
          <Button
            key={kind}
            size="large"
            type={kind === 'cancel' ? 'default' : 'primary'}
            danger={kind === 'cancel'}
            onClick={() => setWanted({ kind })}
          >
            {t(`act.${name(kind, side, r)}`)}
          </Button>
        ))}
      </p>
      <section>
        <h2>{t('owners')}</h2>
        <Owners
          line={line}
          firm={firm}
          acts={(part) => (side === 'held' ? partActs(r, part, firm, day) : [])}
          want={(kind, part) => setWanted({ kind, part })}
        />
      </section>
      <section>
        <h2>{t('documents')}</h2>
        <ul className="r-list">
          {(r.documents ?? []).map((d) => (
            <li key={`${d.document_id}/${d.key}`}>
              {t(`document.${d.kind}`)} <code>{d.number}</code>
              <b className="fw-num">{f.yuan(d.amount)}</b>
            </li>
          ))}
        </ul>
      </section>
      <Past line={line} side={side} />
      {wanted ? (
        <ActDialog line={line} side={side} wanted={wanted} close={() => setWanted(undefined)} />
      ) : null}
    </>
  );
}

/** A cancellation has three names: it withdraws, declines, or asks the other side. */
function name(kind: ActKind, side: Side, r: Receivable): string {
  if (kind !== 'cancel') return kind;
  if (r.cancel_asked_by) return 'cancel_agree';
  if (r.state === 'proposed') return 'withdraw';
  return side === 'held' && r.state === 'confirmed' ? 'decline' : 'cancel';
}

function CancelAsked({ receivable: r, mine }: { receivable: Receivable; mine: string }) {
  const { t } = useTranslation('receivable');
  if (!r.cancel_asked_by || r.state === 'cancelled') return null;
  return (
    <Alert
      className="a-notice"
      type="warning"
      showIcon
      title={t(r.cancel_asked_by === mine ? 'cancel_waits' : 'cancel_asked')}
    />
  );
}

function Sum({ name, fen }: { name: string; fen: number }) {
  const f = useFormats();
  return (
    <div>
      <dt>{name}</dt>
      <dd>{f.yuan(fen)}</dd>
    </div>
  );
}
