import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  type FormEvent,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import { api, body } from './api/client';
import { ApiError } from './api/problem';
import type { Role, User } from './api/types';
import { LanguageSwitch } from './ui/LanguageSwitch';
import { Mark } from './ui/Mark';
import { Loading, Problem } from './ui/states';
import { useTitle } from './ui/useTitle';

interface Session {
  user: User;
  signOut(): Promise<void>;
}

const SessionContext = createContext<Session | null>(null);

/** The signed-in person; only inside SessionGate. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession needs SessionGate around it');
  return session;
}

const key = ['session'];

/**
 * Shows its children to people who are signed in with one of the roles, and the
 * sign-in page or a signpost to everybody else.
 */
export function SessionGate(props: { roles: Role[]; face: string; children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery({
    queryKey: key,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async (): Promise<User | null> => {
      try {
        return (await body(api.GET('/api/v1/session'))).user;
      } catch (e) {
        if (e instanceof ApiError && e.status === 401) return null;
        throw e;
      }
    },
  });

  useEffect(() => {
    const out = () => client.setQueryData(key, null);
    window.addEventListener('furrow:signed-out', out);
    return () => window.removeEventListener('furrow:signed-out', out);
  }, [client]);

  const signOut = async () => {
    await api.DELETE('/api/v1/session');
    // The session itself stays in the cache, so that whoever watches it is told.
    client.setQueryData(key, null);
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== key[0] });
  };

  if (session.isPending) return <Loading />;
  if (session.error)
    return <Problem error={session.error} onRetry={() => void session.refetch()} />;
  if (!session.data)
    return <SignIn face={props.face} onDone={(user) => client.setQueryData(key, user)} />;
  if (!props.roles.some((role) => role === session.data?.role))
    return <Elsewhere user={session.data} signOut={signOut} />;
  return (
    <SessionContext.Provider value={{ user: session.data, signOut }}>
      {props.children}
    </SessionContext.Provider>
  );
}

/** The sign-in page of every face; `face` picks its words ("officer", "farmer", "anchor"). */
export function SignIn(props: { face: string; onDone(user: User): void }) {
  const { t } = useTranslation();
  const login = useId();
  const password = useId();
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useTitle(t('signin.title'));

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      const credentials = {
        login: String(form.get('login')).trim(),
        password: String(form.get('password')),
      };
      const { user } = await body(api.POST('/api/v1/session', { body: credentials }));
      props.onDone(user);
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };

  return (
    <main className={`fw-signin fw-signin-${props.face}`}>
      <section className="fw-signin-scene" aria-hidden="true">
        <Furrows />
      </section>
      <section className="fw-signin-panel">
        <header>
          <Mark />
          <LanguageSwitch />
        </header>
        <form onSubmit={submit}>
          <h1>{t(`signin.face.${props.face}`)}</h1>
          <p className="fw-muted">{t(`signin.lead.${props.face}`)}</p>
          <label htmlFor={login}>{t('signin.login')}</label>
          <input id={login} name="login" autoComplete="username" required autoCapitalize="none" />
          <label htmlFor={password}>{t('signin.password')}</label>
          <span className="fw-field-with-button">
            <input
              id={password}
              name="password"
              type={shown ? 'text' : 'password'}
              autoComplete="current-password"
              required
            />
            <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
              {t(shown ? 'signin.hide' : 'signin.show')}
            </button>
          </span>
          {error ? <Problem error={error} compact /> : null}
          <button className="fw-button fw-primary" type="submit" disabled={busy}>
            {t(busy ? 'signin.busy' : 'signin.submit')}
          </button>
        </form>
        <footer className="fw-muted">{t('signin.foot')}</footer>
      </section>
    </main>
  );
}

const homes: Record<string, string> = {
  officer: '/officer/',
  auditor: '/officer/',
  borrower: '/farmer/',
  anchor: '/anchor/',
};

/** Says which face is right for the role that signed in. */
function Elsewhere(props: { user: User; signOut(): Promise<void> }) {
  const { t } = useTranslation();
  const home = homes[props.user.role];
  return (
    <main className="fw-notice">
      <Mark />
      <h1>{t('elsewhere.title')}</h1>
      <p>{t('elsewhere.text', { name: props.user.name, role: t(`role.${props.user.role}`) })}</p>
      <p className="fw-row">
        {home ? (
          <a className="fw-button fw-primary" href={home}>
            {t('elsewhere.go')}
          </a>
        ) : null}
        <button type="button" className="fw-button" onClick={() => void props.signOut()}>
          {t('signout')}
        </button>
      </p>
    </main>
  );
}

/** Ploughed land in perspective: the picture beside the sign-in form. */
function Furrows() {
  const rows = Array.from({ length: 19 }, (_, i) => i - 9);
  return (
    <svg viewBox="0 0 600 900" preserveAspectRatio="xMidYMid slice" role="presentation">
      <defs>
        <linearGradient id="fw-sky" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#f3e6c4" />
          <stop offset="1" stopColor="#f8f3e4" />
        </linearGradient>
        <linearGradient id="fw-land" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#7f9a57" />
          <stop offset="1" stopColor="#2c4a2b" />
        </linearGradient>
      </defs>
      <rect width="600" height="900" fill="url(#fw-sky)" />
      <circle cx="430" cy="250" r="46" fill="#e0a23c" opacity="0.85" />
      <path d="M0 342 Q120 300 260 330 T600 306 V420 H0Z" fill="#a9b889" />
      <path d="M0 372 Q180 340 330 362 T600 348 V430 H0Z" fill="#8fa56c" />
      <rect y="380" width="600" height="520" fill="url(#fw-land)" />
      {rows.map((i) => (
        <path
          key={i}
          d={`M${300 + i * 11} 380 Q${300 + i * 44} 560 ${300 + i * 150} 900`}
          stroke={i % 2 ? '#5d7c3f' : '#c8b06a'}
          strokeOpacity={i % 2 ? 0.9 : 0.55}
          strokeWidth={i % 2 ? 7 : 3}
          fill="none"
        />
      ))}
    </svg>
  );
}
