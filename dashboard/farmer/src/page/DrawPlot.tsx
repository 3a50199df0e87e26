import { idempotencyKey } from '@furrow/shared/api/client';
import { ApiError } from '@furrow/shared/api/problem';
import type { Position, Rings } from '@furrow/shared/api/types';
import { M2_PER_MU, useFormats } from '@furrow/shared/format';
import { type Bounds, boundsOf, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { useSession } from '@furrow/shared/session';
import { Problem } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { useQuery } from '@tanstack/react-query';
import { Button, Toast } from 'antd-mobile';
import {
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { forget, keep, load } from '../apply/draft';
import { checkPlot, useAddPlot, useHome, useScene } from '../data';
import { claimedM2 } from '../draw/claim';
import type { Here } from '../draw/DrawMap';
import { draw, drawing, type Shape } from '../draw/drawing';
import {
  areaM2,
  type Corner,
  cornerText,
  knot,
  parseCorners,
  perimeterM,
  polygon,
} from '../draw/ring';
import { type Search, useFinder } from '../draw/useFinder';
import { ask } from '../ui/ask';
import { Choice } from '../ui/Choice';
import { Outline } from '../ui/Outline';
import { useOnline } from '../ui/online';
import { Part, Screen } from '../ui/Screen';

const DrawMap = lazy(() => import('../draw/DrawMap'));

/** From this confidence on a suggested boundary is not called doubtful. */
const SURE = 0.6;

const hasGl = () => !!document.createElement('canvas').getContext('webgl2');

/** Two screens: the boundary, then its name and crop. What is drawn survives a reload. */
export default function DrawPlot() {
  const { t } = useTranslation('plot');
  const { user } = useSession();
  const [draft] = useState(() => load(localStorage, user.id, 'plot'));
  const [state, move] = useReducer(draw, draft, (d) =>
    drawing(d ? { corners: d.corners, closed: d.closed } : undefined),
  );
  const [name, setName] = useState(draft?.name ?? '');
  const [crop, setCrop] = useState(draft?.crop ?? '');
  const [claim, setClaim] = useState(draft?.claim ?? '');
  const [details, setDetails] = useState(false);
  const [kept, setKept] = useState(true);
  const saved = useRef(false);
  const { shape } = state;

  useEffect(() => {
    if (saved.current) return;
    if (!shape.corners.length && !name) forget(localStorage, user.id, 'plot');
    else {
      const corners = [...shape.corners];
      setKept(
        keep(localStorage, user.id, 'plot', { corners, closed: shape.closed, name, crop, claim }),
      );
    }
  }, [shape, name, crop, claim, user.id]);

  return details ? (
    <Details
      shape={shape}
      name={name}
      crop={crop}
      claim={claim}
      onName={setName}
      onCrop={setCrop}
      onClaim={setClaim}
      onBack={() => setDetails(false)}
      onSaved={() => {
        saved.current = true;
        forget(localStorage, user.id, 'plot');
      }}
    />
  ) : (
    <>
      {kept ? null : <p className="f-error">{t('shell:kept_failed')}</p>}
      <Boundary state={state} move={move} onNext={() => setDetails(true)} />
    </>
  );
}

/** What the server says about a closed boundary without knots. */
function useCheck(shape: Shape, crossing: boolean) {
  const online = useOnline();
  const rings = useMemo(() => polygon(shape.corners), [shape.corners]);
  const [settled, setSettled] = useState(rings);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(rings), 300);
    return () => clearTimeout(timer);
  }, [rings]);
  const query = useQuery({
    queryKey: ['check', settled],
    enabled: online && shape.closed && !crossing && settled === rings,
    retry: false,
    staleTime: 60_000,
    queryFn: () => checkPlot(settled),
  });
  return { ...query, online, stale: settled !== rings };
}

