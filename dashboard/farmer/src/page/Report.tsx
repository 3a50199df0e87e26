import '../herd/texts';
import { idempotencyKey } from '@furrow/shared/api/client';
import { ApiError } from '@furrow/shared/api/problem';
import type { Animal, BirthInBody } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { type AnimalLife, useAnimal, useBirth, useHerd, useReport } from '../herd/data';
import { dayBefore, momentOf } from '../herd/day';
import { nameOf } from '../herd/find';
import {
  eventOf,
  type Filled,
  identityOf,
  isEarNumber,
  type Report as Kind,
  reasons,
  reportsOf,
} from '../herd/report';
import { ask } from '../ui/ask';
import { Choice } from '../ui/Choice';
import { Field } from '../ui/Field';
import { useOnline } from '../ui/online';
import { Refusal } from '../ui/Refusal';
import { Screen } from '../ui/Screen';

/** One thing that befell an animal of mine, told on one screen. */
export default function Report() {
  const { t } = useTranslation('report');
  const { id = '', what = '' } = useParams();
  const animal = useAnimal(id);
  const page = animal.data;
  if (!page)
    return (
      <Screen title={t('title')} back={`/animals/${id}`}>
        <Await query={animal}>{() => null}</Await>
      </Screen>
    );
  const can = reportsOf(page.life.animal, page.herd.pens?.length ?? 0);
  const kind = can.find((r) => r === what);
  if (!kind)
    return (
      <Screen title={t('title')} back={`/animals/${id}`}>
        <p>{t('cannot')}</p>
        <Link className="fw-button f-big" to={`/animals/${id}`}>
          {t('to_animal')}
        </Link>
      </Screen>
    );
  return kind === 'birth' ? <Birth page={page} /> : <Event page={page} what={kind} />;
}

/** The frame of every form: whom it is about, the questions, what is wrong, and send. */
function Form(props: {
  what: Kind;
  animal: Animal;
  ready: boolean;
  busy: boolean;
  error: unknown;
  onSend(): void;
  children: ReactNode;
}) {
  const { t } = useTranslation('report');
  const online = useOnline();
  const [tried, setTried] = useState(false);
  const { animal: a } = props;
  return (
    <Screen
      title={t(`${props.what}.title`)}
      back={`/animals/${a.id}`}
      foot={
        <>
          {/* At the thumb, where the eye is: below a long form nobody would see it. */}
          {tried && !props.ready ? (
            <p className="f-error" role="alert">
              {t('missing')}
            </p>
          ) : null}
          <Refusal error={props.error} />
          {props.what === 'birth' && props.error instanceof ApiError && props.error.status === 0 ? (
            <p className="f-note">{t('birth.maybe')}</p>
          ) : null}
          {online ? null : <p className="f-note">{t('offline')}</p>}
          <Button
            block
            color="primary"
            size="large"
            loading={props.busy}
            disabled={!online}
            onClick={() => {
              setTried(true);
              if (props.ready) props.onSend();
            }}
          >
            {t('send')}
          </Button>
        </>
      }
    >
      <p className="f-sentence">
        {t(`${props.what}.about`, { name: nameOf(a) || t('herd:no_number') })}
      </p>
      {props.children}
    </Screen>
  );
}

function useDay() {
  const [day, setDay] = useState(() => dayBefore(Date.now(), 0));
  return { day, setDay, at: momentOf(day, Date.now()) };
}

/** When it was: today, yesterday, or another day that has been. */
function Day(props: { value: string; onChange(day: string): void; wrong: boolean }) {
  const { t } = useTranslation('report');
  const now = Date.now();
  const days = [dayBefore(now, 0), dayBefore(now, 1)];
  const [other, setOther] = useState(false);
  return (
    <>
      <Choice
        label={t('when')}
        columns={2}
        value={other ? '' : props.value}
        onChange={(day) => {
          setOther(!day);
          if (day) props.onChange(day);
        }}
        options={[
          { value: days[0] ?? '', label: t('today') },
          { value: days[1] ?? '', label: t('yesterday') },
          { value: '', label: t('other_day') },
        ]}
      />
      {other ? (
        <Field
          type="date"
          label={t('day')}
          max={days[0]}
          value={props.value}
          onChange={props.onChange}
          wrong={props.wrong ? t('day_wrong') : ''}
        />
      ) : null}
    </>
  );
}

/** Asks for the tag that it wears from now, of those that lie ready in the herd. */
function TagChoice(props: {
  herd: string;
  label: string;
  none: string;
  value: string | undefined;
  onChange(tag: string): void;
}) {
  const herd = useHerd(props.herd);
  const free = herd.data?.free_tags ?? [];
  return (
    <Choice
      label={props.label}
      columns={2}
      value={props.value}
      onChange={props.onChange}
      options={[
        { value: '', label: props.none },
        ...free.slice(0, 50).map((tag) => ({ value: tag, label: tag })),
      ]}
    />
  );
}

