/** Signature v2 against values that the vendor's own signer computed. */
import { describe, expect, test } from 'vitest';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { sign, signedHeaders } from '../../../../src/stores/naver/signature.ts';

const accessKey = 'D78BB444D6D3C84CA38A';
const secretKey = new Sensitive('secretKeySecretKeySecretKeySecretKey1234');
const timestampMs = 1_505_290_625_682;

describe('the signature v2', () => {
  test.each([
    ['POST', '/api/v1/api-keys', 's4gfBARoPqlztTvG5r+wDMuIGxqaa+7rCUe/BsEo5GU='],
    ['GET', '/api/v1/api-keys', 'Qfdgk8+hERaDaDZka8jOaE4p2u6CnrLP4CUlBjXNsxQ='],
    ['GET', '/api/v1/api-keys?offset=0&limit=100', 'QXo3bBIe7CLCHeT0uZHWOR4Gq3lEAXWBlsfR3TwoXNw='],
    [
      'GET',
      '/api/v1/api-keys?apiKeyName=apiKey-001&limit=10&offset=0',
      'weBselMcWX7PX803rctGG0O+qCaA7lORKsYyoB1xnyM=',
    ],
    ['GET', '/api/v1/api-keys/abc12vg079', 'AOp8WX4p+4j/IERgBPOrFYjnG24V6peecTj44nB0dg8='],
    ['PUT', '/api/v1/api-keys/abc12vg079', 'qjGLTGAwsm/kdH7KUOphN8E76kJTQvsWZZHiwVKKLwM='],
    ['PATCH', '/api/v1/api-keys/abc12vg079', 'EKGKHC9Dna5rtdYaSA5IIkLurBwDd3Ye6MP0Yy8pFx8='],
    ['DELETE', '/api/v1/api-keys/abc12vg079', 'GFzzfG8j84zwi/cfrYAlaucHGQLMCfPUQItDxbUO/oc='],
    [
      'POST',
      '/api/v1/api-keys/abc12vg079/subscribe',
      '6r69cByK671igWzczRt0x3KmrjQ51Pwo80WglPMRQ0E=',
    ],
    ['GET', '/photos/puppy.jpg?query1=&query2=', 'NH/I+ZUQACeHGJuZLojwR4mIyGX+rZJ71fFzS9trKAg='],
  ])('of %s %s is what the vendor computes (R34)', (method, path, signature) => {
    expect(sign({ method, path, timestampMs, accessKey }, secretKey)).toBe(signature);
  });

  test('keeps a doubled slash of the path, because what is sent is what is signed', () => {
    const path = '/api/v1//api-keys/abc12vg079';
    expect(sign({ method: 'PATCH', path, timestampMs, accessKey }, secretKey)).toBe(
      '+QX5aC+vd81v4l6NSP6asFtJ8qSevntXkIxwLLIrTrM=',
    );
  });

  test('of a path without the base path is another one, which a vendor refuses', () => {
    const short = sign({ method: 'POST', path: '/api-keys', timestampMs, accessKey }, secretKey);
    const whole = { method: 'POST', path: '/api/v1/api-keys', timestampMs, accessKey };
    expect(short).toBe('JEY2I14htz8p1KPvqBdxy+kwLqdRjW7bXNP2AOEqzWo=');
    expect(sign(whole, secretKey)).not.toBe(short);
  });

  test('stands beside time and access key in three headers, the secret key in none (R34)', () => {
    const parts = { method: 'POST', path: '/api/v1/api-keys', timestampMs, accessKey };
    const headers = signedHeaders(parts, secretKey);
    expect(headers).toEqual({
      'x-ncp-apigw-timestamp': '1505290625682',
      'x-ncp-iam-access-key': accessKey,
      'x-ncp-apigw-signature-v2': 's4gfBARoPqlztTvG5r+wDMuIGxqaa+7rCUe/BsEo5GU=',
    });
  });
});