function Boundary(props: {
  state: ReturnType<typeof drawing>;
  move: React.Dispatch<Parameters<typeof draw>[1]>;
  onNext(): void;
}) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const { state, move } = props;
  const { corners, closed } = state.shape;
  const [way, setWay] = useState<'map' | 'list'>(() => (hasGl() ? 'map' : 'list'));
  const [gl] = useState(hasGl);
  const [selected, setSelected] = useState<number>();
  const [here, setHere] = useState<Here>();
  const centre = useRef<() => Corner>(undefined);
  const scene = useScene();
  const home = useHome();
  const online = useOnline();
  const [wanted, setWanted] = useState<'find' | 'draw'>(corners.length ? 'draw' : 'find');
  // Without a network nobody can look for the field: it is drawn by hand.
  const finding = wanted === 'find' && way === 'map' && online;
  // The map goes near enough to what was found that its corners can be told apart.
  const [focus, setFocus] = useState<Bounds>();
  const take = useCallback(
    (found: Corner[]) => {
      move({ do: 'replace', corners: found });
      const box = boundsOf(found.map((c): Position => [...c]));
      if (box) setFocus(grown(box, 0.1));
    },
    [move],
  );
  const finder = useFinder(take);
  const point = (at: Corner) => {
    // What was found elsewhere is not this field, whatever comes back.
    if (corners.length) move({ do: 'clear' });
    finder.point(at);
  };
  const byHand = (keep: boolean) => {
    if (!keep && corners.length) move({ do: 'clear' });
    finder.reset();
    setWanted('draw');
  };
  const crossing = useMemo(() => knot(corners, closed), [corners, closed]);
  const check = useCheck(state.shape, !!crossing);

  const imagery = useMemo(
    () =>
      scene.data?.item && {
        layer: 'truecolor' as const,
        items: [{ id: scene.data.item.id, bbox: scene.data.bbox as Bounds }],
        opacity: 1,
      },
    [scene.data],
  );
  const others = useMemo(
    () =>
      (home.data?.plots ?? []).map(({ plot }) => ({
        id: plot.id,
        polygon: plot.polygon,
        color: '#ffffff',
        label: plot.name,
        fill: 0.12,
      })),
    [home.data],
  );
  // Beside a plot of the same person is where the next one may well be.
  const bounds = useMemo(
    () => start(corners, others, scene.data?.item && (scene.data.bbox as Bounds)),
    [scene.data, others],
  );

  const locate = () => {
    navigator.geolocation?.getCurrentPosition(
      ({ coords }) =>
        setHere({ at: [coords.longitude, coords.latitude], accuracy: coords.accuracy }),
      () => Toast.show({ content: t('locate_failed') }),
      { enableHighAccuracy: true, timeout: 15_000 },
    );
  };
  const restart = async () => {
    if (await ask(t('clear_ask'))) move({ do: 'clear' });
  };

  const m2 = check.data && !check.stale ? check.data.area_m2 : areaM2(corners);
  const around = check.data && !check.stale ? check.data.perimeter_m : perimeterM(corners, closed);
  const ready = closed && !crossing && check.isSuccess && !check.stale;

  return (
    <Screen
      title={t('draw_title')}
      back="/"
      fill={way === 'map'}
      aside={
        gl ? (
          <button
            type="button"
            className="f-way"
            onClick={() => setWay(way === 'map' ? 'list' : 'map')}
          >
            {t(way === 'map' ? 'way_list' : 'way_map')}
          </button>
        ) : null
      }
      foot={
        <Button block color="primary" size="large" disabled={!ready} onClick={props.onNext}>
          {t(finding ? 'accept' : 'next')}
        </Button>
      }
    >
      {gl ? null : <p className="f-note">{t('no_map')}</p>}
      {way === 'map' ? (
        <>
          <div className="f-how">
            <p>
              {t(finding ? (closed ? 'how_found' : 'how_find') : closed ? 'how_closed' : 'how')}
            </p>
            {finding || corners.length || !online ? null : (
              <button type="button" onClick={() => setWanted('find')}>
                {t('find')}
              </button>
            )}
          </div>
          <div className="f-canvas">
            <Suspense fallback={null}>
              <DrawMap
                shape={state.shape}
                onMove={move}
                selected={selected}
                onSelect={setSelected}
                knot={crossing}
                imagery={imagery}
                bounds={focus ?? bounds}
                others={others}
                here={here}
                onPoint={finding ? point : undefined}
                pin={finding ? finder.search.at : undefined}
                onReady={(c) => {
                  centre.current = c;
                }}
              />
            </Suspense>
            <button type="button" className="f-locate" aria-label={t('locate')} onClick={locate}>
              <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
                <path
                  d="M12 3v4m0 10v4M3 12h4m10 0h4M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10Z"
                  fill="none"
                  stroke="currentColor"
                  strokeWidth="1.8"
                />
              </svg>
            </button>
            {scene.data?.item ? (
              <small className="f-scene">
                {t('scene_date', { date: f.date(scene.data.item.date) })}
              </small>
            ) : scene.data ? (
              <small className="f-scene">{t('no_scene')}</small>
            ) : null}
          </div>
          {finding ? (
            <div className="f-tools">
              {closed ? (
                <button type="button" onClick={() => byHand(true)}>
                  {t('adjust')}
                </button>
              ) : (
                <button
                  type="button"
                  disabled={finder.search.state === 'asking'}
                  onClick={() => centre.current && point(centre.current())}
                >
                  {t('find_here')}
                </button>
              )}
              <button type="button" onClick={() => byHand(false)}>
                {t('by_hand')}
              </button>
            </div>
          ) : (
            <Tools
              state={state}
              move={move}
              selected={selected}
              onSelect={setSelected}
              centre={() => centre.current?.()}
              onRestart={() => void restart()}
            />
          )}
        </>
      ) : (
        <CornerList
          corners={corners}
          onUse={(list) => move({ do: 'replace', corners: list })}
          closed={closed}
        />
      )}
      <div className="f-figures" aria-live="polite">
        <span>
          {t('area')} <b data-testid="area">{f.mu(m2)}</b> {t('shared:unit.mu')}
        </span>
        <span>
          {t('perimeter')} <b>{f.integer(around)}</b> {t('metre')}
        </span>
        {finding ? <Found search={finder.search} /> : null}
        <Verdict closed={closed} crossing={!!crossing} check={check} />
      </div>
    </Screen>
  );
}

