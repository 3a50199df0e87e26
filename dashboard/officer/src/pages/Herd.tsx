import '../herd/texts';
import type { OfficerHerdPage } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useHerdPositions, useLive } from '@furrow/shared/live';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useHerd } from '../data';
import { AnimalTable, animalPath } from '../herd/AnimalTable';
import { BasisPanel } from '../herd/BasisPanel';
import { CountPanel } from '../herd/CountPanel';
import { ailing, byHouse, healthOf, integrityOf } from '../herd/findings';
import { HerdMap } from '../herd/HerdMap';
import { HealthPanel, IntegrityPanel } from '../herd/MatterPanel';
import { HerdStates, type Narrow } from '../herd/states';
import { AlertList } from '../pieces/AlertList';
import { useParam } from '../pieces/Filter';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';

/** A herd as tags, cameras and people tell it, moving while it is watched. */
export function HerdPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('herds');
  const w = useWords();
  const query = useHerd(id);
  const d = query.data;
  return (
    <Page
      title={d?.herd.name ?? t('one')}
      crumbs={[{ to: '/herds', text: t('title') }]}
      lead={
        d ? (
          <>
            <Pill tone={toneOf(d.report.status)}>{w.word('status', d.report.status)}</Pill>
            <span>{d.herd.owner_name}</span>
            <span>{w.word('species', d.herd.species)}</span>
            {d.herd.holding ? <span>{t('holding', { number: d.herd.holding })}</span> : null}
            {d.report.reason ? <span>{w.why(d.report.reason)}</span> : null}
          </>
        ) : null
      }
    >
      <Await query={query} lines={10}>
        {(detail) => <Body detail={detail} key={detail.herd.id} />}
      </Await>
    </Page>
  );
}

/** The herd's animals, kept up to date by the socket while the page is shown. */
export function useHerdStates(detail: Pick<OfficerHerdPage, 'herd' | 'states'>): HerdStates {
  const { id } = detail.herd;
  const [store] = useState(() => new HerdStates(detail.states ?? []));
  useEffect(() => store.load(detail.states ?? []), [store, detail.states]);
  useHerdPositions(id);
  useLive((m) => {
    if (m.type === 'positions' && m.herd_id === id) store.take(m.states ?? []);
  });
  return store;
}

function Body(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const navigate = useNavigate();
  const { detail } = props;
  const { herd } = detail;
  const store = useHerdStates(detail);
  const [marked, setMarked] = useState<string>();
  const [status] = useParam('status');
  const [sign] = useParam('sign');
  const [pen] = useParam('pen');
  const [find] = useParam('find');
  const only = useMemo<Narrow>(() => ({ status, sign, pen, find }), [status, sign, pen, find]);
  const select = useCallback(
    (animal: string) => navigate(animalPath(herd.id, animal)),
    [navigate, herd.id],
  );
  const alerts = useMemo(() => (detail.alerts ?? []).slice(0, 30), [detail.alerts]);
  return (
    <>
      <HerdFigures detail={detail} />
      <div className="split">
        <div>
          <HerdMap
            herd={herd}
            store={store}
            only={only}
            marked={marked}
            onMark={setMarked}
            onSelect={select}
          />
          <CountPanel detail={detail} />
        </div>
        <div>
          <IntegrityPanel detail={detail} />
          <HealthPanel detail={detail} />
          <Panel title={t('alerts')} flush className="herd-alerts">
            <AlertList alerts={alerts} empty={t('no_alerts')} />
          </Panel>
          <BasisPanel detail={detail} />
        </div>
      </div>
      <AnimalTable herd={herd} store={store} only={only} marked={marked} onMark={setMarked} />
    </>
  );
}

function HerdFigures(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const { report } = props.detail;
  const alerts = props.detail.alerts ?? [];
  const { count, health } = report;
  const counted = count.status !== 'unknown';
  const doubts = integrityOf(report, alerts).reduce((sum, m) => sum + m.n, 0);
  return (
    <Figures
      items={[
        {
          name: t('n.verified'),
          value: f.integer(report.verified),
          note: t(byHouse(report.species) ? 'verified_houses' : 'verified_note', {
            registered: report.registered,
            tagged: report.tagged,
          }),
        },
        {
          name: t('count'),
          value: counted ? f.integer(count.estimate) : t('unknown'),
          note: counted
            ? t('count_note', {
                low: f.integer(count.low),
                high: f.integer(count.high),
                level: f.percent(count.level),
              })
            : t(`count_why.${count.reason || 'no_counts'}`),
        },
        {
          name: t('value'),
          value: f.yuanShort(report.value),
          note: t('value_note', {
            low: f.yuanShort(report.value_low),
            high: f.yuanShort(report.value_high),
          }),
        },
        {
          name: t('health'),
          value:
            health.judged || ailing(healthOf(report, alerts))
              ? t('ailing', { count: ailing(healthOf(report, alerts)) })
              : t('unknown'),
          note: health.judged
            ? t('judged_note', { count: health.judged })
            : t('nobody_judged_short'),
        },
        {
          name: t('integrity'),
          value: doubts ? t('doubts', { count: doubts }) : t('sound'),
          note: t('where_note', {
            outside: report.outside,
            unverified: report.unverified,
            silent: report.silent + report.no_data,
          }),
        },
      ]}
    />
  );
}
