// What the page says about how to count: attributes of the script tag, or `init` of the package.

/** @type {Record<string, any>} */
export const options = {};

/** A switch: an attribute is on by being there. @param {string} name */
export const isOn = (name) => options[name] != null && String(options[name]) !== 'false';

/** Where events go. */
export const eventsUrl = () =>
  new URL(
    '/v1/events?key=' +
      options.key +
      (options.storage === 'none' ? '&private=1' : '') +
      (isOn('hashIds') ? '&hashIds=1' : ''),
    options.collector || location.href,
  );

/** Hosts of the machine itself; a file has none. */
const LOCAL = /^(127(\.\d+){3}|\[::1]|)$|(^|\.)localhost$/;

/**
 * Why nothing is counted on this page; nothing if it is. Looked at before the module is loaded: who
 * is left out need not download it.
 */
export function excluded() {
  if (!options.key) return 'no_key';
  if (isOn('includeLocal')) return '';
  if (navigator.webdriver) return 'automated';
  return LOCAL.test(location.hostname) ? 'local' : '';
}

/** Whether the visitor asks all sites not to follow them. */
export const asksForPrivacy = () => navigator.globalPrivacyControl || navigator.doNotTrack === '1';
