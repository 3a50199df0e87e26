import type { ApplicationDetail } from '@furrow/shared/api/types';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd-mobile';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useReview } from '../data';
import { Part } from '../ui/Screen';

const REVIEWABLE = new Set(['refused', 'offered', 'referred', 'accepted', 'signed', 'active']);

/** The right to a person's review: asked for once a decision, with its answer. */
export function AskReview({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('answer');
  const id = useId();
  const ask = useReview(detail.application.id);
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const { application, decision, review } = detail;
  if (review)
    return (
      <Part title={t('review.title')}>
        <p>{review.reason}</p>
        <p role="status">{review.closed_at ? review.answer : t('review.waits')}</p>
      </Part>
    );
  if (!decision || !REVIEWABLE.has(application.state)) return null;
  if (!open)
    return (
      <button type="button" className="fw-button fw-quiet f-quiet" onClick={() => setOpen(true)}>
        {t('review.ask')}
      </button>
    );
  return (
    <Part title={t('review.title')}>
      <div className="f-field">
        <label htmlFor={id}>{t('review.reason')}</label>
        <span className="f-input">
          <input
            id={id}
            value={reason}
            maxLength={300}
            onChange={(e) => setReason(e.target.value)}
          />
        </span>
      </div>
      {ask.error ? <Problem compact error={ask.error} /> : null}
      <Button
        block
        color="primary"
        size="large"
        disabled={!reason.trim()}
        loading={ask.isPending}
        onClick={() => ask.mutate(reason.trim())}
      >
        {t('review.send')}
      </Button>
    </Part>
  );
}