function Event({ page, what }: { page: AnimalLife; what: Exclude<Kind, 'birth'> }) {
  const { t } = useTranslation('report');
  const f = useFormats();
  const navigate = useNavigate();
  const a = page.life.animal;
  const report = useReport(a.id);
  const { day, setDay, at } = useDay();
  const [reason, setReason] = useState<string>();
  const [note, setNote] = useState('');
  const [pen, setPen] = useState<string>();
  const [tag, setTag] = useState<string>();
  const [code, setCode] = useState('');
  const pens = page.herd.pens ?? [];
  const pledged = (page.pledges ?? []).some((p) => !p.until);
  // The first tag or number replaces none: there is no reason to give.
  const first = what === 'tag' ? !a.tag_id : what === 'number' && !a.identity.code;
  const asked = first ? undefined : reasons[what];

  const ready =
    !!at &&
    (!asked || !!reason) &&
    (what !== 'move' || pen !== undefined) &&
    (what !== 'tag' || (first ? !!tag : tag !== undefined)) &&
    (what !== 'number' || isEarNumber(code));

  const send = async () => {
    if (!at) return;
    const filled: Filled = { at, reason: first ? 'first' : reason, note, pen, tag, code };
    const question = [
      t(`${what}.sure`, {
        name: nameOf(a) || t('herd:no_number'),
        day: f.day(day),
        reason: reason ? t(`herd:${reasonGroup(what)}.${reason}`) : '',
        pen: pens.find((p) => p.id === pen)?.name ?? t('herd:pen_none'),
        tag: tag || t('tag.none'),
        code,
      }),
      pledged && (what === 'death' || what === 'departure') ? t('pledged') : '',
    ];
    if (!(await ask(question.filter(Boolean).join('\n')))) return;
    await report.mutateAsync(eventOf(what, filled, a));
    Toast.show({ icon: 'success', content: t('done') });
    navigate(`/animals/${a.id}`, { replace: true });
  };

  return (
    <Form
      what={what}
      animal={a}
      ready={ready}
      busy={report.isPending}
      error={report.error}
      onSend={() => void send().catch(() => undefined)}
    >
      {pledged && (what === 'death' || what === 'departure') ? (
        <p className="f-note">{t('pledged')}</p>
      ) : null}
      <Day value={day} onChange={setDay} wrong={!at} />
      {asked ? (
        <Choice<string>
          label={t('reason')}
          columns={2}
          value={reason}
          onChange={setReason}
          options={asked.map((r) => ({ value: r, label: t(`herd:${reasonGroup(what)}.${r}`) }))}
        />
      ) : null}
      {what === 'move' ? (
        <Choice<string>
          label={t('move.pen')}
          value={pen}
          onChange={setPen}
          options={[
            ...pens.map((p) => ({
              value: p.id,
              label: p.name,
              off: p.id === a.pen_id,
              hint: p.id === a.pen_id ? t('move.here') : undefined,
            })),
            { value: '', label: t('herd:pen_none'), off: !a.pen_id },
          ]}
        />
      ) : null}
      {what === 'tag' ? (
        <>
          <TagChoice
            herd={page.herd.id}
            label={t('tag.new')}
            none={t('tag.none')}
            value={tag}
            onChange={setTag}
          />
          <p className="f-hint">{t('tag.claim_text')}</p>
          <Link className="fw-button f-big" to={`/herds/${page.herd.id}/claim?animal=${a.id}`}>
            {t('tag.claim')}
          </Link>
        </>
      ) : null}
      {what === 'number' ? (
        <Field
          label={t('number.new')}
          hint={t('number_hint')}
          inputMode="numeric"
          maxLength={40}
          value={code}
          onChange={setCode}
          wrong={code && !isEarNumber(code) ? t('number_wrong') : ''}
        />
      ) : null}
      {what === 'death' || what === 'departure' ? (
        <Field label={t('note')} maxLength={500} value={note} onChange={setNote} />
      ) : null}
    </Form>
  );
}

const reasonGroup = (what: Kind) =>
  what === 'death' || what === 'departure' ? `${what}_reason` : 'tag_reason';

/** The young of an animal of mine, with its number and tag when it has them already. */
function Birth({ page }: { page: AnimalLife }) {
  const { t } = useTranslation('report');
  const f = useFormats();
  const navigate = useNavigate();
  const dam = page.life.animal;
  const birth = useBirth(dam.id);
  // One form is one newborn, however often it is sent.
  const [key] = useState(idempotencyKey);
  const { day, setDay, at } = useDay();
  const [sex, setSex] = useState<'f' | 'm'>();
  const [code, setCode] = useState('');
  const [tag, setTag] = useState('');
  const ready = !!at && !!sex && (!code || isEarNumber(code));
  const send = async () => {
    if (!at || !sex) return;
    const sure = t('birth.sure', {
      name: nameOf(dam) || t('herd:no_number'),
      day: f.day(day),
      sex: t(`herd:sex.${sex}`),
      code: code || t('birth.no_code'),
    });
    if (!(await ask(sure))) return;
    const young: BirthInBody = {
      at,
      sex,
      ...(code ? { identity: identityOf(code, dam) } : {}),
      ...(tag ? { tag_id: tag } : {}),
      ...(dam.pen_id ? { pen_id: dam.pen_id } : {}),
    };
    const born = await birth.mutateAsync({ ...young, key });
    Toast.show({ icon: 'success', content: t('done') });
    navigate(`/animals/${born.id}`, { replace: true });
  };
  return (
    <Form
      what="birth"
      animal={dam}
      ready={ready}
      busy={birth.isPending}
      error={birth.error}
      onSend={() => void send().catch(() => undefined)}
    >
      <Day value={day} onChange={setDay} wrong={!at} />
      <Choice<'f' | 'm'>
        label={t('birth.sex')}
        columns={2}
        value={sex}
        onChange={setSex}
        options={(['f', 'm'] as const).map((s) => ({ value: s, label: t(`herd:sex.${s}`) }))}
      />
      <Field
        label={t('birth.code')}
        hint={t('birth.code_hint')}
        inputMode="numeric"
        maxLength={40}
        value={code}
        onChange={setCode}
        wrong={code && !isEarNumber(code) ? t('number_wrong') : ''}
      />
      <TagChoice
        herd={page.herd.id}
        label={t('birth.tag')}
        none={t('birth.tag_none')}
        value={tag}
        onChange={setTag}
      />
    </Form>
  );
}
