/** The conformance kit for drivers of class Local: no calls, so what counts is what values are like. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Sensitive } from '../src/kernel/sensitive.ts';
import type { KeyFormat } from '../src/keys/format.ts';
import { SLOTS, type MintedCredential } from '../src/keys/mint.ts';
import type { Driver, LocalHandle } from '../src/stores/contract.ts';
import type { DriverCase } from './subject.ts';

/** A driver of class Local with one member of a KeyStore spec. */
export type LocalSubject = {
  readonly driver: Driver;
  readonly member: Readonly<Record<string, unknown>>;
};

const MANY = 200;
const PEPPER = Buffer.alloc(32, 1);
const OTHER_PEPPER = Buffer.alloc(32, 2);
const DIGEST_BYTES = 32;
/** So many letters of a value may be shown: 24 bits, and the prefix is no secret. */
const SHOWN_MAX = 4;

type LocalCase = {
  readonly title: string;
  readonly run: (handle: LocalHandle, format: KeyFormat) => void;
};

const ALL: readonly LocalCase[] = [
  {
    title: 'has exactly the slots of the format, each with a value',
    run(handle, format) {
      const { values } = mint(handle, format);
      assert.deepEqual(Object.keys(values).toSorted(), SLOTS[format].toSorted());
      assert.ok(Object.values(values).every((value) => value.reveal().length > 0));
    },
  },
  {
    title: 'never repeats a keyId or a value, not even between the slots of a credential',
    run(handle, format) {
      const minted = Array.from({ length: MANY }, () => mint(handle, format));
      assert.equal(new Set(minted.map(({ keyId }) => keyId)).size, MANY);
      assert.equal(new Set(minted.flatMap(texts)).size, MANY * SLOTS[format].length);
    },
  },
  {
    title: 'depends on the randomness handed in and on nothing else',
    run(handle, format) {
      const fixed = (size: number): Buffer => Buffer.alloc(size, 7);
      const [one, two] = [handle.mint(format, fixed), handle.mint(format, fixed)];
      assert.deepEqual(texts(one), texts(two));
      assert.equal(one.keyId, two.keyId);
    },
  },
  {
    title: 'gets a fresh value for a slot under the keyId that it has',
    run(handle, format) {
      const minted = mint(handle, format);
      for (const slot of SLOTS[format]) {
        const identity = { keyId: minted.keyId, slot };
        const fresh = handle.mintSlot(identity, randomBytes);
        assert.ok(!texts(minted).includes(fresh.revealText()));
        assert.ok(handle.digest(identity, fresh, PEPPER));
      }
    },
  },
  {
    title: 'has a digest of 32 bytes that is the same for the same value, and for no other',
    run(handle, format) {
      const digests = new Set<string>();
      for (const { keyId, values } of Array.from({ length: MANY }, () => mint(handle, format))) {
        for (const slot of SLOTS[format]) {
          const value = values[slot] ?? assert.fail('a slot without a value');
          const digest = handle.digest({ keyId, slot }, value, PEPPER);
          assert.equal(digest?.length, DIGEST_BYTES);
          const same = new Sensitive(value.revealText());
          assert.deepEqual(handle.digest({ keyId, slot }, same, PEPPER), digest);
          assert.notDeepEqual(handle.digest({ keyId, slot }, value, OTHER_PEPPER), digest);
          digests.add(Buffer.from(digest ?? []).toString('hex'));
        }
      }
      assert.equal(digests.size, MANY * SLOTS[format].length);
    },
  },
  {
    title: 'has no digest for texts of another shape, and never throws',
    run(handle, format) {
      const slot = SLOTS[format][0] ?? 'apiKey';
      for (const text of ['', 'a', '🔑', '\u0000', 'kw_']) {
        const identity = { keyId: 'a'.repeat(16), slot };
        assert.equal(handle.digest(identity, new Sensitive(text), PEPPER), undefined);
      }
    },
  },
  {
    title: 'has a hint that tells nothing of the value but a few letters',
    run(handle, format) {
      const { keyId, values, hint } = mint(handle, format);
      for (const slot of SLOTS[format]) {
        const value = values[slot] ?? assert.fail('a slot without a value');
        const secret = secretPart(value.revealText(), keyId);
        for (const text of [hint, handle.hint({ keyId, slot }, value)]) {
          assert.ok(text.length > 0);
          assert.ok(longestShared(text, secret) <= SHOWN_MAX, 'the hint shows too much');
        }
      }
    },
  },
];

/** The cases that this driver must pass, once for each format that it offers. */
export function localCases({ driver, member }: LocalSubject): readonly DriverCase[] {
  const handle = driver.open(member);
  if ('problem' in handle) return assert.fail(`open refused its own member: ${handle.problem}`);
  if (handle.type !== 'Local') return assert.fail('a remote store has cases of its own');
  const { formats } = handle.capabilities;
  return formats.flatMap((format) =>
    ALL.map(({ title, run }) => ({
      title: `a credential of format ${format} ${title}`,
      // A case that throws must reject, as those of remote stores do.
      run: async () => run(handle, format),
    })),
  );
}

function mint(handle: LocalHandle, format: KeyFormat): MintedCredential {
  return handle.mint(format, randomBytes);
}

function texts({ values }: MintedCredential): readonly string[] {
  return Object.values(values).map((value) => value.revealText());
}

/** What stands behind the keyId; all of it where the keyId is not in the value. */
function secretPart(text: string, keyId: string): string {
  const at = text.indexOf(keyId);
  return at < 0 ? text : text.slice(at + keyId.length);
}

function longestShared(shown: string, secret: string): number {
  for (let length = Math.min(shown.length, secret.length); length > 0; length -= 1) {
    for (let at = 0; at + length <= shown.length; at += 1) {
      if (secret.includes(shown.slice(at, at + length))) return length;
    }
  }
  return 0;
}
