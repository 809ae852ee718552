import { describe, expect, test } from 'vitest';
import type { RemoteHandle } from '../../../../src/stores/contract.ts';
import { solapiDriver } from '../../../../src/stores/solapi/driver.ts';
import { parseSettings, type Settings } from '../../../../src/stores/solapi/settings.ts';

const NAMED = { credentialsSecretRef: { name: 'account' } };

function settings(member: Record<string, unknown>): Settings {
  const read = parseSettings({ ...NAMED, ...member });
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

function open(member: Record<string, unknown>): RemoteHandle {
  const handle = solapiDriver.open({ ...NAMED, ...member });
  if ('problem' in handle) throw new Error(handle.problem);
  if (handle.type !== 'Remote') throw new Error('not a remote store');
  return handle;
}

describe('the settings of a SOLAPI store', () => {
  test('are those of account management, unless others are given', () => {
    expect(settings({})).toMatchObject({
      basePath: '',
      secretName: 'account',
      scheme: 'User',
      algorithm: 'HMACMD5',
      dateFormat: 'Local',
      settleMs: 30_000,
      deleteGraceMs: 60_000,
      onExpiry: 'Disable',
    });
    expect(settings({}).origin.href).toBe('https://solapi.com/');
    expect(settings({}).zone.name).toBe('Asia/Seoul');
  });

  test('of scheme HMAC are those of the clients', () => {
    expect(settings({ scheme: 'HMAC' })).toMatchObject({
      algorithm: 'HMACSHA256',
      dateFormat: 'ISO8601',
    });
  });

  test('take each choice that is given', () => {
    expect(
      settings({
        scheme: 'HMAC',
        algorithm: 'HMACMD5',
        dateFormat: 'Local',
        timeZone: 'Asia/Tokyo',
        settleSeconds: 0,
        deleteGraceSeconds: 3600,
        onExpiry: 'Delete',
      }),
    ).toMatchObject({
      algorithm: 'HMACMD5',
      dateFormat: 'Local',
      zone: { name: 'Asia/Tokyo' },
      settleMs: 0,
      deleteGraceMs: 3_600_000,
      onExpiry: 'Delete',
    });
  });

  test('let the interface lie below a path', () => {
    const { origin, basePath } = settings({ endpoint: 'https://gateway.example/solapi/v0/' });
    expect(origin.href).toBe('https://gateway.example/');
    expect(basePath).toBe('/solapi/v0');
  });

  test.each([
    [{ endpoint: 'http://solapi.com' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'http://127.0.0.1.example.com' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'ftp://solapi.com' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'https://user@solapi.com' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'https://solapi.com/?a=b' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'https://solapi.com/#a' }, 'spec.solapi.endpoint'],
    [{ endpoint: 'solapi.com' }, 'spec.solapi.endpoint'],
    [{ endpoint: 7 }, 'spec.solapi.endpoint'],
    [{ credentialsSecretRef: undefined }, 'spec.solapi.credentialsSecretRef.name'],
    [{ credentialsSecretRef: { name: '' } }, 'spec.solapi.credentialsSecretRef.name'],
    [{ scheme: 'user' }, 'spec.solapi.scheme'],
    [{ algorithm: 'HMACSHA1' }, 'spec.solapi.algorithm'],
    [{ dateFormat: 'Unix' }, 'spec.solapi.dateFormat'],
    [{ timeZone: 'Mars/Olympus' }, 'spec.solapi.timeZone'],
    [{ timeZone: '+09:00' }, 'spec.solapi.timeZone'],
    [{ settleSeconds: -1 }, 'spec.solapi.settleSeconds'],
    [{ settleSeconds: '30' }, 'spec.solapi.settleSeconds'],
    [{ deleteGraceSeconds: 0.5 }, 'spec.solapi.deleteGraceSeconds'],
    [{ onExpiry: 'Keep' }, 'spec.solapi.onExpiry'],
  ])('R56: say in a sentence what is wrong with %j', (member, field) => {
    expect(parseSettings({ ...NAMED, ...member })).toMatchObject({
      problem: expect.stringContaining(field),
    });
  });

  test.each(['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'])(
    'R56: take plain http to this very machine: %s',
    (endpoint) => {
      expect(settings({ endpoint }).origin.origin).toBe(endpoint);
    },
  );
});

describe('the SOLAPI driver', () => {
  test('declares what the vendor can do', () => {
    expect(open({}).capabilities).toEqual({
      class: 'D',
      formats: ['KeyPair'],
      recoverable: true,
      rotation: 'Replace',
      regeneratePerSlot: true,
      suspend: true,
      displayNameMax: 255,
      descriptionMax: 500,
      terms: [],
    });
  });

  test('R56: is reached by https at solapi.com, unless the spec says otherwise', () => {
    expect(open({}).endpoint.href).toBe('https://solapi.com/');
    expect(solapiDriver.hosts).toEqual(['solapi.com']);
  });

  test('asks for the entries of its scheme', () => {
    expect(open({}).credentials).toEqual({
      secretName: 'account',
      entries: ['userId', 'signingSecret'],
    });
    expect(open({ scheme: 'HMAC' }).credentials.entries).toEqual(['apiKey', 'apiSecret']);
  });

  test('needs a Secret', () => {
    expect(solapiDriver.open({})).toMatchObject({ problem: expect.any(String) });
  });
});
