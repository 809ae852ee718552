/** What the vendor calls the key: the user's words, or a sentence why not. */
import { expect } from '../../expect.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';

const TOO_LONG = '서울특별시관광지도서비스운영시스템키이천이십육';

/** Renamed and described, with the same values. */
export function names(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  return {
    title: 'Renamed and described: the vendor follows the YAML',
    short: 'renamed, described',
    async run(stage) {
      const secret = await stage.secret(`${key}-api-key`);
      const description = '웹 상점의 매장 찾기';
      await stage.patch(`akey/${key}`, { spec: { displayName: 'Maps 2027', description } });
      await vendor.until('name and description are new', (all) =>
        all.some((each) => each.name === 'Maps 2027' && each.description === description),
      );
      await vendor.show();
      const after = await stage.secret(`${key}-api-key`);
      expect('the values are the same', after.isSame('apiKey', secret), 'another value');
      stage.screen.proof('the values are the same');
    },
  };
}

/** Never cut, never sent: the limit is the vendor's, the sentence is ours. */
export function tooLong(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  const count = [...TOO_LONG].length;
  return {
    title: 'A name that is too long is refused with a sentence, and the key goes on',
    short: 'name too long',
    async run(stage) {
      stage.screen.say(`${count} Korean characters; the vendor takes 20.`);
      await stage.patch(`akey/${key}`, { spec: { displayName: TOO_LONG } });
      await stage.untilReason(key, 'UnsupportedByStore');
      const supported = '-o=jsonpath={.status.conditions[?(@.type=="SpecSupported")].status}';
      const status = await stage.ask(['get', 'akey', key, supported]);
      expect('SpecSupported is False', status === 'False', status);
      await stage.show(key);
      await stage.showMessage(key);
      const secret = await stage.secret(`${key}-api-key`);
      await vendor.verify('its value', secret.value('apiKey'), 'enabled');
      const isKept = (await vendor.credentials()).some((each) => each.name === 'Maps 2027');
      expect('the vendor keeps the earlier name', isKept, 'another name');
      stage.screen.proof('at the vendor: the earlier name');
      await stage.patch(`akey/${key}`, { spec: { displayName: 'Maps 2027' } });
      await stage.untilReady(key);
    },
  };
}
