/** The kit is worth what it catches: drivers with one usual mistake each must fail. */
import { describe, expect, test } from 'vitest';
import { driverCases } from '../../kit/driverkit.ts';
import type { Subject } from '../../kit/subject.ts';
import {
  StoreFailure,
  type Capabilities,
  type Connection,
  type RemoteCredential,
  type RemoteStore,
  type VendorHttp,
  type VendorResponse,
} from '../../src/stores/contract.ts';
import { subjects } from './subjects.ts';

type Mistake = {
  /** How the title of the case begins that must fail. */
  readonly caughtBy: string;
  readonly subject?: string;
  readonly capabilities?: Partial<Capabilities>;
  /** What goes out to the vendor and comes back. */
  readonly http?: (http: VendorHttp) => VendorHttp;
  readonly store?: (store: RemoteStore, connection: Connection) => Partial<RemoteStore>;
};

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'makes a failed create call again': {
    caughtBy: 'a failed call is not made again',
    store: (store) => ({
      create: (wanted, signal) =>
        store.create(wanted, signal).catch(() => store.create(wanted, signal)),
    }),
  },
  'makes every call again at the level of HTTP': {
    caughtBy: 'a failed call is not made again',
    http: (http) => ({
      send: (request, signal) => http.send(request, signal).catch(() => http.send(request, signal)),
    }),
  },
  "shows the vendor's words in a failure": {
    caughtBy: 'secrets that a 500 answer repeats',
    http: (http) =>
      answering(http, (answer) => {
        if (answer.status >= 400) throw new StoreFailure('Unavailable', { message: answer.body });
        return answer;
      }),
  },
  'passes on the message of the JSON parser': {
    caughtBy: 'secrets in an answer that is no JSON',
    http: (http) =>
      answering(http, (answer) => {
        if (answer.body !== '') JSON.parse(answer.body);
        return answer;
      }),
  },
  'keeps the body of an answer as the cause of a failure': {
    caughtBy: 'secrets that a 500 answer repeats',
    http: (http) =>
      answering(http, (answer) => {
        if (answer.status < 400) return answer;
        const failure = new StoreFailure('Unavailable', { message: 'it failed' });
        throw Object.defineProperty(failure, 'cause', { value: new Error(answer.body) });
      }),
  },
  'reads the first page only': {
    caughtBy: 'a list shows every credential',
    http: (http) =>
      answering(http, (answer) => ({
        ...answer,
        body: answer.body.replace(/"pages":\d+/, '"pages":1'),
      })),
  },
  'trusts a single pass over pages that shift': {
    caughtBy: 'pages that shift',
    http: (http) => remembering(http),
  },
  'finds whatever is there, mark or not': {
    caughtBy: 'a mark finds what bears it',
    store: (store) => ({ find: (_, signal) => store.list(signal) }),
  },
  'finds nothing': {
    caughtBy: 'a mark finds what bears it',
    store: () => ({ find: () => Promise.resolve([]) }),
  },
  'never disables': {
    caughtBy: 'disabling and enabling',
    store: (store) => ({
      update: (id, wish, signal) => store.update(id, { ...wish, enabled: true }, signal),
    }),
  },
  'cuts names to what fits': {
    caughtBy: 'one code point more',
    store: (store) => ({
      update: (id, wish, signal) =>
        store.update(id, { ...wish, name: [...wish.name].slice(0, 40).join('') }, signal),
    }),
  },
  'counts code units instead of code points': {
    caughtBy: 'names and descriptions of emoji',
    store: (store) => ({
      update: (id, wish, signal) =>
        store.update(id, { ...wish, name: wish.name.slice(0, 40) }, signal),
    }),
  },
  'promises longer names than the vendor keeps': {
    caughtBy: 'names and descriptions of emoji',
    capabilities: { displayNameMax: 255 },
  },
  'promises to restore what is shown once': {
    caughtBy: 'what the driver declares',
    capabilities: { recoverable: true },
  },
  'is of a lower class than it says': {
    caughtBy: 'class M: a create call without an answer',
    capabilities: { class: 'M' },
  },
  'confirms a deletion of nothing': {
    caughtBy: 'deleting removes it',
    store: (store) => ({
      async delete(id, signal) {
        await store.delete(id, signal);
        return 'Deleted';
      },
    }),
  },
  'takes every failure for an absence': {
    caughtBy: 'a 503 answer',
    store: (store) => ({ read: (id, signal) => store.read(id, signal).catch(() => undefined) }),
  },
  'claims to know that a lost call was not carried out': {
    caughtBy: 'class O: a create call without an answer',
    store: (store) => ({
      create: (wanted, signal) =>
        store.create(wanted, signal).catch((err: unknown) => {
          const { kind, message } = err as StoreFailure;
          throw new StoreFailure(kind, { message, executed: 'No' });
        }),
    }),
  },
  'does not pass the signal on': {
    caughtBy: 'a cancelled call settles',
    http: (http) => ({ send: (request) => http.send(request, new AbortController().signal) }),
  },
  'keeps what it has read': {
    caughtBy: 'what a person does at the vendor',
    store: (store) => {
      const kept = new Map<string, RemoteCredential | undefined>();
      return {
        async read(id, signal) {
          if (!kept.has(id)) kept.set(id, await store.read(id, signal));
          return kept.get(id);
        },
      };
    },
  },
  'does not look whose credential an answer is about': {
    caughtBy: 'an answer about another credential',
    subject: 'Tokenshop (docs/drivers.md), class M',
    http: (http) => withIdOf(http),
  },
  'puts ids into paths as they are': {
    caughtBy: 'an id that would lead elsewhere',
    store: (store, { http, credentials }) => ({
      async delete(id, signal) {
        const headers = { authorization: `Bearer ${credentials['token']?.revealText()}` };
        const path = `/v1/tokens/${id}`;
        const { status } = await http.send({ method: 'DELETE', path, headers }, signal);
        return status === 204 ? 'Deleted' : await store.delete('tk-000000000000', signal);
      },
    }),
  },
  'ignores Retry-After': {
    caughtBy: 'Retry-After',
    http: (http) => answering(http, ({ status, body }) => ({ status, body, headers: {} })),
  },
  'makes a call while it connects': {
    caughtBy: 'connecting makes no traffic',
    store: (store) => {
      void store.login(new AbortController().signal).catch(() => undefined);
      return {};
    },
  },
};

