import { describe, expect, it } from 'vitest';
import {
  isContention,
  isRefusal,
  isRolledBack,
  translate,
} from '../../../../src/ledger/postgres/failures.ts';

const answered = (code: string): Error =>
  Object.assign(new Error('words of the server'), { code, severity: 'ERROR' });
const network = (code: string): Error => Object.assign(new Error('connect'), { code });

describe('A failure of PostgreSQL', () => {
  it.each([
    { code: '57P01', says: 'failing over' },
    { code: '57P02', says: 'failing over' },
    { code: '57P03', says: 'failing over' },
    { code: '25006', says: 'standby' },
    { code: '53300', says: 'no connection left' },
    { code: '53100', says: 'disk is full' },
    { code: '28P01', says: 'password' },
    { code: '28000', says: 'password' },
    { code: '42501', says: 'lacks a right' },
    { code: '55P03', says: 'another writer' },
    { code: '57014', says: 'longer' },
    { code: '40001', says: 'other writers' },
    { code: '08006', says: 'connection was lost' },
    { code: '58030', says: 'reading or writing' },
  ])('that may pass is Transient and says what to do: $code', ({ code, says }) => {
    const error = translate(answered(code), 'db');
    expect(error).toMatchObject({ class: 'Transient', reason: 'LedgerUnavailable' });
    expect(error.message).toContain(says);
    expect(error.message).not.toContain('words of the server');
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'EPIPE', 'CERT_HAS_EXPIRED'])(
    'of the network is Transient: %s',
    (code) => {
      expect(translate(network(code), 'db')).toMatchObject({ reason: 'LedgerUnavailable' });
    },
  );

  it.each([
    { code: '3D000', reason: 'DatabaseMissing', errorClass: 'Terminal' },
    { code: '42P01', reason: 'DatabaseReplaced', errorClass: 'Terminal' },
    { code: 'XX001', reason: 'DatabaseCorrupt', errorClass: 'Terminal' },
    { code: '23505', reason: 'ConstraintViolated', errorClass: 'Bug' },
    { code: '22P05', reason: 'ConstraintViolated', errorClass: 'Bug' },
    { code: '42601', reason: 'InternalError', errorClass: 'Bug' },
  ])('that will not pass is $errorClass: $code', ({ code, reason, errorClass }) => {
    expect(translate(answered(code), 'db')).toMatchObject({ reason, class: errorClass });
  });

  it('proves a rollback only where the server says so', () => {
    expect(
      ['40001', '23505', '40003', '57P01', '08006'].map((c) => isRolledBack(answered(c))),
    ).toEqual([true, true, false, false, false]);
    expect(isRolledBack(network('ECONNRESET'))).toBe(false);
    expect([isContention(answered('40P01')), isRefusal(answered('40P01'))]).toEqual([true, false]);
  });
});
