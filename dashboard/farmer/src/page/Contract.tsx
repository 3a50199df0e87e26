import '../lending/texts';
import type { Contract as Words } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useContract } from '../data';
import { contractFile, useSign, useSignatures } from '../lending/data';
import { Facts, Part, Screen } from '../ui/Screen';
import { Cost } from './Offer';

/**
 * First the yearly cost, confirmed by itself; then the exact words, readable to the end;
 * then the signature on their hash, with what the signer was shown.
 */
export default function Contract() {
  const { t, i18n } = useTranslation('answer');
  const { id = '' } = useParams();
  const [query] = useSearchParams();
  const method = query.get('method') ?? undefined;
  const navigate = useNavigate();
  const contract = useContract(id, i18n.language, method);
  const sign = useSign(id);
  const [rate, setRate] = useState(false);
  const [agreed, setAgreed] = useState(false);
  const opened = useRef(0);
  const [atEnd, setAtEnd] = useState(false);
  const open = contract.data && !contract.data.signed_at;

  const put = async () => {
    if (!contract.data) return;
    await sign.mutateAsync({
      hash: contract.data.hash,
      seen: {
        rate_confirmed: rate,
        read_seconds: Math.round((Date.now() - opened.current) / 1000),
        read_to_end: atEnd,
      },
    });
    Toast.show({ icon: 'success', content: t('contract.signed') });
    navigate(`/applications/${id}`, { replace: true });
  };
  const confirm = () => {
    setRate(true);
    opened.current = Date.now();
    window.scrollTo(0, 0);
  };

  return (
    <Screen
      title={t(open && !rate ? 'offer:disclosure' : 'contract.title')}
      back={`/applications/${id}`}
      foot={
        !open ? undefined : rate ? (
          <Button
            block
            color="primary"
            size="large"
            disabled={!agreed}
            loading={sign.isPending}
            onClick={() => void put().catch(() => undefined)}
          >
            {t('contract.sign')}
          </Button>
        ) : (
          <Button block color="primary" size="large" onClick={confirm}>
            {t('offer:confirm_rate')}
          </Button>
        )
      }
    >
      <Await query={contract} lines={12}>
        {(c) =>
          open && !rate ? (
            <Disclosure contract={c} />
          ) : (
            <>
              <Text contract={c} method={method} onEnd={() => setAtEnd(true)} />
              {open ? (
                <label className="f-consent">
                  <input
                    type="checkbox"
                    checked={agreed}
                    onChange={(e) => setAgreed(e.target.checked)}
                  />
                  <span>{t('contract.agree')}</span>
                </label>
              ) : (
                <Evidence id={id} />
              )}
              {sign.error ? <Problem compact error={sign.error} /> : null}
            </>
          )
        }
      </Await>
    </Screen>
  );
}

/** The yearly cost on a screen of its own. */
function Disclosure({ contract: c }: { contract: Words }) {
  const { t } = useTranslation('offer');
  const f = useFormats();
  return (
    <div className="f-verdict" data-state="offered" data-testid="disclosure">
      <h2>{t('simple')}</h2>
      <p className="f-limit">{f.rate(c.cost.simple_rate)}</p>
      <p>
        {t('disclosed', {
          amount: f.yuan0(c.limit),
          months: f.integer(c.term_months),
          total: f.yuan(c.cost.total),
        })}
      </p>
      <Cost cost={c.cost} amount={c.limit} />
    </div>
  );
}

function Text(props: { contract: Words; method: string | undefined; onEnd(): void }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const { user } = useSession();
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
      <p className="f-hint">
        {c.signed_at
          ? t('contract.signed_at', { name: user.name, time: f.time(c.signed_at) })
          : t('contract.read')}
      </p>
      <Facts
        of={[
          [t('contract.limit'), f.yuan(c.limit)],
          [t('offer:simple'), f.rate(c.cost.simple_rate)],
          [t('offered.term'), t('apply:term.months', { count: c.term_months })],
          [t('loan:method_name'), t(`loan:method.${c.method}`)],
        ]}
      />
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
function File(props: { contract: Words; method: string | undefined }) {
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
function Evidence({ id }: { id: string }) {
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
