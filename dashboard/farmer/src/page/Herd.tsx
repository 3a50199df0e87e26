import '../herd/texts';
import { useFormats } from '@furrow/shared/format';
import { type Bounds, boundsOf, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { Await, Empty, Loading } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { useScene } from '../data';
import { type HerdNow, useAnimals, useHerd, useLiveHerd } from '../herd/data';
import { causeOf, causes, colorOf, dotsOf } from '../herd/evidence';
import { find, isGone, type Line, lines, monthsOld, nameOf } from '../herd/find';
import { Choice } from '../ui/Choice';
import { Field } from '../ui/Field';
import { Part, Screen } from '../ui/Screen';

// The map is the heaviest part of the face; the words of the page do not wait for it.
const HerdMap = lazy(() =>
  import('@furrow/shared/map/MapView').then((m) => ({ default: m.MapView })),
);

/** Which animals the list shows: "" all, "not" those that do not count, or one cause. */
type Only = string;
const NOT_COUNTED = 'not';

/** A herd of mine: what the bank counts and why not all, where they are, and each of them. */
export default function Herd() {
  const { t } = useTranslation('herd');
  const { id = '' } = useParams();
  const herd = useHerd(id);
  useLiveHerd(id);
  const [only, setOnly] = useState<Only>('');
  const show = (cause: Only) => {
    setOnly(cause);
    document.getElementById('animals')?.scrollIntoView({ behavior: 'smooth' });
  };
  return (
    <Screen title={herd.data?.herd.name ?? t('title')} back="/">
      <Await query={herd} lines={10}>
        {(now) => (
          <>
            <Counted now={now} onShow={show} />
            <Part title={t('where')}>
              <Where now={now} />
            </Part>
            <Part title={t('animals')}>
              <Animals now={now} only={only} onOnly={setOnly} />
            </Part>
            <Part title={t('device')}>
              <p>{t('device_text')}</p>
              <Link className="fw-button f-big" to={`/herds/${id}/claim`}>
                {t('device_claim')}
              </Link>
            </Part>
          </>
        )}
      </Await>
    </Screen>
  );
}

/** How many the bank counts, and in plain words what is with the others. */
function Counted({ now, onShow }: { now: HerdNow; onShow(cause: Only): void }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const words = useWords();
  const { report: r, states } = now;
  const missing = causes(r, states);
  return (
    <>
      <div className="f-verdict" data-testid="counted">
        <h2>{t('counted')}</h2>
        <p className="f-limit">
          <span data-testid="verified">{f.integer(r.verified)}</span> <small>{t('heads')}</small>
        </p>
        <p>
          {missing.length
            ? t('of_registered', { n: f.integer(r.registered) })
            : t('all_counted', { n: f.integer(r.registered) })}
        </p>
        {r.verified ? (
          <p className="f-hint">
            {t('worth', { low: f.yuan0(r.value_low), high: f.yuan0(r.value_high) })}
          </p>
        ) : null}
        {r.last_heard ? <p className="f-hint">{t('heard', { ago: f.ago(r.last_heard) })}</p> : null}
      </div>
      {missing.length ? (
        <Part title={t('why')}>
          <ul className="f-reasons" data-testid="causes">
            {missing.map((c) => (
              <li key={c.key} data-effect="lower">
                <span className="f-sign" aria-hidden="true">
                  {c.heads > 99 ? '!' : c.heads}
                </span>
                <span>
                  {t('cause_heads', { n: f.integer(c.heads) })}
                  {t(`cause.${c.key}`, {
                    defaultValue: words.word('why', c.key),
                  })}
                  {c.named ? (
                    <button type="button" className="f-change" onClick={() => onShow(c.key)}>
                      {t('which')}
                    </button>
                  ) : null}
                </span>
              </li>
            ))}
          </ul>
        </Part>
      ) : null}
      <p className="f-hint">{countText()}</p>
    </>
  );

  function countText(): string {
    if (!r.count.windows) return t('never_counted');
    return t('people_counted', {
      low: f.integer(r.count.low),
      high: f.integer(r.count.high),
      day: f.day(r.count.last_at),
    });
  }
}

const FENCE = '#7a5c2e';
const PEN = '#2f5f87';

/** Where each animal was last seen, inside the fence and the pens. */
function Where({ now }: { now: HerdNow }) {
  const { t } = useTranslation('herd');
  const navigate = useNavigate();
  const scene = useScene();
  const { herd, states } = now;
  const dots = useMemo(() => dotsOf(states), [states]);
  const areas = useMemo(
    () => [
      { id: herd.id, polygon: herd.fence, color: FENCE, fill: 0.08 },
      ...(herd.pens ?? []).map((p) => ({
        id: p.id,
        polygon: p.area,
        color: PEN,
        label: p.name,
        fill: 0.12,
      })),
    ],
    [herd],
  );
  // The box is that of the first look: the map does not jump when animals move.
  const [bounds] = useState<Bounds | undefined>(() => {
    const corners = dots.map((d) => d.at).concat(areas.flatMap((a) => a.polygon[0] ?? []));
    const box = boundsOf(corners) ?? boundsOfPolygons([herd.fence]);
    return box && grown(box, 0.05);
  });
  const item = scene.data?.item;
  const imagery = useMemo(() => {
    const bbox = item?.bbox as Bounds | undefined;
    return item && bbox && bounds && overlap(bbox, bounds)
      ? { layer: 'truecolor' as const, items: [{ id: item.id, bbox }], opacity: 1 }
      : undefined;
  }, [item, bounds]);
  if (!dots.length) return <Empty text={t('nowhere')} />;
  const shown = [...new Set(states.map((s) => s.status))];
  return (
    <>
      <Suspense fallback={<Loading lines={6} />}>
        <HerdMap
          className="f-herd-map"
          label={t('map')}
          imagery={imagery}
          areas={areas}
          dots={dots}
          bounds={bounds}
          onSelect={(at) => {
            if (states.some((s) => s.animal_id === at)) navigate(`/animals/${at}`);
          }}
        />
      </Suspense>
      <ul className="f-legend">
        {shown.map((status) => (
          <li key={status}>
            <i style={{ background: colorOf(status) }} />
            {t(`status.${status}`, { defaultValue: status })}
          </li>
        ))}
      </ul>
      <p className="f-hint">{t('map_hint')}</p>
    </>
  );
}

const overlap = (a: Bounds, b: Bounds) =>
  a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

/** So many animals are listed at once; more when they are asked for. */
const PAGE = 20;

function Animals(props: { now: HerdNow; only: Only; onOnly(only: Only): void }) {
  const { t } = useTranslation('herd');
  const words = useWords();
  const { now, only } = props;
  const animals = useAnimals(now.herd.id);
  const [typed, setTyped] = useState('');
  const [most, setMost] = useState(PAGE);
  const all = useMemo(() => lines(animals.data ?? [], now.states), [animals.data, now.states]);
  const found = find(all, typed).filter((l) => isAmong(l, only));
  return (
    <div id="animals">
      <Field
        type="search"
        label={t('search')}
        hint={t('search_hint')}
        value={typed}
        onChange={(v) => {
          setTyped(v);
          setMost(PAGE);
        }}
      />
      <Choice
        label={t('show')}
        hideLabel
        columns={2}
        value={only && NOT_COUNTED}
        onChange={props.onOnly}
        options={[
          { value: '', label: t('show_all') },
          { value: NOT_COUNTED, label: t('show_not') },
        ]}
      />
      {only && only !== NOT_COUNTED ? (
        <p className="f-hint">
          {t('only', {
            cause: t(`cause_short.${only}`, { defaultValue: words.word('why', only) }),
          })}
        </p>
      ) : null}
      <Await query={animals} lines={6}>
        {() =>
          found.length ? (
            <>
              <p className="f-hint" role="status" data-testid="found">
                {t('found', { count: found.length })}
              </p>
              <ul className="f-rows" data-testid="animals">
                {found.slice(0, most).map((l) => (
                  <AnimalRow key={l.animal.id} line={l} />
                ))}
              </ul>
              {found.length > most ? (
                <button
                  type="button"
                  className="fw-button f-big"
                  onClick={() => setMost(most + PAGE)}
                >
                  {t('more', { count: Math.min(PAGE, found.length - most) })}
                </button>
              ) : null}
            </>
          ) : (
            <Empty text={t(typed ? 'none_found' : 'none_here')} />
          )
        }
      </Await>
    </div>
  );
}

function isAmong({ animal, state }: Line, only: Only): boolean {
  if (!only) return true;
  if (isGone(animal) || !state) return false;
  const cause = causeOf(state);
  return only === NOT_COUNTED ? !!cause : cause === only;
}

function AnimalRow({ line: { animal, state } }: { line: Line }) {
  const { t } = useTranslation('herd');
  const words = useWords();
  const months = monthsOld(animal.born, Date.now());
  const name = nameOf(animal);
  const cause = state ? causeOf(state) : '';
  return (
    <li>
      <Link className="f-row" to={`/animals/${animal.id}`}>
        <span className="f-row-text">
          <span className="f-line">
            {name ? (
              <b className="f-number">
                {name.slice(0, -4)}
                <em>{name.slice(-4)}</em>
              </b>
            ) : (
              <b>{t('no_number')}</b>
            )}
            {isGone(animal) ? (
              <span className="f-pill f-done">{t(`gone.${animal.status}`)}</span>
            ) : cause ? (
              <span className="f-pill f-wait">
                {t(`cause_short.${cause}`, { defaultValue: words.word('why', cause) })}
              </span>
            ) : null}
          </span>
          <span className="f-hint">
            {[
              t(`sex.${animal.sex || 'unknown'}`),
              months === undefined ? '' : age(months),
              animal.tag_id ? t('wears', { tag: animal.tag_id }) : t('wears_none'),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </span>
      </Link>
    </li>
  );

  function age(n: number): string {
    return n < 24 ? t('months', { count: n }) : t('years', { count: Math.floor(n / 12) });
  }
}
