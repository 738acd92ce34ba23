import type { KeyInfo } from '../../../gen/KeyInfo';
import type { SecretUse } from '../../../gen/SecretUse';
import type { StoreState } from '../../../gen/StoreState';
import type { TestResult } from '../../../gen/TestResult';
import { IpcError, type Args, type Result } from '../backend';

/** The pretended keychain. `?store=locked`, `?store=missing` and `?keys=none` show its other states. */
const asked = new URLSearchParams(location.search);
const MINUTE = 60_000;
const now = Date.now();
const kept = new Map<string, KeyInfo>();
const tests: Record<string, TestResult> = {};
const uses: SecretUse[] = [];
let locked = asked.get('store') === 'locked';

function result(verdict: TestResult['verdict'], status: number, detail: string, ago: number): TestResult {
  return { verdict, status, tookMs: 312, detail, at: now - ago * MINUTE };
}

function put(
  provider: string,
  keptIn: KeyInfo['keptIn'],
  endsIn: string,
  tested: TestResult | null,
): KeyInfo {
  const info: KeyInfo = {
    provider,
    kind: 'api-key',
    keptIn,
    endsIn,
    addedAt: tested ? now - 1e9 : Date.now(),
    tested,
    usedAt: tested?.at ?? null,
  };
  kept.set(provider, info);
  return info;
}

if (asked.get('keys') !== 'none') {
  put('openai', 'keychain', 'w3Kd', result('passed', 200, '84 models', 2));
  put('openrouter', 'keychain', '77ce', result('failed', 403, 'API not enabled', 40));
  put('deepseek', 'memory', '44aa', result('unclear', 429, 'retry in 12 s', 200));
  put('llamacpp', 'keychain', '', null);
  uses.push(
    {
      at: now - 2 * MINUTE,
      provider: 'openai',
      endsIn: 'w3Kd',
      usedFor: 'Authorization → api.openai.com:443',
    },
    {
      at: now - 40 * MINUTE,
      provider: 'openrouter',
      endsIn: '77ce',
      usedFor: 'Authorization → openrouter.ai:443',
    },
  );
}

function store(): StoreState {
  if (locked) return { state: 'locked' };
  return asked.get('store') === 'missing'
    ? { state: 'missing', evidence: 'org.freedesktop.secrets: The name is not activatable' }
    : { state: 'available', name: 'Secret Service' };
}

export const keychain = {
  keys: (): Result<'keys'> => ({ store: store(), keys: [...kept.values()], tests, uses, warnings: [] }),

  set_key({ provider, value, keep }: Args<'set_key'>): KeyInfo {
    if (keep === 'keychain' && store().state !== 'available')
      throw new IpcError('keychain-locked', 'The keychain is locked.');
    return put(provider, keep, value.length < 12 ? '' : value.slice(-4), null);
  },

  delete_key: ({ provider }: Args<'delete_key'>): null => (kept.delete(provider), null),

  test_key({ provider }: Args<'test_key'>): TestResult {
    const tested: TestResult = {
      verdict: 'passed',
      status: 200,
      tookMs: 96,
      detail: '21 models',
      at: Date.now(),
    };
    tests[provider] = tested;
    const info = kept.get(provider);
    if (info) {
      kept.set(provider, { ...info, tested, usedAt: tested.at });
      uses.unshift({
        at: tested.at,
        provider,
        endsIn: info.endsIn,
        usedFor: `test, Authorization → ${provider}`,
      });
    }
    return tested;
  },

  forget_session_keys(): null {
    for (const [id, info] of kept) if (info.keptIn === 'memory') kept.delete(id);
    return null;
  },

  unlock_keychain: (): null => ((locked = false), null),
};
