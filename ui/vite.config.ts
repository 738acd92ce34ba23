import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// WebKitGTK 2.50 and Safari 16 upwards; WebView2 is evergreen.
export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: '127.0.0.1' },
  build: { target: ['safari16', 'chrome111'], chunkSizeWarningLimit: 1500 },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], css: { include: [/tokens\.css/] } },
});
