/**
 * Pure; suffixes below which anybody can register a name, so that a wildcard over one would admit
 * strangers. A floor, not the whole public suffix list (16 000 entries that change weekly): the
 * reviewer sees each registered site and has the last word.
 */

/** Second labels that registries of countries use for categories: co.kr, com.au, go.jp. */
const CATEGORIES = new Set(
  'ac ad co com ed edu firm gen go gob gov gr hs id ind info kg lg ltd me mil ms ne net nm nom or org pe plc re res sc sch school web'.split(
    ' ',
  ),
);

/** Hosts that give a subdomain to every customer, or registries with regions as second label. */
const SHARED = new Set(
  `amplifyapp.com appspot.com azurecontainerapps.io azureedge.net azurestaticapps.net
  azurewebsites.net blogspot.com busan.kr cafe24.com cloudapp.net cloudflare.net cloudfront.net
  deno.dev elasticbeanstalk.com firebaseapp.com fly.dev gitbook.io github.io githubpreview.dev
  gitlab.io glitch.me godo.co.kr herokuapp.com hf.space imweb.me incheon.kr jeju.kr
  kro.kr loca.lt myshopify.com neocities.org netlify.app ngrok-free.app ngrok.app ngrok.io nip.io
  now.sh ondigitalocean.app onrender.com p-e.kr pages.dev r-e.kr r2.dev railway.app readthedocs.io
  render.com repl.co replit.app replit.dev run.app seoul.kr shop.co squarespace.com sslip.io
  surge.sh tistory.com translate.goog trycloudflare.com tumblr.com ts.net up.railway.app vercel.app
  vercel.dev web.app webflow.io weebly.com wixsite.com wordpress.com workers.dev xip.io`.split(
    /\s+/,
  ),
);

/** Whether strangers may own names below this host (ASCII, lower case, no trailing dot). */
export function isSharedSuffix(host: string): boolean {
  if (SHARED.has(host)) return true;
  const labels = host.split('.');
  if (labels.length < 2) return true;
  const [second = '', top = ''] = labels;
  return labels.length === 2 && top.length === 2 && CATEGORIES.has(second);
}
