import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { contractFile, useSignatures, useVerify } from './data';

/** The contract as a file, who signed it and how, and whether a file at hand is the same. */
export function DocumentsPanel(props: { applicationId: string }) {
  const { t } = useTranslation('paper');
  const f = useFormats();
  const { applicationId: id } = props;
  const signatures = useSignatures(id);
  return (
    <Panel
      title={t('documents')}
      className="documents"
      extra={
        <a href={contractFile(id)} target="_blank" rel="noreferrer">
          {t('contract_pdf')}
        </a>
      }
    >
      <Await query={signatures} lines={3}>
        {(list) =>
          list.length ? (
            <>
              {list.map((s) => (
                <details key={s.nr} className="signature">
                  <summary>
                    <b>{s.name}</b> {t(`party.${s.party}`, { defaultValue: s.party })} ·{' '}
                    <time dateTime={s.at}>{f.time(s.at)}</time>
                  </summary>
                  <Facts
                    rows={[
                      [t('identity'), t(`by.${s.identity}`, { defaultValue: s.identity })],
                      ...(s.proof ? [[t('proof'), s.proof] as [string, string]] : []),
                      [t('device'), s.device || '—'],
                      [
                        t('seen'),
                        t('seen_as', {
                          count: s.seen.read_seconds,
                          end: t(s.seen.read_to_end ? 'yes' : 'no'),
                          rate: t(s.seen.rate_confirmed ? 'yes' : 'no'),
                        }),
                      ],
                      [t('consents'), t('consents_count', { count: s.consents?.length ?? 0 })],
                      [t('document_hash'), <Hash key="d" text={s.document} />],
                      [t('words_hash'), <Hash key="w" text={s.text} />],
                      [t('record_hash'), <Hash key="h" text={s.hash} />],
                      [t('house_key'), s.key_id ? <Hash key="k" text={s.key_id} /> : t('no_key')],
                    ]}
                  />
                </details>
              ))}
              <Verify id={id} />
            </>
          ) : (
            <p className="fw-muted">{t('not_signed')}</p>
          )
        }
      </Await>
    </Panel>
  );
}

const Hash = (props: { text: string }) => (
  <code className="hash" title={props.text}>
    {props.text}
  </code>
);

/** Holds a file against what was signed. */
function Verify(props: { id: string }) {
  const { t } = useTranslation('paper');
  const verify = useVerify(props.id);
  const [file, setFile] = useState<File>();
  const field = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    verify.mutate(file);
  };
  const check = verify.data;
  return (
    <form className="verify" onSubmit={submit}>
      <label htmlFor={field}>{t('verify_file')}</label>
      <div className="fw-row">
        <input
          id={field}
          type="file"
          accept=".pdf"
          onChange={(e) => {
            setFile(e.target.files?.[0]);
            verify.reset();
          }}
        />
        <Button htmlType="submit" size="small" loading={verify.isPending}>
          {t(file ? 'verify' : 'verify_kept')}
        </Button>
      </div>
      {verify.error ? <Problem error={verify.error} compact /> : null}
      {check ? (
        <p role="status" data-genuine={check.genuine}>
          <Pill tone={check.genuine ? 'good' : 'bad'}>
            {t(check.genuine ? 'genuine' : 'not_genuine')}
          </Pill>{' '}
          {check.why ?? t('checked', { count: check.chain })}
        </p>
      ) : null}
    </form>
  );
}
