import { resolve } from 'node:path';
import { defineConfig, type UserConfig } from 'vite';

/** The shared room is read as source, without a build of its own. */
export const sources = { '@furrow/shared': resolve(import.meta.dirname, 'shared/src') };

/**
 * The Vite configuration that every face shares: served under /<name>/, built to
 * dashboard/dist/<name>, with the API of a running `furrow demo` behind the
 * development server (FURROW_URL, default http://127.0.0.1:8080).
 */
export function face(name: string, more: UserConfig = {}) {
  const api = process.env.FURROW_URL ?? 'http://127.0.0.1:8080';
  return defineConfig({
    root: resolve(import.meta.dirname, name),
    base: `/${name}/`,
    resolve: { alias: sources },
    build: {
      outDir: resolve(import.meta.dirname, 'dist', name),
      emptyOutDir: true,
      target: 'es2022',
      manifest: 'manifest.json',
      chunkSizeWarningLimit: 1200,
      // Small files stay files: the content security policy allows no data: scripts or fonts.
      assetsInlineLimit: 0,
      rolldownOptions: {
        onLog(level, log, handle) {
          if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log); // antd's "use client"
        },
      },
    },
    worker: { format: 'es' },
    server: { proxy: { '/api': { target: api, ws: true, changeOrigin: true } } },
    ...more,
  });
}
