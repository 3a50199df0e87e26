import '../lending/texts';
import type { Contract as Words } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useContract } from '../data';
import { useSign } from '../lending/data';
import { Evidence, Paper } from '../ui/Paper';
import { Facts, Screen } from '../ui/Screen';
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
  const { contract: c } = props;
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
      <Paper contract={c} method={props.method} onEnd={props.onEnd} />
    </>
  );
}