describe('the kit catches a driver that', () => {
  test.each(Object.entries(MISTAKES))('%s', async (_, { caughtBy, ...mistake }) => {
    const cases = driverCases(spoiled(mistake)).filter(({ title }) => title.startsWith(caughtBy));
    expect(cases).toHaveLength(1);
    await expect(cases[0]?.run()).rejects.toBeInstanceOf(Error);
  });
});

function spoiled({
  subject: name = 'Awkward, class O',
  ...change
}: Omit<Mistake, 'caughtBy'>): Subject {
  const subject = subjects[name];
  if (subject === undefined) throw new Error(`there is no subject ${name}`);
  return {
    ...subject,
    driver: {
      ...subject.driver,
      open(member) {
        const handle = subject.driver.open(member);
        if ('problem' in handle || handle.type === 'Local') return handle;
        return {
          ...handle,
          capabilities: { ...handle.capabilities, ...change.capabilities },
          connect(connection) {
            const http = change.http?.(connection.http) ?? connection.http;
            const store = handle.connect({ ...connection, http });
            return { ...store, ...change.store?.(store, { ...connection, http }) };
          },
        };
      },
    },
  };
}

function answering(
  http: VendorHttp,
  change: (answer: VendorResponse) => VendorResponse,
): VendorHttp {
  return { send: async (request, signal) => change(await http.send(request, signal)) };
}

/** Answers a page that was read before as it was then, so a second pass sees nothing new. */
function remembering(http: VendorHttp): VendorHttp {
  const pages = new Map<string, VendorResponse>();
  return {
    async send(request, signal) {
      if (!request.path.includes('?page=')) {
        pages.clear();
        return await http.send(request, signal);
      }
      const answer = pages.get(request.path) ?? (await http.send(request, signal));
      pages.set(request.path, answer);
      return answer;
    },
  };
}

/** Writes the id that was asked for into whatever was answered. */
function withIdOf(http: VendorHttp): VendorHttp {
  return {
    async send(request, signal) {
      const answer = await http.send(request, signal);
      const [, id] = /tokens\/(tk-[0-9a-f]+)/.exec(request.path) ?? [];
      if (id === undefined) return answer;
      return { ...answer, body: answer.body.replace(/"id":"[^"]*"/, `"id":"${id}"`) };
    },
  };
}
