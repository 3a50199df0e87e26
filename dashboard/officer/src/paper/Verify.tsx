import type { ContractCheck } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Pill } from '../pieces/Pill';
import { useVerify } from './data';

const CHECKS = ['signed', 'kept', 'keys', 'chain', 'mark', 'signer'] as const;

/** Holds a file against what was signed: of an application, or of any. */
export function Verify(props: { id?: string }) {
  const { t } = useTranslation('paper');
  const verify = useVerify(props.id);
  const [file, setFile] = useState<File>();
  const field = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    verify.mutate(file);
  };
  return (
    <form className="verify" onSubmit={submit}>
      <label htmlFor={field}>{t(props.id ? 'verify_file' : 'verify_any')}</label>
      <div className="fw-row">
        <input
          id={field}
          type="file"
          accept=".pdf"
          onChange={(e) => {
            setFile(e.target.files?.[0]);
            verify.reset();
          }}
        />
        <Button
          htmlType="submit"
          size="small"
          disabled={!file && !props.id}
          loading={verify.isPending}
        >
          {t(file || !props.id ? 'verify' : 'verify_kept')}
        </Button>
      </div>
      {verify.error ? <Problem error={verify.error} compact /> : null}
      {verify.data ? <Found check={verify.data} linked={!props.id} /> : null}
    </form>
  );
}

/** What came out, check by check. */
function Found({ check, linked }: { check: ContractCheck; linked: boolean }) {
  const { t } = useTranslation('paper');
  const f = useFormats();
  const found = new Map((check.checks ?? []).map((c) => [c.name, c.holds]));
  const signers = check.signatures ?? [];
  return (
    <div role="status" data-genuine={check.genuine}>
      <p>
        <Pill tone={check.genuine ? 'good' : 'bad'}>
          {t(check.genuine ? 'genuine' : 'not_genuine')}
        </Pill>{' '}
        {check.genuine ? t('checked', { count: check.chain }) : null}
      </p>
      <ul className="checks">
        {CHECKS.map((name) => {
          const holds = found.get(name);
          return (
            <li key={name} data-check={name} data-holds={holds}>
              <Pill tone={holds ? 'good' : holds === false ? 'bad' : 'calm'}>
                {t(holds ? 'holds' : holds === false ? 'fails' : 'unreached')}
              </Pill>{' '}
              {t(`checks.${name}`)}
            </li>
          );
        })}
      </ul>
      {linked && signers.length ? (
        <p>
          {t('signed_by')}{' '}
          {signers.map((s) => `${s.name}（${t(`party.${s.party}`)}，${f.time(s.at)}）`).join(' · ')}
        </p>
      ) : null}
      {linked && check.application_id ? (
        <Link to={`/applications/${encodeURIComponent(check.application_id)}`}>
          {t('of_application')}
        </Link>
      ) : null}
      <code className="hash">{check.document}</code>
    </div>
  );
}
