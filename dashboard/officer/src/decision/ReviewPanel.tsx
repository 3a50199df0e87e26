import type { Review } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCloseReview } from '../data';
import { NoteDialog } from '../pieces/NoteDialog';
import { Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';

/** What the borrower wants a person to look at, and the answer. */
export function ReviewPanel({ review }: { review: Review }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const may = useMay();
  const close = useCloseReview(review.id);
  const [open, setOpen] = useState(false);
  return (
    <Panel
      title={t('review.title')}
      extra={
        may && !review.closed_at ? (
          <Button size="small" onClick={() => setOpen(true)}>
            {t('review.answer')}
          </Button>
        ) : null
      }
    >
      <p>
        <q>{review.reason}</q>
      </p>
      <p className="fw-muted">
        {review.user_name} · <time dateTime={review.opened_at}>{f.time(review.opened_at)}</time>
      </p>
      {review.closed_at ? <p>{review.answer}</p> : null}
      {open ? (
        <NoteDialog
          title={t('review.answer')}
          label={t('review.label')}
          ok={t('review.send')}
          pending={close.isPending}
          error={close.error}
          onOk={(answer) => close.mutate(answer, { onSuccess: () => setOpen(false) })}
          onCancel={() => setOpen(false)}
        />
      ) : null}
    </Panel>
  );
}
