/** Good and bad forms apart from terms and secret, one for every rule of the schema. */
import type { SpecCase } from './crds.spec-cases.ts';

const KOREAN = '가';
const EMOJI = '😀';
const onBehalfOf = (username: string): object => ({ onBehalfOf: { username } });
const service = (fields: object): object => ({ service: fields });
const contact = (fields: object): object => ({ contact: fields });
const reissue = (fields: object): object => ({
  reissue: { requestId: 'incident-1', reason: 'Exposed', ...fields },
});
const revocation = (fields: object): object => ({ revocation: fields });

/** What a new form may say. Whether it is complete is a rule of its store, not of the schema. */
export const FORM_CASES: readonly SpecCase[] = [
  { why: 'R117 nothing yet: a form is filled in step by step', spec: { submission: 'Draft' } },
  { why: 'no spec', spec: undefined },
  {
    why: 'R95 R102 R104 R105 R109 R113 R114 all six fields of the form for a client',
    spec: {
      clientRef: { name: 'crm' },
      displayName: 'CRM nightly sync',
      justification: 'Replaces the file drop.',
      terms: {
        validity: { effectiveDate: '2027-01-01', expirationDate: '2027-12-31' },
        quota: { requests: -1 },
        productRefs: [{ name: 'orders' }, { name: 'stock' }],
      },
    },
  },
  {
    why: 'R7 R8 R9 service, intended use and the exact site',
    spec: {
      service: { name: 'Trip', description: 'Plans a weekend.', url: 'https://www.myservice.com' },
      purpose: 'Shows places nearby.',
      terms: { originPolicy: { allowed: ['www.myservice.com'] } },
    },
  },
  { why: 'R117 a draft', spec: { submission: 'Draft', displayName: 'x' } },
  { why: 'a form that was taken back', spec: { submission: 'Withdrawn' } },
  {
    why: 'an unknown submission',
    spec: { submission: 'Sent' },
    refused: 'submission: Unsupported',
  },
  { why: 'submitted once more', spec: { submissionId: 'a'.repeat(64) } },
  {
    why: 'a submissionId of 65 characters',
    spec: { submissionId: 'a'.repeat(65) },
    refused: 'may not be more than 64',
  },
  { why: 'an empty submissionId', spec: { submissionId: '' }, refused: 'submissionId' },
  { why: 'R96 on behalf of a person', spec: onBehalfOf('oidc:mina@example.com') },
  { why: 'on behalf of nobody', spec: onBehalfOf(''), refused: 'onBehalfOf.username' },
  { why: 'on behalf of whom', spec: { onBehalfOf: {} }, refused: 'username: Required' },
  {
    why: 'on behalf of a service account',
    spec: onBehalfOf('system:serviceaccount:shop:ci'),
    refused: 'names that begin with system are no people',
  },
  {
    why: 'on behalf of two people in two lines',
    spec: onBehalfOf('mina\njin'),
    refused: 'onBehalfOf.username',
  },
  {
    why: 'on behalf of a name of 513 characters',
    spec: onBehalfOf('a'.repeat(513)),
    refused: 'may not be more than 512',
  },
  { why: 'a client without a name', spec: { clientRef: {} }, refused: 'name: Required' },
  {
    why: 'a client with a name that cannot exist',
    spec: { clientRef: { name: 'A_B' } },
    refused: 'clientRef.name',
  },
  { why: 'a key of another name', spec: { apiKeyRef: { name: 'k'.repeat(63) } } },
  {
    why: 'a key with a name that no ApiKey can have',
    spec: { apiKeyRef: { name: 'k'.repeat(64) } },
    refused: 'may not be more than 63',
  },
  {
    why: 'a store of unknown kind',
    spec: { storeRef: { kind: 'Vault', name: 'x' } },
    refused: 'storeRef.kind: Unsupported value',
  },
  { why: 'an unknown format', spec: { format: 'Triple' }, refused: 'format: Unsupported value' },
  { why: 'R104 a key name of 255 Korean characters', spec: { displayName: KOREAN.repeat(255) } },
  { why: 'R104 a key name of 255 emoji', spec: { displayName: EMOJI.repeat(255) } },
  {
    why: 'R104 a key name of 256 emoji',
    spec: { displayName: EMOJI.repeat(256) },
    refused: 'may not be more than 255',
  },
  { why: 'R113 a reason of 500 Korean characters', spec: { justification: KOREAN.repeat(500) } },
  { why: 'R113 a reason of 500 emoji', spec: { justification: EMOJI.repeat(500) } },
  {
    why: 'R113 a reason of 501 Korean characters',
    spec: { justification: KOREAN.repeat(501) },
    refused: 'may not be more than 500',
  },
  { why: 'R8 an intended use of 1024 emoji', spec: { purpose: EMOJI.repeat(1024) } },
  {
    why: 'R8 an intended use of 1025 emoji',
    spec: { purpose: EMOJI.repeat(1025) },
    refused: 'may not be more than 1024',
  },
  { why: 'R7 a description of 1024 emoji', spec: service({ description: EMOJI.repeat(1024) }) },
  {
    why: 'R7 a description of 1025 Korean characters',
    spec: service({ description: KOREAN.repeat(1025) }),
    refused: 'may not be more than 1024',
  },
  { why: 'a service on a Korean host', spec: service({ url: 'https://여행.example.com/길' }) },
  {
    why: 'a service at no URL',
    spec: service({ url: 'www.myservice.com' }),
    refused: 'service.url',
  },
  {
    why: 'a service at a script',
    spec: service({ url: 'javascript:alert(1)' }),
    refused: 'service.url',
  },
  {
    why: 'whom to ask',
    spec: contact({
      name: '김민아',
      email: 'mina@example.com',
      url: 'https://wiki.example.com/crm',
      channel: '#crm',
    }),
  },
  { why: 'an address without a host', spec: contact({ email: 'mina' }), refused: 'contact.email' },
  {
    why: 'an address of 255 characters',
    spec: contact({ email: `${'a'.repeat(243)}@example.com` }),
    refused: 'may not be more than 254',
  },
  { why: 'R22 R23 R24 a reissue after exposure', spec: reissue({ whileWaiting: 'Suspend' }) },
  { why: 'R23 for security reasons', spec: reissue({ reason: 'SecurityConcern', message: 'x' }) },
  {
    why: 'R23 a reissue for no reason',
    spec: { reissue: { requestId: 'a' } },
    refused: 'reason: Required',
  },
  {
    why: 'R23 a reissue for another reason',
    spec: reissue({ reason: 'Lost' }),
    refused: 'reissue.reason: Unsupported value',
  },
  {
    why: 'a reissue without an id',
    spec: { reissue: { reason: 'Routine' } },
    refused: 'requestId: Required',
  },
  {
    why: 'R24 an unknown way to wait',
    spec: reissue({ whileWaiting: 'Revoke' }),
    refused: 'whileWaiting: Unsupported value',
  },
  {
    why: 'R123 a revocation with its own date',
    spec: revocation({ justification: 'No longer used.', effectiveDate: '2027-06-30' }),
  },
  {
    why: 'R123 a revocation without a reason',
    spec: revocation({ effectiveDate: '2027-06-30' }),
    refused: 'justification: Required',
  },
  {
    why: 'R123 a revocation for a blank reason',
    spec: revocation({ justification: '  ' }),
    refused: 'revocation.justification',
  },
  {
    why: 'R123 a revocation on no day',
    spec: revocation({ justification: 'x', effectiveDate: '2027-02-30' }),
    refused: 'effectiveDate',
  },
  { why: 'a field that is not there', spec: { phase: 'Approved' }, refused: 'unknown field' },
];

