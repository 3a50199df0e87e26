/** One thing wrong in a request, as the server names it. */
export interface ProblemItem {
  location?: string;
  message: string;
  value?: unknown;
}

/**
 * An answer that is not a success, or no answer at all. `detail` is written by the
 * server in the reader's language; the interface shows it as it is.
 */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** Stable code such as "plot.too_small"; "network" when there was no answer. */
    readonly code: string,
    readonly detail: string,
    readonly items: ProblemItem[] = [],
    readonly requestId: string = '',
  ) {
    super(detail || code);
  }
}

/** Reads an application/problem+json answer; any other body becomes a plain error. */
export async function problemOf(response: Response): Promise<ApiError> {
  const id = response.headers.get('X-Request-Id') ?? '';
  try {
    const p = await response.clone().json();
    return new ApiError(
      response.status,
      p.code ?? `http.${response.status}`,
      p.detail ?? p.title ?? '',
      p.errors ?? [],
      p.request_id ?? id,
    );
  } catch {
    return new ApiError(response.status, `http.${response.status}`, '', [], id);
  }
}