/** Undo, redo, corners and closing: the tools of drawing by hand. */
function Tools(props: {
  state: ReturnType<typeof drawing>;
  move: React.Dispatch<Parameters<typeof draw>[1]>;
  selected: number | undefined;
  onSelect(index: number | undefined): void;
  centre(): Corner | undefined;
  onRestart(): void;
}) {
  const { t } = useTranslation('plot');
  const { state, move, selected } = props;
  const { corners, closed } = state.shape;
  const addHere = () => {
    const at = props.centre();
    if (at) move({ do: 'add', at });
  };
  return (
    <div className="f-tools">
      <button type="button" disabled={!state.past.length} onClick={() => move({ do: 'undo' })}>
        {t('undo')}
      </button>
      <button type="button" disabled={!state.future.length} onClick={() => move({ do: 'redo' })}>
        {t('redo')}
      </button>
      {selected !== undefined && corners[selected] ? (
        <button
          type="button"
          onClick={() => {
            move({ do: 'remove', index: selected });
            props.onSelect(undefined);
          }}
        >
          {t('remove_corner', { n: selected + 1 })}
        </button>
      ) : closed ? (
        <button type="button" onClick={props.onRestart}>
          {t('clear')}
        </button>
      ) : (
        <button type="button" onClick={addHere}>
          {t('add_here')}
        </button>
      )}
      {closed ? null : (
        <button
          type="button"
          className="f-close"
          disabled={corners.length < 3}
          onClick={() => move({ do: 'close' })}
        >
          {t('close')}
        </button>
      )}
    </div>
  );
}

/** What came of pointing at a field: how sure the boundary is, or why there is none. */
function Found(props: { search: Search }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const { search } = props;
  if (search.state === 'asking') return <p className="f-hint">{t('finding')}</p>;
  if (search.state === 'refused')
    return (
      <p className="f-note" role="alert" data-refused={search.code}>
        {t(`refused.${search.code}`, { defaultValue: search.detail || t('refused.unexpected') })}
      </p>
    );
  if (search.state === 'found') {
    const { confidence, dates } = search.suggestion;
    return (
      <p className="f-hint" data-testid="found">
        {t(confidence >= SURE ? 'found' : 'found_unsure', {
          share: f.percent(confidence),
          count: dates?.length ?? 0,
        })}
      </p>
    );
  }
  return null;
}

/** What is wrong with the boundary, or that nothing is. */
function Verdict(props: {
  closed: boolean;
  crossing: boolean;
  check: ReturnType<typeof useCheck>;
}) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const { check } = props;
  if (props.crossing) return <p className="f-error">{t('knot')}</p>;
  if (!props.closed) return null;
  if (!check.online) return <p className="f-note">{t('check_offline')}</p>;
  if (check.error)
    return check.error instanceof ApiError && check.error.detail ? (
      <p className="f-error">{check.error.detail}</p>
    ) : (
      <Problem compact error={check.error} onRetry={() => void check.refetch()} />
    );
  if (!check.data || check.stale) return <p className="f-hint">{t('checking')}</p>;
  const worst = [...(check.data.overlaps ?? [])].sort((a, b) => b.m2 - a.m2)[0];
  if (worst)
    return (
      <p className="f-note">
        {t('overlap', {
          mu: f.decimal(worst.m2 / M2_PER_MU),
          share: f.percent(worst.share),
        })}
      </p>
    );
  return <p className="f-good">{t('check_ok')}</p>;
}

