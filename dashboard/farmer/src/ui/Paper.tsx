/** A contract as it is read on the phone, as a file, and the evidence of its signatures. */
import type { Contract } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd-mobile';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { contractFile, useSignatures } from '../lending/data';
import { Facts, Part } from './Screen';

/** The exact words with their file; `onEnd` is told when their end was on the screen. */
export function Paper(props: { contract: Contract; method?: string | undefined; onEnd(): void }) {
  const { t } = useTranslation('answer');
  const { contract: c, onEnd } = props;
  const end = useRef<HTMLDivElement>(null);
  const told = useRef(onEnd);
  told.current = onEnd;
  useEffect(() => {
    if (!end.current) return;
    const watch = new IntersectionObserver((seen) => {
      if (seen.some((s) => s.isIntersecting)) told.current();
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, []);
  return (
    <>
      <File contract={c} method={props.method} />
      <button
        type="button"
        className="fw-button f-big"
        onClick={() => end.current?.scrollIntoView()}
      >
        {t('contract.to_end')}
      </button>
      <article className="f-contract">{c.text}</article>
      <p className="f-hint f-break">{t('contract.hash', { hash: c.hash.slice(0, 16) })}</p>
      <div ref={end} />
    </>
  );
}

/** Gives the contract as a PDF to the phone. */
function File(props: { contract: Contract; method: string | undefined }) {
  const { t } = useTranslation('offer');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { contract: c, method } = props;
  const fetchFile = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const url = URL.createObjectURL(await contractFile(c.application_id, method));
      const link = document.createElement('a');
      link.href = url;
      link.download = `contract-${c.application_id}.pdf`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button block size="large" loading={busy} onClick={() => void fetchFile()}>
        {t('pdf')}
      </Button>
      {error ? <Problem compact error={error} /> : null}
    </>
  );
}

/** What is kept of each signature. */
export function Evidence({ id }: { id: string }) {
  const { t } = useTranslation('offer');
  const f = useFormats();
  const signatures = useSignatures(id, true);
  return (
    <Part title={t('evidence.title')}>
      <Await query={signatures}>
        {({ items }) => (
          <div data-testid="evidence">
            {(items ?? []).map((s) => (
              <Facts
                key={s.nr}
                of={[
                  [t('evidence.name'), `${s.name} · ${t(`evidence.party.${s.party}`)}`],
                  [t('evidence.at'), f.time(s.at)],
                  [t('evidence.identity'), t(`evidence.by.${s.identity}`)],
                  [
                    t('evidence.seen'),
                    [
                      s.seen.rate_confirmed ? t('evidence.rate') : '',
                      s.seen.read_to_end ? t('evidence.end') : '',
                      t('evidence.seconds', { n: f.integer(s.seen.read_seconds) }),
                    ]
                      .filter(Boolean)
                      .join(' · '),
                  ],
                  [t('evidence.document'), <Hash key="d" of={s.document} />],
                  [t('evidence.chain'), <Hash key="h" of={s.hash} />],
                  [t('evidence.house'), s.key_id ? <Hash key="k" of={s.key_id} /> : '—'],
                ]}
              />
            ))}
            <p className="f-hint">{t('evidence.hint')}</p>
          </div>
        )}
      </Await>
    </Part>
  );
}

function Hash(props: { of: string }) {
  return <code className="f-break">{props.of.slice(0, 16)}</code>;
}
