import { type Language, languages, setLanguage } from '@furrow/shared/i18n';
import { useSession } from '@furrow/shared/session';
import { Problem } from '@furrow/shared/ui/states';
import { Switch } from 'antd-mobile';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { forget } from '../apply/draft';
import { useLetters, usePost } from '../apply/post';
import { ask } from '../ui/ask';
import { Choice } from '../ui/Choice';
import { isLarge, setLarge } from '../ui/large';
import { Facts, Part, Screen } from '../ui/Screen';
import { forgetOwn, useWorker } from '../worker';

export function Me() {
  const { t, i18n } = useTranslation('shell');
  const { user, signOut } = useSession();
  const { outbox } = usePost();
  const letters = useLetters();
  const worker = useWorker();
  const [large, setLarge_] = useState(isLarge);
  const [error, setError] = useState<unknown>(null);

  const leave = async () => {
    const open = letters.data?.filter((l) => l.fate !== 'sent') ?? [];
    const question = open.length
      ? t('sign_out_waiting', { count: open.length })
      : t('sign_out_ask');
    if (!(await ask(question))) return;
    try {
      await signOut();
      // Others may use this phone: nothing of this person stays on it.
      for (const l of letters.data ?? []) await outbox.drop(l.key);
      forget(localStorage, user.id, 'apply');
      forget(localStorage, user.id, 'plot');
      await forgetOwn();
    } catch (e) {
      setError(e);
    }
  };

  return (
    <Screen title={t('me_title')}>
      <Facts
        of={[
          [user.name, t('shared:role.borrower')],
          [t('me_login'), user.login],
        ]}
      />
      <p>
        <Link className="fw-button f-big" to="/me/consents">
          {t('me_consents')}
        </Link>
      </p>
      <Part title={t('me_language')}>
        <Choice<Language>
          label={t('me_language')}
          hideLabel
          columns={2}
          value={i18n.language as Language}
          onChange={setLanguage}
          options={languages.map((l) => ({
            value: l,
            label: t('shared:language.name', { lng: l }),
          }))}
        />
      </Part>
      <Part title={t('me_large')}>
        <p className="f-line">
          <span>{t('me_large_help')}</span>
          <Switch
            aria-label={t('me_large')}
            checked={large}
            onChange={(on) => {
              setLarge_(on);
              setLarge(on);
            }}
          />
        </p>
      </Part>
      <Part title={t('me_offline')}>
        <p>{t(worker.ready ? 'ready_offline' : 'not_ready_offline')}</p>
      </Part>
      {error ? <Problem compact error={error} /> : null}
      <p>
        <button type="button" className="fw-button f-big" onClick={() => void leave()}>
          {t('sign_out')}
        </button>
      </p>
    </Screen>
  );
}
