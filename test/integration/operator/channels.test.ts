/** Other ways in and out: a portal that files forms for people, and a webhook that tells of them. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { People } from '../../support/operator.people.ts';
import { Site } from '../../support/operator.site.ts';

type Told = { readonly headers: IncomingHttpHeaders; readonly body: string };
type Notice = {
  readonly type: string;
  readonly data: Readonly<Record<string, string | number>>;
};

const DESK = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;
const SECRET = Buffer.alloc(32, 5);

const told: Told[] = [];
/** The receiver is down: it answers 503. */
let isDown = false;
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    if (!isDown) told.push({ headers: request.headers, body });
    response.writeHead(isDown ? 503 : 204).end();
  });
});

let folder: string;
let site: Site;
let people: People;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-channels-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `whsec_${SECRET.toString('base64')}\n`, { mode: 0o600 });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  const { port } = receiver.address() as AddressInfo;
  site = await Site.open({
    access: sharedControlPlane(),
    flags: { 'webhook-url': `http://127.0.0.1:${port}/`, 'webhook-secret-file': secretFile },
  });
  people = new People(site);
  await people.openStore('desk', { attestors: [{ username: 'portal' }] });
  await people.appoint('ann', { isConsumer: true });
  await people.appoint('portal', { isConsumer: true, isReviewer: true, approves: ['desk'] });
  await people.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await people.register('shop');
  await site.start();
  await eventually(async () => {
    assert.equal(await site.operator.metric('keyward_admission_policies_proven'), 1);
  });
});

afterAll(async () => {
  people.close();
  await site.close();
  await new Promise((closed) => receiver.close(closed));
  await rm(folder, { recursive: true });
});

/** What was told about a form, in order, each notice once. */
function noticesOf(application: string): readonly Notice[] {
  const byId = new Map(told.map(({ headers, body }) => [headers['webhook-id'], body]));
  return [...byId.values()]
    .map((body) => JSON.parse(body) as Notice)
    .filter(({ data }) => data['application'] === application);
}

test('a portal files a form for somebody, who is shown as its applicant and decides about nothing of it (R6, R96)', async () => {
  const onBehalfOf = { username: 'ann' };
  const form = await people.submit('portal', 'by-portal', { ...DESK, onBehalfOf });
  expect(form.status.applicant).toEqual({ username: 'ann', source: 'Asserted' });
  expect(await people.verdict(await people.decide('portal', form))).toBe('SelfReviewNotAllowed');
  expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
  await site.until('by-portal', 'Active');
});

test('nobody else says for whom he files a form', async () => {
  const onBehalfOf = { username: 'kim' };
  await people.file('ann', 'pretended', { ...DESK, onBehalfOf });
  const { status } = await people.until('pretended', 'Incomplete');
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  expect(ready?.message).toContain('onBehalfOf');
});

test('the webhook tells in order who asks and what was decided, signed, and no words of theirs', async () => {
  const purpose = 'a purpose that is nobody else’s business';
  const form = await people.submit('ann', 'told', { ...DESK, purpose });
  await people.decide('bob', form, { decision: 'Denied', message: 'words for ann alone' });
  await eventually(() => {
    expect(noticesOf('told').map(({ type, data }) => [type, data['action']])).toEqual([
      ['keyward.application.submitted', 'RoundOpened'],
      ['keyward.application.decided', 'RoundDenied'],
    ]);
  });
  const [submitted, denied] = noticesOf('told');
  expect(submitted?.data).toMatchObject({
    namespace: site.namespace,
    round: 1,
    type: 'Issue',
    actor: 'ann',
  });
  expect(denied?.data).toMatchObject({ reason: 'Other', reviewer: 'bob' });
  for (const { headers, body } of told) {
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const hmac = createHmac('sha256', SECRET).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${hmac}`);
    expect(body).not.toContain(purpose);
    expect(body).not.toContain('words for ann alone');
  }
});

test('what happened while the receiver was down, and the operator was killed, is told afterwards', async () => {
  isDown = true;
  const form = await people.submit('ann', 'missed', DESK);
  await people.verdict(await people.decide('bob', form));
  await site.operator.kill();
  expect(noticesOf('missed')).toEqual([]);
  isDown = false;
  await site.start();
  await eventually(() => {
    expect(noticesOf('missed').map(({ data }) => data['action'])).toEqual([
      'RoundOpened',
      'RoundApproved',
    ]);
  });
});
