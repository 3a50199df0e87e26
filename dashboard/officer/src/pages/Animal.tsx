import '../herd/texts';
import type { AnimalState, AnimalPage as Detail } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { addTexts } from '@furrow/shared/i18n';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { IdentityPanel, LifePanel } from '../animal/LifePanel';
import { TimePanel } from '../animal/TimePanel';
import { TrackPanel } from '../animal/TrackPanel';
import { gains } from '../animal/timeline';
import { WeightPanel } from '../animal/WeightPanel';
import { useAnimal, useConfirm } from '../data';
import { useStates } from '../herd/states';
import { AlertList } from '../pieces/AlertList';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useHerdStates } from './Herd';

const EVERY_MS = 500;

addTexts(import.meta.glob('../locales/*/animal.json', { eager: true, import: 'default' }));

/** One animal: how it is, where it was, and all that is recorded of it. */
export function AnimalPage() {
  const { id = '', animal = '' } = useParams();
  const { t } = useTranslation('animal');
  const query = useAnimal(animal);
  const d = query.data;
  const now = d?.life.animal;
  return (
    <Page
      title={now?.identity.code ?? t('one')}
      crumbs={[
        { to: '/herds', text: t('herds:title') },
        { to: `/herds/${id}`, text: d?.herd.name ?? t('herds:one') },
      ]}
      lead={d ? <Who page={d} /> : null}
    >
      <Await query={query} lines={10}>
        {(page) => <Body page={page} key={page.life.animal.id} />}
      </Await>
    </Page>
  );
}

function Who(props: { page: Detail }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const w = useWords();
  const { animal } = props.page.life;
  return (
    <>
      {animal.status && animal.status !== 'alive' ? (
        <Pill tone="bad">{t(`status.${animal.status}`, { defaultValue: animal.status })}</Pill>
      ) : null}
      <span>{w.word('species', animal.species)}</span>
      {animal.sex ? <span>{t(`sex.${animal.sex}`)}</span> : null}
      <span>{t('born', { date: f.date(animal.born) })}</span>
      <span>{props.page.herd.owner_name}</span>
    </>
  );
}

function Body(props: { page: Detail }) {
  const { t } = useTranslation('animal');
  const { page } = props;
  const { animal } = page.life;
  const known = useMemo(
    () => ({ herd: page.herd, states: page.state ? [page.state] : [] }),
    [page.herd, page.state],
  );
  const store = useHerdStates(known);
  const states = useStates(store, EVERY_MS);
  const state = useMemo(() => states.find((s) => s.animal_id === animal.id), [states, animal.id]);
  const alerts = useMemo(() => (page.alerts ?? []).filter((a) => !a.closed_at), [page.alerts]);
  return (
    <>
      <State page={page} state={state} />
      <div className="split">
        <div>
          <TimePanel animalId={animal.id} />
          <LifePanel page={page} />
        </div>
        <div>
          <TrackPanel
            herd={page.herd}
            animalId={animal.id}
            code={animal.identity.code}
            state={state}
          />
          <Panel title={t('alerts')} flush>
            <AlertList alerts={alerts} empty={t('no_alerts')} />
          </Panel>
          <WeightPanel animalId={animal.id} weighings={page.weighings ?? []} />
          <IdentityPanel page={page} />
        </div>
      </div>
    </>
  );
}

/** How the animal is now; of one in doubt, the way to say what somebody saw. */
function State(props: { page: Detail; state: AnimalState | undefined }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const w = useWords();
  const { state, page } = props;
  const weighings = page.weighings ?? [];
  const last = weighings.at(-1);
  const gain = gains(weighings).at(-1);
  const signs = state?.signs ?? [];
  return (
    <>
      {state?.status === 'unverified' ? <Confirm page={page} state={state} /> : null}
      <Figures
        items={[
          {
            name: t('now'),
            value: state ? (
              <Pill tone={toneOf(state.status)}>{w.word('animal', state.status)}</Pill>
            ) : (
              t('unwatched')
            ),
            note:
              [state?.reason ? w.why(state.reason) : '', ...signs.map((s) => w.word('alert', s))]
                .filter(Boolean)
                .join(' · ') || t('no_signs'),
          },
          {
            name: t('temp_unit'),
            value: f.decimal(state?.temp_c, 1),
            note: state?.last_heard
              ? t('heard', { ago: f.ago(state.last_heard) })
              : t('herds:never'),
          },
          {
            name: t('activity_unit'),
            value: f.decimal(state?.activity),
            note: t('activity_note'),
          },
          {
            name: t('weight_unit'),
            value: f.decimal(last?.kg, 0),
            note: last
              ? gain === undefined
                ? f.date(last.at)
                : t('gain_note', { date: f.date(last.at), gain: f.decimal(gain, 2) })
              : t('never_weighed'),
          },
          {
            name: t('tag'),
            value: <code>{page.life.animal.tag_id || f.date(undefined)}</code>,
            note: t('battery', { volts: f.decimal(state?.battery_v) }),
          },
        ]}
      />
    </>
  );
}

/** Asks who looked at the animal whether it lives. */
function Confirm(props: { page: Detail; state: AnimalState }) {
  const { t } = useTranslation('animal');
  const w = useWords();
  const may = useMay();
  const confirm = useConfirm(props.page.life.animal.id, props.page.herd.id);
  return (
    <section className="doubt" aria-label={t('doubt')}>
      <p>
        <b>{t('doubt')}</b> {t('doubt_text', { why: w.why(props.state.reason) || t('unclear') })}
      </p>
      {may ? (
        <p className="fw-row">
          <Button loading={confirm.isPending} onClick={() => confirm.mutate(true)}>
            {t('seen_alive')}
          </Button>
          <Button danger loading={confirm.isPending} onClick={() => confirm.mutate(false)}>
            {t('seen_dead')}
          </Button>
        </p>
      ) : null}
      {confirm.error ? <Problem error={confirm.error} compact /> : null}
    </section>
  );
}
