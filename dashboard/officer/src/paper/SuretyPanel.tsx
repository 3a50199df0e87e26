import type { ApplicationDetail, Guarantor } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Button, Input } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NoteDialog } from '../pieces/NoteDialog';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useLetter, useSureties } from './data';

const OPEN = ['draft', 'submitted', 'deciding', 'referred', 'offered'];

/** Who answers for the loan besides its borrower, and whose letter is there. */
export function SuretyPanel(props: { detail: ApplicationDetail }) {
  const { t } = useTranslation('paper');
  const f = useFormats();
  const { application: a, product } = props.detail;
  const list = props.detail.sureties ?? [];
  const may = useMay();
  const letter = useLetter(a.id);
  const [signing, setSigning] = useState<Guarantor>();
  const change = may && OPEN.includes(a.state) && !list.some((g) => g.signed_at);
  if (!product.surety && list.length === 0) return null;
  return (
    <Panel title={t('guarantors')} className="sureties">
      {product.surety ? (
        <p className="fw-muted">
          {t('surety_asked', {
            kind: t(`surety.${product.surety.kind}`),
            count: Math.max(1, product.surety.min_parties ?? 1),
          })}
        </p>
      ) : null}
      {list.length ? (
        <ul>
          {list.map((g) => (
            <li key={g.nr} className="fw-row">
              <b>{g.name}</b> {g.code ? <code>{g.code}</code> : null}
              {g.signed_at ? (
                <Pill tone="good">{t('signed_on', { time: f.time(g.signed_at) })}</Pill>
              ) : g.declined_at ? (
                <>
                  <Pill tone="bad">{t('declined_on', { time: f.time(g.declined_at) })}</Pill>
                  {g.reason}
                </>
              ) : (
                <Pill tone="warn">{t('unsigned')}</Pill>
              )}
              {g.user_id && !g.signed_at && !g.declined_at ? (
                <code
                  title={t('link_about')}
                >{`${location.origin}/farmer/guarantees/${a.id}`}</code>
              ) : null}
              {may && !g.signed_at && !g.user_id && ['offered', 'accepted'].includes(a.state) ? (
                <Button size="small" onClick={() => setSigning(g)}>
                  {t('enter_letter')}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : (
        <p>{t('no_guarantors')}</p>
      )}
      {change ? <Add list={list} id={a.id} /> : null}
      {signing ? (
        <NoteDialog
          title={t('letter_of', { name: signing.name })}
          label={t('letter_proof')}
          ok={t('enter_letter')}
          pending={letter.isPending}
          error={letter.error}
          onOk={(proof) =>
            letter.mutate({ nr: signing.nr, proof }, { onSuccess: () => setSigning(undefined) })
          }
          onCancel={() => {
            letter.reset();
            setSigning(undefined);
          }}
        />
      ) : null}
    </Panel>
  );
}

function Add(props: { id: string; list: Guarantor[] }) {
  const { t } = useTranslation('paper');
  const set = useSureties(props.id);
  const [name, setName] = useState('');
  const [code, setCode] = useState('');
  const [login, setLogin] = useState('');
  const ids = { name: useId(), code: useId(), login: useId() };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const added: Guarantor = { nr: props.list.length + 1, name: name.trim() };
    if (code.trim()) added.code = code.trim();
    if (login.trim()) added.user_id = login.trim();
    const stay = props.list.filter((g) => !g.declined_at);
    set.mutate([...stay, added], {
      onSuccess: () => {
        setName('');
        setCode('');
        setLogin('');
      },
    });
  };
  return (
    <form className="surety-form" onSubmit={save}>
      <p>
        <label htmlFor={ids.name}>{t('guarantor_name')}</label>
        <Input
          id={ids.name}
          value={name}
          maxLength={100}
          onChange={(e) => setName(e.target.value)}
        />
      </p>
      <p>
        <label htmlFor={ids.code}>{t('guarantor_code')}</label>
        <Input
          id={ids.code}
          value={code}
          maxLength={18}
          onChange={(e) => setCode(e.target.value)}
        />
      </p>
      <p>
        <label htmlFor={ids.login}>{t('guarantor_login')}</label>
        <Input
          id={ids.login}
          value={login}
          maxLength={64}
          onChange={(e) => setLogin(e.target.value)}
        />
      </p>
      <div className="fw-row">
        <Button
          htmlType="submit"
          size="small"
          disabled={!name.trim() && !login.trim()}
          loading={set.isPending}
        >
          {t('add_guarantor')}
        </Button>
        {props.list.length ? (
          <Button size="small" onClick={() => set.mutate([])}>
            {t('clear_guarantors')}
          </Button>
        ) : null}
      </div>
      {set.error ? <Problem error={set.error} compact /> : null}
    </form>
  );
}