/** The boundary as text, for keyboards, readers and phones without a map. */
function CornerList(props: {
  corners: readonly Corner[];
  closed: boolean;
  onUse(corners: Corner[]): void;
}) {
  const { t } = useTranslation('plot');
  const id = useId();
  const about = useId();
  const [text, setText] = useState(() => cornerText(props.corners));
  const [wrong, setWrong] = useState('');
  const use = () => {
    const read = parseCorners(text);
    if (read.wrong.length) setWrong(t('list_wrong', { lines: read.wrong.join(', ') }));
    else if (read.corners.length < 3) setWrong(t('list_few'));
    else {
      setWrong('');
      props.onUse(read.corners);
    }
  };
  return (
    <div className="f-list-way">
      <label htmlFor={id}>{t('list_label')}</label>
      <p id={about} className="f-hint f-pre">
        {t('list_help')}
      </p>
      <textarea
        id={id}
        rows={7}
        value={text}
        aria-describedby={about}
        aria-invalid={wrong ? true : undefined}
        onChange={(e) => setText(e.target.value)}
      />
      {wrong ? (
        <p className="f-error" role="alert">
          {wrong}
        </p>
      ) : null}
      <Button block onClick={use}>
        {t('list_use')}
      </Button>
      {props.closed ? (
        <Outline polygon={polygon(props.corners)} size={160} label={t('outline')} />
      ) : null}
    </div>
  );
}

function Details(props: {
  shape: Shape;
  name: string;
  crop: string;
  claim: string;
  onName(name: string): void;
  onCrop(crop: string): void;
  onClaim(claim: string): void;
  onBack(): void;
  onSaved(): void;
}) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const words = useWords();
  const navigate = useNavigate();
  const online = useOnline();
  const catalogue = useCatalogue();
  const add = useAddPlot();
  const id = useId();
  const claimId = useId();
  const claimHelp = useId();
  const rings = polygon(props.shape.corners);
  const claimed = claimedM2(props.claim);
  // A repeated tap is the same plot; a changed one is another.
  const sent = useRef({ what: '', key: '' });
  const save = async () => {
    const what = {
      name: props.name.trim(),
      crop: props.crop,
      polygon: rings,
      ...(claimed ? { claimed_m2: claimed } : {}),
    };
    const text = JSON.stringify(what);
    if (sent.current.what !== text) sent.current = { what: text, key: idempotencyKey() };
    const plot = await add.mutateAsync({ ...what, key: sent.current.key });
    props.onSaved();
    Toast.show({ icon: 'success', content: t('saved') });
    navigate(`/plots/${plot.id}`, { replace: true });
  };
  return (
    <Screen
      title={t('details_title')}
      back={props.onBack}
      foot={
        <Button
          block
          color="primary"
          size="large"
          disabled={!props.name.trim() || !online || claimed === null}
          loading={add.isPending}
          onClick={() => void save().catch(() => undefined)}
        >
          {t('save')}
        </Button>
      }
    >
      <div className="f-summary">
        <Outline polygon={rings} size={72} />
        <p>
          <b>{f.mu(areaM2(props.shape.corners))}</b> {t('shared:unit.mu')}
        </p>
      </div>
      <div className="f-field">
        <label htmlFor={id}>{t('name')}</label>
        <span className="f-input">
          <input
            id={id}
            value={props.name}
            maxLength={40}
            placeholder={t('name_hint')}
            onChange={(e) => props.onName(e.target.value)}
          />
        </span>
      </div>
      <div className="f-field">
        <label htmlFor={claimId}>{t('claim')}</label>
        <span className="f-input">
          <input
            id={claimId}
            inputMode="decimal"
            value={props.claim}
            maxLength={12}
            aria-describedby={claimHelp}
            aria-invalid={claimed === null ? true : undefined}
            onChange={(e) => props.onClaim(e.target.value)}
          />
          <span>{t('shared:unit.mu')}</span>
        </span>
        <p id={claimHelp} className={claimed === null ? 'f-error' : 'f-hint'}>
          {t(claimed === null ? 'claim_wrong' : 'claim_hint')}
        </p>
      </div>
      <Part title={t('crop')}>
        <Choice
          label={t('crop')}
          hideLabel
          columns={2}
          value={props.crop}
          onChange={props.onCrop}
          options={[
            ...(catalogue.data?.crops ?? []).map((c) => ({
              value: c.code,
              label: words.crop(c.code),
            })),
            { value: '', label: t('crop_none') },
          ]}
        />
      </Part>
      {add.error ? <Problem compact error={add.error} /> : null}
      {online ? null : <p className="f-note">{t('check_offline')}</p>}
    </Screen>
  );
}

/** Where the map opens: at the drawing, else around another plot, else over the scene. */
function start(
  corners: readonly Corner[],
  others: { polygon: Rings }[],
  scene: Bounds | undefined,
): Bounds | undefined {
  const drawn = boundsOf(corners.map((c): Position => [...c]));
  if (drawn) return grown(drawn, 0.6);
  const near = boundsOfPolygons(others.slice(0, 1).map((o) => o.polygon));
  return near ? grown(near, 1.5) : scene;
}
