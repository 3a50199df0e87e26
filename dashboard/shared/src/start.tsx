import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import i18next from 'i18next';
import { Component, type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { ApiError } from './api/problem';
import { startTexts } from './i18n';
import { Problem } from './ui/states';

/** Asks again only when the server could not be reached or was busy. */
function again(count: number, error: unknown): boolean {
  return count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500);
}

/**
 * Puts a face on the page. `base` is its path ("/officer/"), `texts` the modules of its
 * locales folder.
 */
export function startFace(base: string, texts: Record<string, unknown>, app: ReactNode): void {
  startTexts(texts);
  const client = new QueryClient({
    defaultOptions: {
      queries: { retry: again, staleTime: 10_000, refetchOnWindowFocus: true },
    },
  });
  // The server writes reasons and errors in the reader's language.
  i18next.on('languageChanged', () => void client.invalidateQueries());
  const root = document.getElementById('root') as HTMLElement;
  createRoot(root).render(
    <StrictMode>
      <Guard>
        <QueryClientProvider client={client}>
          <BrowserRouter basename={base}>{app}</BrowserRouter>
        </QueryClientProvider>
      </Guard>
    </StrictMode>,
  );
}

/** Catches what breaks while drawing, and offers to load the page again. */
export class Guard extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error ? (
      <Problem error={this.state.error} onRetry={() => location.reload()} />
    ) : (
      this.props.children
    );
  }
}
