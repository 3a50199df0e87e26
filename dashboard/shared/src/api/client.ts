import createClient, { type Middleware } from 'openapi-fetch';
import { currentLanguage } from '../i18n';
import { ApiError, problemOf } from './problem';
import type { paths } from './schema';

const edge: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', currentLanguage());
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return;
    const problem = await problemOf(response);
    if (response.status === 401) window.dispatchEvent(new Event('furrow:signed-out'));
    throw problem;
  },
  onError({ error }) {
    if (error instanceof ApiError) return error;
    return new ApiError(0, 'network', '');
  },
};

/** The schema's paths with the prefix that its server entry carries. */
type Prefixed = { [P in keyof paths as `/api/v1${P}`]: paths[P] };

/** The typed client of the Furrow API; it throws ApiError for everything but success. */
export const api = createClient<Prefixed>({ baseUrl: '' });
api.use(edge);

/** Takes the body out of a client call: `await body(api.GET('/api/v1/catalogue'))`. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** A new key that lets the server recognise a repeated request. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}
