// Checks that imports go down only: app → views → features → ui → lib → gen. Features know of no other feature but
// `session`; only lib/ipc knows Tauri; the engine made up for the browser is reached from lib/ipc alone.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const SRC = resolve(import.meta.dirname, 'src');
const ORDER = ['app', 'views', 'features', 'ui', 'lib', 'gen'];
const IMPORT = /(?:^|\s)(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g;
const faults = [];

for (const entry of readdirSync(SRC, { recursive: true })) {
  const file = join(SRC, entry);
  if (!/\.(ts|svelte)$/.test(entry)) continue;
  const [layer, part] = relative(SRC, file).split('/');
  for (const match of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const what = match[1] ?? match[2];
    const fault = judge(file, layer, part, what);
    if (fault) faults.push(`${relative(SRC, file)}: ${what}: ${fault}`);
  }
}

function judge(file, layer, part, what) {
  if (what.startsWith('@tauri-apps/')) {
    return relative(SRC, file).startsWith('lib/ipc/') ? null : 'only lib/ipc may import Tauri';
  }
  if (!what.startsWith('.')) return null;
  const [toLayer, toPart] = relative(SRC, resolve(dirname(file), what)).split('/');
  if (!ORDER.includes(layer)) return null;
  if (ORDER.indexOf(toLayer) < ORDER.indexOf(layer)) return `${layer} may not import ${toLayer}`;
  if (layer === 'features' && toLayer === 'features' && toPart !== part && toPart !== 'session') {
    return 'a feature may import no other feature but session';
  }
  if (toLayer === 'lib' && /ipc\/fake/.test(what) && layer !== 'lib')
    return 'only lib/ipc may import the fake';
  return null;
}

if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log('imports go down only');
