import { expectTypeOf, test } from 'vitest';
/** Keeps the plain types of src/terms in step with the CRDs and the drivers; checked by the compiler. */
import type { ApiKeyApplicationSpec } from '../../../src/api/generated/apikeyapplication.ts';
import type { ApiKeyReviewSpec } from '../../../src/api/generated/apikeyreview.ts';
import type { KeyStoreSpec } from '../../../src/api/generated/keystore.ts';
import type { Capabilities } from '../../../src/stores/contract.ts';
import type { FormRules, FormSpec, StoreAbilities } from '../../../src/terms/form.ts';
import type { NarrowedSpec } from '../../../src/terms/narrowing.ts';
import type { RequestContent } from '../../../src/terms/request.ts';

test('objects as the API server sends them fit what forms are judged by', () => {
  expectTypeOf<ApiKeyApplicationSpec>().toExtend<FormSpec>();
  expectTypeOf<NonNullable<ApiKeyReviewSpec['narrowed']>>().toExtend<NarrowedSpec>();
  expectTypeOf<KeyStoreSpec['applications']>().toExtend<
    Pick<FormRules, 'mode' | 'requiredFor' | 'layers'>
  >();
  expectTypeOf<NonNullable<KeyStoreSpec['applications']['requiredFields']>>().toExtend<
    FormRules['requiredFields']
  >();
  expectTypeOf<Capabilities>().toExtend<StoreAbilities>();
  expectTypeOf<
    Pick<
      ApiKeyApplicationSpec,
      'displayName' | 'description' | 'service' | 'purpose' | 'reissue' | 'revocation'
    >
  >().toExtend<Partial<RequestContent>>();
});
