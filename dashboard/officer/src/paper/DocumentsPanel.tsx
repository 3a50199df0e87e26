import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import { contractFile, useSignatures } from './data';
import { Verify } from './Verify';

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
