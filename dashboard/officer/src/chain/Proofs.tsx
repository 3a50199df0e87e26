import type { Proof, Way } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Pill } from '../pieces/Pill';
import './texts';

export const firmPath = (id: string) => `/firms/${encodeURIComponent(id)}`;

/** The trade on a link: its documents, amount and time, and how much it is to either side. */
export function ProofText(props: { proof: Proof }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const w = useWords();
  const p = props.proof;
  if (p.kinds.length === 0) return <p className="proof">{t('reason.named_only')}</p>;
  return (
    <p className="proof">
      <span>
        {p.kinds.map((k) => (
          <span key={k} className="kind">
            {w.word('document', k)}
          </span>
        ))}
      </span>
      <span>{t('proof_documents', { count: p.documents })}</span>
      <b>{f.yuan0(p.amount)}</b>
      <span>{t('from_to', { from: f.date(p.first), to: f.date(p.last) })}</span>
      <span>{t('of_buyer', { share: f.percent1(p.of_buyer) })}</span>
      <span>{t('of_seller', { share: f.percent1(p.of_seller) })}</span>
    </p>
  );
}

/** A way of trade, seller by seller, with the proof of every step. */
export function WaySteps(props: { way: Way; label: string }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { hops } = props.way;
  const first = hops[0];
  if (!first) return null;
  return (
    <ol className="way" aria-label={props.label}>
      <li>
        <Link to={firmPath(first.seller_id)}>{first.seller}</Link>
      </li>
      {hops.map((h) => (
        <li key={h.buyer_id}>
          <ProofText proof={h.proof} />
          <Link to={firmPath(h.buyer_id)}>{h.buyer}</Link>{' '}
          <small className="fw-muted">
            {t('confidence')} {f.percent(h.confidence)}
          </small>
        </li>
      ))}
    </ol>
  );
}

/** How sure something is, as a share in a colour that follows it. */
export function Sure(props: { share: number }) {
  const f = useFormats();
  const { share } = props;
  return (
    <Pill tone={share >= 0.75 ? 'good' : share >= 0.4 ? 'warn' : 'calm'}>{f.percent(share)}</Pill>
  );
}
