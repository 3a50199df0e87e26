import { api, body } from '@furrow/shared/api/client';
import type { ConsentAct, Wording } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Loading, Problem } from '@furrow/shared/ui/states';
import { useCatalogue } from '@furrow/shared/words';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ask } from '../ui/ask';
import { Part, Screen } from '../ui/Screen';
import '../lending/texts';

const PURPOSES = ['credit_decision', 'post_loan'] as const;
type Purpose = (typeof PURPOSES)[number];

/** What the bank may read of me, for what: seen, given and taken back. */
export default function Consents() {
  const { t } = useTranslation('consents');
  const catalogue = useCatalogue();
  const acts = useQuery({
    queryKey: ['consents'],
    queryFn: async () => (await body(api.GET('/api/v1/farmer/consents'))).items ?? [],
  });
  return (
    <Screen title={t('title')} back="/me">
      {acts.data && catalogue.data ? (
        PURPOSES.map((purpose) => (
          <Part key={purpose} title={t(`purpose.${purpose}`)}>
            <p>{t(`about.${purpose}`)}</p>
            {(catalogue.data.consents ?? [])
              .filter((w) => w.purpose === purpose)
              .map((w) => (
                <One key={w.part} wording={w} purpose={purpose} last={lastOf(acts.data, w)} />
              ))}
          </Part>
        ))
      ) : (
        <Await<unknown> query={acts.error ? acts : catalogue}>{() => <Loading />}</Await>
      )}
    </Screen>
  );
}

/** The last word on a part for a purpose; the history is in order. */
const lastOf = (acts: ConsentAct[], w: Wording) =>
  acts.filter((a) => a.part === w.part && a.purpose === w.purpose).at(-1);

function One(props: { wording: Wording; purpose: Purpose; last?: ConsentAct }) {
  const { t, i18n } = useTranslation('consents');
  const f = useFormats();
  const client = useQueryClient();
  const { wording: w, purpose, last } = props;
  const given = last?.kind === 'given';
  const answer = useMutation({
    mutationFn: (): Promise<unknown> =>
      given
        ? body(
            api.POST('/api/v1/farmer/consents/{part}/withdraw', {
              params: { path: { part: w.part }, query: { purpose } },
            }),
          )
        : body(
            api.POST('/api/v1/farmer/consents', {
              body: {
                consents: [{ part: w.part, purpose, text: w.hash[i18n.language] ?? '' }],
              },
            }),
          ),
    // A limit may move with it.
    onSettled: () => client.invalidateQueries(),
  });
  const follows = t(`follows.${purpose}.${w.part}`);
  const change = async () => {
    if (!given || (await ask(`${t('sure')} ${follows}`))) answer.mutate();
  };
  const name = t(`part.${w.part}`, { defaultValue: w.part });
  return (
    <section className="f-agreed" aria-label={name} data-part={w.part} data-given={given}>
      <h3>
        {name} <span>{given ? t('given') : t('not_given')}</span>
      </h3>
      <p>{w.text[i18n.language]}</p>
      {last ? (
        <p className="fw-muted">
          {t(given ? 'given_on' : 'withdrawn_on', { time: f.time(last.at) })}
        </p>
      ) : null}
      {given ? <p className="fw-muted">{follows}</p> : null}
      {answer.error ? <Problem compact error={answer.error} /> : null}
      <button
        type="button"
        className="fw-button f-big"
        disabled={answer.isPending}
        onClick={() => void change()}
      >
        {t(given ? 'withdraw' : 'give')}
      </button>
    </section>
  );
}
