/**
 * NAVER Cloud Platform API Gateway: keys with two values that both work. The class is M: a new key
 * bears the mark in name and description, and values can be read by id at any time.
 */
import type { Capabilities, Driver } from '../contract.ts';
import { namingRights } from './rights.ts';
import { HOSTS, parseSettings } from './settings.ts';
import { connectStore } from './store.ts';

/** Limits of name and description are the vendor's, in characters as people count them. */
const CAPABILITIES: Capabilities = {
  class: 'M',
  formats: ['Dual'],
  recoverable: true,
  rotation: 'InPlace',
  regeneratePerSlot: true,
  suspend: true,
  displayNameMax: 20,
  descriptionMax: 50,
  // Products by subscription; usage plans are the vendor's own, and Keyward's gate is not asked for these keys.
  terms: ['productRefs'],
};

/** The driver of stores with `spec.type: Naver`. */
export const naverDriver: Driver = {
  type: 'Naver',
  hosts: HOSTS,
  open(member) {
    const settings = parseSettings(member);
    if ('problem' in settings) return settings;
    const { endpoint, secretName, settleMs, deleteGraceMs, onExpiry } = settings;
    return {
      type: 'Remote',
      capabilities: CAPABILITIES,
      defaultFormat: 'Dual',
      provider: 'naver',
      // The base path is the driver's affair.
      endpoint: new URL(endpoint.origin),
      credentials: { secretName, entries: ['accessKey', 'secretKey'] },
      settleMs,
      deleteGraceMs,
      onExpiry,
      connect: (connection) => namingRights(connectStore(connection, settings)),
    };
  },
};
