/** A store at a vendor: with credentials that are right, and with credentials that are wrong. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { expect } from '../../expect.ts';
import type { Stage } from '../../stage.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const READY_COLUMNS =
  '-o=custom-columns=NAME:.metadata.name,ACCOUNT:.status.account,CLASS:.status.capabilities.class,FORMATS:.status.capabilities.formats,CAN:.status.capabilities.features';
const EVENT_COLUMNS = '-o=custom-columns=TYPE:.type,REASON:.reason,NOTE:.note';

/** The store of samples/, at the fake's address. */
export function store(vendor: Vendor): Step {
  const { name, title } = vendor.dialect;
  return {
    title: `A store whose keys live at ${title}`,
    short: `KeyStore ${name}`,
    async run(stage) {
      await vendor.addStranger();
      await vendor.show();
      const { credentials } = await vendor.account();
      await makeSecret(stage, `${name}-account`, credentials);
      stage.screen.say(`The store is the one of samples/${name}, at the address of the fake.`);
      await stage.applyObject(await storeObject(vendor, name));
      await untilStoreReady(stage, name);
      await stage.kubectl(['get', 'kst']);
      await stage.kubectl(['get', 'kst', name, READY_COLUMNS]);
      stage.screen.proof('it logged in; what it can do stands in its status');
    },
  };
}

/** Says it once, asks no more, and goes on when somebody names better ones. */
export function wrongCredentials(vendor: Vendor): Step {
  const { type } = vendor.dialect;
  const member = vendor.dialect.name;
  return {
    title: 'Wrong credentials: the store says so once, and stops asking',
    short: 'wrong credentials, mended',
    async run(stage) {
      const { screen } = stage;
      const { credentials } = await vendor.account();
      const wrong = { ...credentials, [vendor.dialect.signingEntry]: 'mistyped' };
      await makeSecret(stage, 'typo-account', wrong);
      await stage.applyObject(await storeObject(vendor, 'typo'));
      await untilReason(stage, 'typo', 'AuthenticationFailed');
      await stage.kubectl(['get', 'kst', 'typo', '-o', 'wide']);
      await vendor.forgetCalls();
      await stage.applyObject(apiKey('waiting', 'typo'));
      await stage.untilReason('waiting', 'StoreUnavailable');
      await stage.show('waiting');
      const asked = (await vendor.calls()).filter(({ operation }) => operation === 'create');
      expect('no create call reached the vendor', asked.length === 0, String(asked.length));
      screen.proof('the key waits, and nothing of it was sent to the vendor');
      screen.say(`The right ones, in another Secret. A changed store is looked at at once.`);
      await makeSecret(stage, 'typo-account-2', credentials);
      const spec = { [member]: { credentialsSecretRef: { name: 'typo-account-2' } } };
      await stage.patch('kst/typo', { spec });
      await untilStoreReady(stage, 'typo');
      await stage.untilReady('waiting');
      await stage.show('waiting');
      const about = `regarding.kind=KeyStore,regarding.name=typo`;
      const events = ['get', 'events.events.k8s.io', `--field-selector=${about}`];
      const said = await stage.kubectl([...events, '--sort-by=.eventTime', EVENT_COLUMNS]);
      const complaints = said.split('StoreConnectionFailed').length - 1;
      expect('one event about the failure', complaints === 1, said);
      screen.proof(`two stores of type ${type} share one account now; that is allowed`);
    },
  };
}

/** An ApiKey for a store of the demo's namespace. */
export function apiKey(name: string, storeName: string, more: object = {}): object {
  return {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name },
    spec: { storeRef: { kind: 'KeyStore', name: storeName }, ...more },
  };
}

async function makeSecret(
  stage: Stage,
  name: string,
  entries: Readonly<Record<string, string>>,
): Promise<void> {
  const shown = Object.keys(entries).map((entry) => `--from-literal=${entry}=…`);
  stage.screen.command(`kubectl create secret generic ${name} ${shown.join(' ')}`);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: entries };
  await stage.ask(['create', '-f', '-'], stringify(secret));
}

async function storeObject(vendor: Vendor, name: string): Promise<object> {
  const { dialect, endpoint } = vendor;
  const file = join(ROOT, 'samples', dialect.name, '10-account.yaml');
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  // A sample of this repository, checked by its own test.
  const sample = documents.map((each) => each.toJS() as Sample).find(isStore);
  if (sample === undefined) throw new Error(`${file} has no KeyStore`);
  const member = {
    ...(sample.spec[dialect.name] as object),
    endpoint,
    ...(dialect.name === 'naver' ? { tenantId: (await vendor.account()).id } : {}),
    credentialsSecretRef: { name: `${name}-account` },
    ...dialect.settings,
  };
  return { ...sample, metadata: { name }, spec: { ...sample.spec, [dialect.name]: member } };
}

type Sample = { readonly kind: string; readonly spec: Readonly<Record<string, unknown>> };

function isStore({ kind }: Sample): boolean {
  return kind === 'KeyStore';
}

async function untilStoreReady(stage: Stage, name: string): Promise<void> {
  stage.screen.command(`kubectl wait --for=condition=Ready kst/${name}`);
  await stage.ask(['wait', '--for=condition=Ready', `kst/${name}`, '--timeout=120s']);
}

async function untilReason(stage: Stage, name: string, reason: string): Promise<void> {
  const path = '{.status.conditions[?(@.type=="Ready")].reason}';
  await stage.ask(['wait', `kst/${name}`, `--for=jsonpath=${path}=${reason}`, '--timeout=120s']);
}
