import type { OfficerFactLine, Party } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { FirmSelect } from '../chain/FirmSelect';
import { NoteDialog } from '../pieces/NoteDialog';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useDecide } from './data';
import { marked } from './quote';

/** A fact with the sentence that says it, and what an officer makes of it. */
export function FactCard({ line }: { line: OfficerFactLine }) {
  const { t } = useTranslation('facts');
  const f = useFormats();
  const may = useMay();
  const decide = useDecide();
  const { claim } = line;
  const { fact } = claim;
  const [head, setHead] = useState(claim.head_id ?? '');
  const [tail, setTail] = useState(claim.tail_id ?? '');
  const [rejects, setRejects] = useState(false);
  const open = claim.state === 'pending';
  const q = fact.qualifiers;
  const details = [
    q.product,
    q.amount ? f.yuan(q.amount) : '',
    q.share ? f.percent1(q.share) : '',
    q.date,
    q.term,
    q.number,
  ].filter(Boolean);
  return (
    <article className="fact" data-fact={claim.id}>
      <div className="fact-sides">
        <Side name={fact.head} firm={line.head} />
        <span className="fact-relation">
          {t(`relation.${fact.relation}`, { defaultValue: fact.relation })}
        </span>
        <Side name={fact.tail} firm={line.tail} />
        <span className="fw-num fw-muted">
          {t('confidence', { share: f.percent(fact.confidence) })}
        </span>
        {open && claim.reason ? (
          <Pill tone="warn">{t(`reason.${claim.reason}`, { defaultValue: claim.reason })}</Pill>
        ) : null}
        {fact.planned ? <Pill tone="info">{t('planned')}</Pill> : null}
      </div>
      <blockquote>
        {marked(fact.quote, [fact.head, fact.tail]).map((piece) =>
          piece.name ? <mark key={piece.at}>{piece.text}</mark> : piece.text,
        )}
      </blockquote>
      <p className="fw-muted">
        {[...details, claim.document, f.time(claim.created_at)].join(' · ')}
        {open || !claim.decided_at
          ? null
          : ` · ${t(claim.decided_by === `${fact.extractor} ${fact.version}` ? 'by_machine' : 'by_person', { time: f.time(claim.decided_at) })}${claim.reason ? ` · ${claim.reason}` : ''}`}
      </p>
      {may && open ? (
        <div className="fw-row">
          <FirmSelect label={t('means', { name: fact.head })} value={head} onChange={setHead} />
          <span aria-hidden="true">→</span>
          <FirmSelect label={t('means', { name: fact.tail })} value={tail} onChange={setTail} />
          <Button
            type="primary"
            disabled={!head || !tail}
            loading={decide.isPending}
            onClick={() =>
              decide.mutate({ id: claim.id, state: 'accepted', head_id: head, tail_id: tail })
            }
          >
            {t('accept')}
          </Button>
          <Button onClick={() => setRejects(true)}>{t('reject')}</Button>
        </div>
      ) : null}
      {may && !open ? (
        <Button
          loading={decide.isPending}
          onClick={() => decide.mutate({ id: claim.id, state: 'pending' })}
        >
          {t('take_back')}
        </Button>
      ) : null}
      {decide.error && !rejects ? <Problem error={decide.error} compact /> : null}
      {rejects ? (
        <NoteDialog
          title={t('reject_title')}
          label={t('reject_why')}
          ok={t('reject')}
          danger
          pending={decide.isPending}
          error={decide.error}
          onOk={(reason) =>
            decide.mutate(
              { id: claim.id, state: 'rejected', reason },
              { onSuccess: () => setRejects(false) },
            )
          }
          onCancel={() => setRejects(false)}
        />
      ) : null}
    </article>
  );
}

function Side(props: { name: string; firm: Party | undefined }) {
  const { t } = useTranslation('facts');
  const { firm } = props;
  return (
    <span className="fact-side">
      <b>{props.name}</b>
      <small>
        {firm ? (
          <Link to={`/firms/${encodeURIComponent(firm.id)}`}>{firm.name}</Link>
        ) : (
          t('no_firm')
        )}
      </small>
    </span>
  );
}