/** What of the seeds' forms is in the terms; the rest of their rules is in crds.terms-cases.ts. */
export const FORM_TERMS_CASES: readonly SpecCase[] = [
  {
    why: 'R10 R12 a bare host and a full URL',
    spec: terms({ originPolicy: { allowed: ['www.myservice.com', 'https://myservice.com/app'] } }),
  },
  {
    why: 'R106 valid for one day: the last day is inclusive',
    spec: terms({ validity: { effectiveDate: '2027-01-31', expirationDate: '2027-01-31' } }),
  },
  {
    why: 'R107 an expiry date before the effective date',
    spec: terms({ validity: { effectiveDate: '2027-02-01', expirationDate: '2027-01-31' } }),
    refused: 'expirationDate must not be before effectiveDate',
  },
  { why: 'R110 a quota of 0, which blocks every call', spec: terms({ quota: { requests: 0 } }) },
  {
    why: 'R109 a quota of -2',
    spec: terms({ quota: { requests: -2 } }),
    refused: 'quota.requests',
  },
  { why: 'R115 several products', spec: terms({ productRefs: [{ name: 'a' }, { name: 'b' }] }) },
  {
    why: 'R115 a product twice',
    spec: terms({ productRefs: [{ name: 'a' }, { name: 'a' }] }),
    refused: 'a product is listed twice',
  },
  { why: 'R118 no products yet: the store says whether some are needed', spec: terms({}) },
];

function terms(fields: object): object {
  return { terms: fields };
}
