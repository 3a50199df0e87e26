import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useContract, useSign } from '../data';
import { Facts, Screen } from '../ui/Screen';

/** The exact words, readable to the end, and the signature on their hash. */
export function Contract() {
  const { t, i18n } = useTranslation('answer');
  const f = useFormats();
  const { user } = useSession();
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const contract = useContract(id, i18n.language);
  const sign = useSign(id);
  const [agreed, setAgreed] = useState(false);
  const end = useRef<HTMLDivElement>(null);
  const open = contract.data && !contract.data.signed_at;

  const put = async () => {
    if (!contract.data) return;
    await sign.mutateAsync(contract.data.hash);
    Toast.show({ icon: 'success', content: t('contract.signed') });
    navigate(`/applications/${id}`, { replace: true });
  };

  return (
    <Screen
      title={t('contract.title')}
      back={`/applications/${id}`}
      aside={
        <button type="button" className="f-way" onClick={() => end.current?.scrollIntoView()}>
          {t('contract.to_end')}
        </button>
      }
      foot={
        open ? (
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
        ) : undefined
      }
    >
      <Await query={contract} lines={12}>
        {(c) => (
          <>
            <p className="f-hint">
              {c.signed_at
                ? t('contract.signed_at', { name: user.name, time: f.time(c.signed_at) })
                : t('contract.read')}
            </p>
            <Facts
              of={[
                [t('contract.limit'), f.yuan(c.limit)],
                [t('offered.rate'), f.rate(c.rate)],
                [t('offered.term'), t('apply:term.months', { count: c.term_months })],
                [t('loan:method_name'), t(`loan:method.${c.method}`)],
              ]}
            />
            <article className="f-contract">{c.text}</article>
            <p className="f-hint f-break">{t('contract.hash', { hash: c.hash.slice(0, 16) })}</p>
            <div ref={end}>
              {open ? (
                <label className="f-consent">
                  <input
                    type="checkbox"
                    checked={agreed}
                    onChange={(e) => setAgreed(e.target.checked)}
                  />
                  <span>{t('contract.agree')}</span>
                </label>
              ) : null}
            </div>
            {sign.error ? <Problem compact error={sign.error} /> : null}
          </>
        )}
      </Await>
    </Screen>
  );
}
