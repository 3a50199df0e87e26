import '../herd/texts';
import type { LifeEvent } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { type AnimalLife, useAnimal, useAnimals, useHerd, useLiveHerd } from '../herd/data';
import { causeOf } from '../herd/evidence';
import { isGone, monthsOld, nameOf } from '../herd/find';
import { reportsOf } from '../herd/report';
import { Facts, Part, Screen } from '../ui/Screen';

/** One animal of mine: whether it counts, whether it is pledged, and its life so far. */
export default function Animal() {
  const { t } = useTranslation('herd');
  const { id = '' } = useParams();
  const animal = useAnimal(id);
  const a = animal.data?.life.animal;
  return (
    <Screen title={a ? nameOf(a) || t('no_number') : t('animal')} back="/">
      <Await query={animal} lines={10}>
        {(page) => <Known page={page} />}
      </Await>
    </Screen>
  );
}

function Known({ page }: { page: AnimalLife }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const { herd, life } = page;
  const a = life.animal;
  const pen = herd.pens?.find((p) => p.id === a.pen_id);
  const months = monthsOld(a.born, Date.now());
  const old =
    months === undefined
      ? ''
      : months < 24
        ? t('months', { count: months })
        : t('years', { count: Math.floor(months / 12) });
  const can = reportsOf(a, herd.pens?.length ?? 0);
  return (
    <>
      <Standing page={page} />
      <Pledged page={page} />
      <Facts
        of={[
          [t('fact.sex'), t(`sex.${a.sex || 'unknown'}`)],
          ...(months === undefined
            ? []
            : [[t('fact.born'), `${f.date(a.born)} · ${old}`] as [string, ReactNode]]),
          [t('fact.tag'), a.tag_id || t('wears_none')],
          ...(pen ? [[t('fact.pen'), pen.name] as [string, ReactNode]] : []),
          [
            t('fact.herd'),
            <Link key="herd" to={`/herds/${herd.id}`}>
              {herd.name}
            </Link>,
          ],
          ...(life.dam
            ? [
                [
                  t('fact.dam'),
                  <Link key="dam" to={`/animals/${life.dam}`}>
                    <Dam herd={herd.id} id={life.dam} />
                  </Link>,
                ] as [string, ReactNode],
              ]
            : []),
        ]}
      />
      <Part title={t('report')}>
        {can.length ? (
          <ul className="f-rows" data-testid="reports">
            {can.map((what) => (
              <li key={what}>
                <Link className="f-row" to={`/animals/${a.id}/report/${what}`}>
                  <span className="f-row-text">
                    <b>{t(`can.${what}`)}</b>
                    <span className="f-hint">{t(`can_hint.${what}`)}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        ) : (
          <p>{t('report_none')}</p>
        )}
      </Part>
      <Worn page={page} />
      <Part title={t('life')}>
        <ol className="f-steps" data-testid="life">
          {[...life.events].reverse().map((e) => (
            <Befell key={e.id} event={e} page={page} />
          ))}
        </ol>
      </Part>
    </>
  );
}

/** Whether the bank counts it now, in one sentence. */
function Standing({ page }: { page: AnimalLife }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const words = useWords();
  const a = page.life.animal;
  const herd = useHerd(isGone(a) ? '' : page.herd.id);
  useLiveHerd(page.herd.id);
  if (isGone(a))
    return (
      <div className="f-verdict" data-testid="standing" data-cause={a.status}>
        <h2>{t(`gone.${a.status}`)}</h2>
        <p>{t('gone_text')}</p>
      </div>
    );
  const s = herd.data?.states.find((x) => x.animal_id === a.id);
  if (!s) return null;
  const cause = causeOf(s);
  return (
    <div className="f-verdict" data-testid="standing" data-cause={cause}>
      <h2>{t(cause ? 'counts_not' : 'counts')}</h2>
      <p>
        {cause ? t(`cause.${cause}`, { defaultValue: words.word('why', cause) }) : t('counts_text')}
      </p>
      {s.signs?.length ? (
        <p className="f-note">
          {t('signs', { list: s.signs.map((sign) => words.word('alert', sign)).join(t('comma')) })}
        </p>
      ) : null}
      {s.last_heard ? <p className="f-hint">{t('heard', { ago: f.ago(s.last_heard) })}</p> : null}
    </div>
  );
}

/** What the animal stands for at the bank. */
function Pledged({ page }: { page: AnimalLife }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const pledges = page.pledges ?? [];
  const now = pledges.find((p) => !p.until);
  const past = pledges.filter((p) => p.until);
  return (
    <div className="f-card" data-testid="pledge">
      {now ? (
        <>
          <p>{t('pledged', { day: f.day(now.since) })}</p>
          <p>
            <Link to={`/applications/${now.application}`}>{t('pledged_loan')}</Link>
          </p>
        </>
      ) : (
        <p>{t('pledged_not')}</p>
      )}
      {past.map((p) => (
        <p key={p.since} className="f-hint">
          {t('pledged_once', { from: f.date(p.since), to: f.date(p.until) })}
        </p>
      ))}
    </div>
  );
}

function Dam(props: { herd: string; id: string }) {
  const { t } = useTranslation('herd');
  const animals = useAnimals(props.herd);
  const dam = animals.data?.find((a) => a.id === props.id);
  return (dam && nameOf(dam)) || t('dam_see');
}

/** Tags and numbers, those of now and those of before. */
function Worn({ page }: { page: AnimalLife }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const { tags, identifiers } = page.life;
  const span = (x: { from: string; to?: string; reason?: string }) =>
    x.to
      ? t('span_ended', {
          from: f.date(x.from),
          to: f.date(x.to),
          why: t(`tag_reason.${x.reason || 'other'}`, { defaultValue: x.reason }),
        })
      : t('span', { from: f.date(x.from) });
  if (!tags.length && identifiers.length < 2) return null;
  return (
    <Part title={t('worn')}>
      <ul className="f-rows">
        {[...tags].reverse().map((w) => (
          <li key={w.tag + w.from} className="f-row">
            <span className="f-row-text">
              <b>{t('worn_tag', { tag: w.tag })}</b>
              <span className="f-hint">{span(w)}</span>
            </span>
          </li>
        ))}
        {[...identifiers].reverse().map((i) => (
          <li key={i.code + i.from} className="f-row">
            <span className="f-row-text">
              <b>{t('worn_number', { code: i.code })}</b>
              <span className="f-hint">{span(i)}</span>
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** One line of the life. */
function Befell({ event: e, page }: { event: LifeEvent; page: AnimalLife }) {
  const { t } = useTranslation('herd');
  const f = useFormats();
  const back = page.life.events.some((x) => x.corrects === e.id);
  const pen = page.herd.pens?.find((p) => p.id === e.pen_id);
  const reason = e.reason
    ? t([`${e.kind}_reason.${e.reason}`, `tag_reason.${e.reason}`], { defaultValue: e.reason })
    : '';
  const more = [
    reason,
    e.kind === 'identified' ? e.identity?.code : '',
    e.tag_id ? t('worn_tag', { tag: e.tag_id }) : '',
    e.kind === 'move' ? (pen?.name ?? t('pen_none')) : (pen?.name ?? ''),
    e.note,
  ].filter(Boolean);
  return (
    <li data-kind={e.kind} className={back ? 'f-taken-back' : undefined}>
      <b>
        {t(`event.${e.kind}`, { defaultValue: e.kind })}
        {back ? t('taken_back') : ''}
      </b>
      <span className="f-hint">
        {f.date(e.at)}
        {e.source === 'farmer' ? t('by_you') : ''}
      </span>
      {more.length ? <span className="f-break">{more.join(' · ')}</span> : null}
    </li>
  );
}
