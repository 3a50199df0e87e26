import type { Taken } from '@furrow/shared/api/types';
import { Problem } from '@furrow/shared/ui/states';
import { Button, Input } from 'antd';
import { type FormEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { useDocument } from './data';

/** Sends a document and shows what was found in it, nothing included. */
export function SendPanel() {
  const { t } = useTranslation('facts');
  const [file, setFile] = useState<File>();
  const [subject, setSubject] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const ids = { file: useId(), subject: useId() };
  const send = useDocument();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (file) send.mutate({ file, subject: subject.trim() });
  };
  return (
    <Panel title={t('send.title')} className="fact-send">
      <form className="fw-row" onSubmit={submit}>
        <div>
          <label htmlFor={ids.file}>{t('send.file')}</label>
          <input
            id={ids.file}
            ref={input}
            type="file"
            accept=".pdf,.docx,.xlsx,.txt,.png,.jpg,.jpeg,.tif,.tiff"
            onChange={(e) => setFile(e.target.files?.[0])}
          />
        </div>
        <div>
          <label htmlFor={ids.subject}>{t('send.subject')}</label>
          <Input
            id={ids.subject}
            value={subject}
            maxLength={200}
            onChange={(e) => setSubject(e.target.value)}
          />
        </div>
        <Button type="primary" htmlType="submit" loading={send.isPending} disabled={!file}>
          {t('send.ok')}
        </Button>
      </form>
      <p className="fw-muted">{t('send.kinds')}</p>
      {send.error ? <Problem error={send.error} compact /> : null}
      {send.data ? <Outcome taken={send.data} /> : null}
    </Panel>
  );
}

function Outcome({ taken }: { taken: Taken }) {
  const { t } = useTranslation('facts');
  const { outcome } = taken;
  const dropped = Object.entries(outcome.dropped ?? {});
  const reason = (group: string, code: string) => t(`${group}.${code}`, { defaultValue: code });
  return (
    <div className="fact-outcome" role="status">
      <p>
        <b>{t('send.done', { name: taken.document, kind: reason('kind', taken.kind) })}</b>{' '}
        {outcome.kept
          ? t('send.kept', { accepted: taken.accepted, waiting: taken.waiting })
          : reason('empty', outcome.empty ?? '')}
      </p>
      <ul>
        {taken.known ? <li>{t('send.known', { count: taken.known })}</li> : null}
        {dropped.map(([code, n]) => (
          <li key={code}>{t('send.dropped', { why: reason('dropped', code), count: n })}</li>
        ))}
        {outcome.fallback ? <li>{t('send.fallback')}</li> : null}
        {[...(taken.notes ?? []), ...(outcome.notes ?? [])].map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </div>
  );
}
