import { VitePWA } from 'vite-plugin-pwa';
import { face } from '../vite.face';

// What a signed-in person's pages ask for. The worker answers from its last copy only
// when the network does not; nothing that changes data passes through it.
const OWN = /\/api\/v1\/(session$|catalogue$|farmer\/)/;
const TILES = /\/api\/v1\/tiles\//;

export default face('farmer', {
  plugins: [
    VitePWA({
      registerType: 'prompt',
      injectRegister: null,
      includeAssets: ['icon.svg', 'icon-192.png'],
      manifest: {
        name: '田垄 Furrow',
        short_name: '田垄',
        lang: 'zh-CN',
        display: 'standalone',
        orientation: 'portrait',
        theme_color: '#2f5d3a',
        background_color: '#f6f4ee',
        icons: [
          { src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      workbox: {
        globPatterns: ['**/*.{js,mjs,css,html,svg,woff2}'],
        globIgnores: ['manifest.json'],
        navigateFallback: 'index.html',
        cleanupOutdatedCaches: true,
        runtimeCaching: [
          {
            urlPattern: OWN,
            handler: 'NetworkFirst',
            options: {
              cacheName: 'furrow-own',
              networkTimeoutSeconds: 10,
              cacheableResponse: { statuses: [200] },
              expiration: { maxEntries: 100 },
            },
          },
          {
            urlPattern: TILES,
            handler: 'CacheFirst',
            options: {
              cacheName: 'furrow-tiles',
              cacheableResponse: { statuses: [200] },
              expiration: { maxEntries: 600, maxAgeSeconds: 30 * 24 * 3600 },
            },
          },
        ],
      },
    }),
  ],
});
