/** Decisions of reviewers about keys and clients: the switch that no consumer's manifest can undo. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_CLIENTS, API_KEY_REVIEWS, API_KEYS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { People } from '../../support/operator.people.ts';
import { Site } from '../../support/operator.site.ts';

let site: Site;
let people: People;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  people = new People(site);
  await people.appoint('bob', {
    isReviewer: true,
    approves: ['plain', 'strict'],
    approvesClients: true,
  });
  await people.openStore('own', { requirement: 'Never' });
  await people.appoint('mallory', { isReviewer: true, isConsumer: true, approves: ['own'] });
  await people.appoint('kim', { isConsumer: true, isReviewer: true, approvesClients: true });
  await site.start();
  await provenSince();
});

afterAll(async () => {
  people.close();
  await site.close();
});

/** Reviews that are older than the first proof never count; so that proof is awaited. */
async function provenSince(): Promise<void> {
  await site.issue('canary');
  await eventually(async () => {
    const name = await people.switch('mallory', API_KEYS, 'canary', 'Suspended');
    expect(await people.verdict(name)).toBe('ReviewerNotAuthorized');
  });
}

async function value(name: string): Promise<string> {
  const { apiKey = '' } = await site.values(name);
  return apiKey;
}

describe('a key', () => {
  test('that a reviewer suspends stays off, whatever its manifest says', async () => {
    await site.issue('leaked');
    const presented = await value('leaked');
    expect(await site.verdict(presented)).toBe('Allowed');
    const name = await people.switch('bob', API_KEYS, 'leaked', 'Suspended');
    expect(await people.verdict(name)).toBe('Decisive');
    await site.until('leaked', 'Suspended');
    expect(await site.verdict(presented)).not.toBe('Allowed');
    await site.edit('leaked', { state: 'Suspended' });
    await site.edit('leaked', { state: 'Active' });
    await site.until('leaked', 'Suspended');
    expect(await site.verdict(presented)).not.toBe('Allowed');
    const resumed = await people.switch('bob', API_KEYS, 'leaked', 'Resumed');
    expect(await people.verdict(resumed)).toBe('Decisive');
    await site.until('leaked', 'Active');
    expect(await site.verdict(presented)).toBe('Allowed');
  });

  test('that a reviewer revokes never works again', async () => {
    await site.issue('burnt');
    const presented = await value('burnt');
    const name = await people.switch('bob', API_KEYS, 'burnt', 'Revoked');
    expect(await people.verdict(name)).toBe('Decisive');
    await site.until('burnt', 'Revoked');
    expect(await site.verdict(presented)).not.toBe('Allowed');
    const again = await people.switch('bob', API_KEYS, 'burnt', 'Resumed');
    expect(await people.verdict(again)).toBe('NothingToDecide');
  });

  test('is switched by nobody without the right at its store', async () => {
    await site.issue('safe');
    const name = await people.switch('mallory', API_KEYS, 'safe', 'Suspended');
    const { reason, message } = await people.judged(name);
    expect(reason).toBe('ReviewerNotAuthorized');
    expect(message).toContain("approve keystores 'plain'");
    await site.until('safe', 'Active');
  });

  test('that is made anew at another store is switched on by nobody who may approve only there', async () => {
    await site.issue('moved');
    await people.switch('bob', API_KEYS, 'moved', 'Suspended');
    await site.until('moved', 'Suspended');
    await site.remove('moved');
    await site.untilGone('moved');
    await site.create('moved', { storeRef: { kind: 'KeyStore', name: 'own' } });
    await site.until('moved', 'Suspended');
    const name = await people.switch('mallory', API_KEYS, 'moved', 'Resumed');
    const { reason, message } = await people.judged(name);
    expect(reason).toBe('ReviewerNotAuthorized');
    expect(message).toContain("approve keystores 'plain'");
    await site.edit('moved', { storeRef: { kind: 'KeyStore', name: 'plain' } });
    await site.until('moved', 'Suspended');
    const resumed = await people.switch('bob', API_KEYS, 'moved', 'Resumed');
    expect(await people.verdict(resumed)).toBe('Decisive');
    await site.until('moved', 'Active');
  });

  test('stays off when the review is deleted, and over a restart', async () => {
    await site.issue('night');
    const name = await people.switch('bob', API_KEYS, 'night', 'Suspended');
    await site.until('night', 'Suspended');
    expect(await people.verdict(name)).toBe('Decisive');
    await people.as('bob').remove(API_KEY_REVIEWS, site.namespace, name);
    await site.restart();
    await site.edit('night', { description: 'looked at again' });
    await site.until('night', 'Suspended');
  });
});

