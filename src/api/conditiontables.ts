/** Every reason of every condition, by kind, for what is said or tested about all kinds. Pure. */
import {
  APPLICATION_CONDITIONS,
  APPLICATION_READY,
  CLIENT_CONDITIONS,
  CLIENT_READY,
  PRODUCT_CONDITIONS,
  PRODUCT_READY,
  REVIEW_CONDITIONS,
  REVIEW_READY,
} from './applicationconditions.ts';
import {
  API_KEY_CONDITIONS,
  API_KEY_READY,
  KEY_STORE_CONDITIONS,
  KEY_STORE_READY,
} from './conditions.ts';
import type { ReadyFact, ReasonFact } from './reasons.ts';

/** What the conditions of a kind may say. */
export type ConditionTable = {
  readonly ready: Readonly<Record<string, ReadyFact>>;
  /** Reasons of the conditions beside Ready, by type; those of Stalled are the reasons of Ready. */
  readonly further: Readonly<Record<string, Readonly<Record<string, ReasonFact>>>>;
};

/** By kind; a ClusterKeyStore has those of KeyStore. */
export const CONDITION_TABLES = {
  ApiKey: { ready: API_KEY_READY, further: API_KEY_CONDITIONS },
  ApiKeyApplication: { ready: APPLICATION_READY, further: APPLICATION_CONDITIONS },
  ApiKeyReview: { ready: REVIEW_READY, further: REVIEW_CONDITIONS },
  ApiClient: { ready: CLIENT_READY, further: CLIENT_CONDITIONS },
  ApiProduct: { ready: PRODUCT_READY, further: PRODUCT_CONDITIONS },
  KeyStore: { ready: KEY_STORE_READY, further: KEY_STORE_CONDITIONS },
} as const satisfies Readonly<Record<string, ConditionTable>>;
