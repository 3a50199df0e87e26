import '../herd/texts';
import type { Credential } from '@furrow/shared/api/types';
import { Await } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { grouped, judge } from '../herd/claim';
import { useAnimals, useClaim, useHerd } from '../herd/data';
import { find, isGone, lines, nameOf } from '../herd/find';
import { ask } from '../ui/ask';
import { Choice } from '../ui/Choice';
import { copy } from '../ui/copy';
import { Field } from '../ui/Field';
import { useOnline } from '../ui/online';
import { Refusal } from '../ui/Refusal';
import { Screen } from '../ui/Screen';

/** Takes a device into a herd by what stands on its label, and shows its password once. */
export default function Claim() {
  const { t } = useTranslation('claim');
  const { id = '' } = useParams();
  const herd = useHerd(id);
  const claim = useClaim(id);
  if (claim.data) return <Password credential={claim.data} herd={id} />;
  return (
    <Await query={herd} lines={8}>
      {(now) => (
        <Label
          herd={id}
          name={now.herd.name}
          pens={now.herd.pens ?? []}
          busy={claim.isPending}
          error={claim.error}
          onSend={(wish) => claim.mutate(wish)}
          title={t('title')}
        />
      )}
    </Await>
  );
}

/** So many animals are offered at once; typing narrows them down. */
const OFFERED = 6;

function Label(props: {
  herd: string;
  name: string;
  title: string;
  pens: { id: string; name: string }[];
  busy: boolean;
  error: unknown;
  onSend(wish: { device_id: string; code: string; animal_id?: string; pen_id?: string }): void;
}) {
  const { t } = useTranslation('claim');
  const online = useOnline();
  const [search] = useSearchParams();
  const animals = useAnimals(props.herd);
  const [device, setDevice] = useState('');
  const [code, setCode] = useState('');
  const [animal, setAnimal] = useState(search.get('animal') ?? '');
  const [on, setOn] = useState(animal ? 'animal' : '');
  const [pen, setPen] = useState('');
  const [typed, setTyped] = useState('');
  const [tried, setTried] = useState(false);
  const here = useMemo(
    () => lines(animals.data ?? [], []).filter((l) => !isGone(l.animal)),
    [animals.data],
  );
  const chosen = here.find((l) => l.animal.id === animal)?.animal;
  const offered = find(here, typed)
    .filter((l) => l.animal.id !== animal)
    .slice(0, OFFERED);
  const fault = judge(code);
  const number = device.normalize('NFKC').trim();
  // A code that is still being typed is not told to be short.
  const wrong = code && fault && (tried || fault !== 'length') ? t(`wrong.${fault}`) : '';
  const ready = !!number && !fault && (on !== 'animal' || !!chosen);
  return (
    <Screen
      title={props.title}
      back={`/herds/${props.herd}`}
      foot={
        <>
          <Refusal error={props.error} />
          {online ? null : <p className="f-note">{t('offline')}</p>}
          <Button
            block
            color="primary"
            size="large"
            loading={props.busy}
            disabled={!online}
            onClick={() => {
              setTried(true);
              if (ready)
                props.onSend({
                  device_id: number,
                  code: grouped(code),
                  ...(on === 'animal' ? { animal_id: animal } : {}),
                  ...(on === 'pen' && pen ? { pen_id: pen } : {}),
                });
            }}
          >
            {t('send')}
          </Button>
        </>
      }
    >
      <p className="f-sentence">{t('about', { herd: props.name })}</p>
      <Field
        label={t('device')}
        hint={t('device_hint')}
        maxLength={64}
        value={device}
        onChange={setDevice}
        wrong={tried && !number ? t('wrong.device') : ''}
      />
      <Field
        label={t('code')}
        hint={t('code_hint')}
        code
        value={code}
        onChange={(v) => setCode(grouped(v))}
        wrong={wrong || (tried && !code ? t('wrong.length') : '')}
      />
      <Choice<string>
        label={t('on')}
        value={on}
        onChange={setOn}
        options={[
          { value: '', label: t('on_herd'), hint: t('on_herd_hint') },
          { value: 'animal', label: t('on_animal') },
          ...(props.pens.length ? [{ value: 'pen', label: t('on_pen') }] : []),
        ]}
      />
      {on === 'animal' ? (
        <>
          {chosen ? <p className="f-good">{t('chosen', { name: nameOf(chosen) })}</p> : null}
          {chosen?.tag_id ? (
            <p className="f-note">{t('replaces', { tag: chosen.tag_id })}</p>
          ) : null}
          <Field
            type="search"
            label={t('animal')}
            hint={t('animal_hint')}
            inputMode="numeric"
            value={typed}
            onChange={setTyped}
            wrong={tried && !chosen ? t('wrong.animal') : ''}
          />
          <Choice<string>
            label={t('animal')}
            hideLabel
            value={animal}
            onChange={setAnimal}
            options={(chosen ? [{ animal: chosen }, ...offered] : offered).map((l) => ({
              value: l.animal.id,
              label: nameOf(l.animal) || t('herd:no_number'),
              hint: l.animal.tag_id
                ? t('herd:wears', { tag: l.animal.tag_id })
                : t('herd:wears_none'),
            }))}
          />
        </>
      ) : null}
      {on === 'pen' ? (
        <Choice<string>
          label={t('pen')}
          value={pen}
          onChange={setPen}
          options={props.pens.map((p) => ({ value: p.id, label: p.name }))}
        />
      ) : null}
    </Screen>
  );
}

/** What the device signs in with. The house keeps only its hash: nobody can show it again. */
function Password({ credential: c, herd }: { credential: Credential; herd: string }) {
  const { t } = useTranslation('claim');
  const navigate = useNavigate();
  const [copied, setCopied] = useState(false);
  const leave = async () => {
    if (copied || (await ask(t('leave_ask')))) navigate(`/herds/${herd}`, { replace: true });
  };
  const take = async () => {
    const done = await copy(`${c.username}\n${c.secret}`);
    setCopied(done);
    Toast.show({ icon: done ? 'success' : undefined, content: t(done ? 'copied' : 'copy_failed') });
  };
  return (
    <Screen
      title={t('done')}
      back={() => void leave()}
      foot={
        <Button block size="large" onClick={() => void leave()}>
          {t('finish')}
        </Button>
      }
    >
      <p className="f-good">{t('claimed', { device: c.device_id })}</p>
      <p className="f-error" role="alert">
        {t('once')}
      </p>
      <dl className="f-secret" data-testid="credential">
        <dt>{t('username')}</dt>
        <dd>{c.username}</dd>
        <dt>{t('secret')}</dt>
        <dd>{c.secret}</dd>
      </dl>
      <Button block color="primary" size="large" onClick={() => void take()}>
        {t('copy')}
      </Button>
      <p className="f-hint">{t('what_for')}</p>
    </Screen>
  );
}
