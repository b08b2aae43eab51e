// Local development does not fire cron triggers; this does.
import { fetchText } from '../base/fetch.mjs';
import { crons } from '../base/config.mjs';

/** More often than any schedule asks for: what a cron does must bear that, and nobody waits a day to see it. */
const EVERY_MS = 60_000;

/**
 * Fires every cron trigger now and then every minute, as long as this process lives.
 * @param {string} url of the running system
 * @param {(sentence: string) => void} onError
 */
export function fireCrons(url, onError) {
  const fireAll = async () => {
    for (const cron of crons())
      await fire(url, cron).catch((error) => onError(`the cron "${cron}" failed: ${error.message}`));
  };
  setInterval(fireAll, EVERY_MS).unref();
  return fireAll();
}

/**
 * @param {string} url
 * @param {string} cron
 */
async function fire(url, cron) {
  const path = `/cdn-cgi/local/scheduled?cron=${encodeURIComponent(cron)}`;
  const { status, text } = await fetchText(`${url}${path}`, EVERY_MS);
  if (status !== 200) throw new Error(text.slice(0, 200));
}