describe('a client', () => {
  async function clientUntil(name: string, reason: string) {
    return eventually(async () => {
      const client = await site.api.get(API_CLIENTS, site.namespace, name);
      // Asked for by kind; the schema fills in status.
      const status = client?.status as { conditions?: { reason: string }[] } | undefined;
      expect(status?.conditions?.[0]?.reason).toBe(reason);
      return client;
    });
  }

  test('that a reviewer suspends takes its keys along, until he resumes it', async () => {
    await people.register('shop');
    await clientUntil('shop', 'Active');
    await site.issue('of-shop', { clientRef: { name: 'shop' } });
    const presented = await value('of-shop');
    const name = await people.switch('bob', API_CLIENTS, 'shop', 'Suspended');
    expect(await people.verdict(name)).toBe('Decisive');
    await clientUntil('shop', 'Suspended');
    await site.until('of-shop', 'Suspended');
    expect(await site.verdict(presented)).not.toBe('Allowed');
    await site.api.patch(API_CLIENTS, [site.namespace, 'shop'], { spec: { state: 'Active' } });
    await site.until('of-shop', 'Suspended');
    expect(await people.verdict(await people.switch('bob', API_CLIENTS, 'shop', 'Resumed'))).toBe(
      'Decisive',
    );
    await site.until('of-shop', 'Active');
    await clientUntil('shop', 'Active');
  });

  test('is suspended by its own spec, and active again by it', async () => {
    await people.register('own');
    await clientUntil('own', 'Active');
    await site.issue('of-own', { clientRef: { name: 'own' } });
    const at = [site.namespace, 'own'] as const;
    await site.api.patch(API_CLIENTS, at, { spec: { state: 'Suspended' } });
    await clientUntil('own', 'Suspended');
    await site.until('of-own', 'Suspended');
    expect(await site.verdict(await value('of-own'))).not.toBe('Allowed');
    await site.api.patch(API_CLIENTS, at, { spec: { state: 'Active' } });
    await site.until('of-own', 'Active');
  });

  test('that was suspended by a reviewer stays so when it is deleted and made anew', async () => {
    await people.register('again');
    await clientUntil('again', 'Active');
    const before = await people.switch('bob', API_CLIENTS, 'again', 'Suspended');
    expect(await people.verdict(before)).toBe('Decisive');
    await site.api.remove(API_CLIENTS, site.namespace, 'again');
    await site.create('early', { clientRef: { name: 'again' } });
    await site.until('early', 'ClientNotAvailable');
    await site.restart();
    await people.register('again');
    await clientUntil('again', 'Suspended');
    await site.until('early', 'Suspended');
    const name = await people.switch('bob', API_CLIENTS, 'again', 'Resumed');
    expect(await people.verdict(name)).toBe('Decisive');
    await clientUntil('again', 'Active');
    await site.until('early', 'Active');
  });

  test('is registered where a store takes only reviewed ones, by nobody who could write it', async () => {
    await people.openStore('strict', { requiredFor: ['Client', 'Issue'] });
    await people.register('new');
    await clientUntil('new', 'PendingReview');
    const own = await people.switch('kim', API_CLIENTS, 'new', 'Approved');
    expect(await people.verdict(own)).toBe('SelfReviewNotAllowed');
    const name = await people.switch('bob', API_CLIENTS, 'new', 'Approved');
    expect(await people.verdict(name)).toBe('Decisive');
    await clientUntil('new', 'Active');
  });
});
