/**
 * The global that Shoreline's snippet puts on a page:
 *
 * ```html
 * <script>typeof shoreline=="function"||(window.shoreline=function(){arguments.t=Date.now();(shoreline.q=shoreline.q||[]).push(arguments)})</script>
 * <script defer src="https://COLLECTOR/shoreline.js" data-key="KEY"></script>
 * ```
 *
 * Page views are counted by themselves, and clicks on elements with `data-shoreline-feature="name"`.
 * Everything else is told by the methods below. Before the script has loaded there is only the
 * function, `shoreline('feature', 'export')`; such calls are kept, and made in order once it has.
 *
 * No call throws, whatever it is given.
 */
export interface Shoreline {
  (method: 'init', options: Options): void;
  (method: 'page' | 'reset' | 'optOut' | 'optIn'): void;
  (method: 'feature', name: string, data?: Data): void;
  (method: 'track', type: EventType, data?: Data): void;
  (method: 'content', contentType: string, data?: Data): void;
  (method: 'ai', data: AiRequest): void;
  (method: 'error', error: unknown, data?: Data): void;
  (method: 'identify', id: string | number | null): void;
  (method: 'consent', word: Consent): void;
  (method: 'flush'): Promise<Outcome> | void;
  <K extends keyof Reports>(method: 'on', kind: K, listener: (report: Reports[K]) => void): void;

  /** Begins to count on this page, once. A script tag with `data-key` does this by itself. */
  init(options: Options): void;

  /**
   * This is a view of the page's present address. Not needed for loads, `pushState`, and going back
   * and forward: those count by themselves where the path changed.
   */
  page(): void;

  /** A feature was used: `feature_use`. */
  feature(name: string, data?: Data): void;

  /** Something else happened. */
  track(type: EventType, data?: Data): void;

  /** Something was made: `content_create`. */
  content(contentType: string, data?: Data): void;

  /** A model was asked: `ai_request`. */
  ai(data: AiRequest): void;

  /** Something failed: `error`, with its message and the beginning of its stack. */
  error(error: unknown, data?: Data): void;

  /**
   * From now on the visitor is this user, on this page and those that follow. `null`: an unknown one
   * again, and not the same as before (after a log-out). `undefined` does nothing. Who was anonymous until
   * now is the same person, in past counts, too, unless the page says `stitch: 'off'`. Do not give an e-mail
   * address: it is kept as it is, unless the page says `hashIds`.
   */
  identify(id: string | number | null): void;

  /** The visitor is somebody new, on a new visit: the same as `identify(null)`. */
  reset(): void;

  /**
   * `'denied'`: nothing is stored or sent, what is pending is forgotten, and what was stored is
   * removed. `'granted'`: counts from now on, beginning with a view of this page.
   */
  consent(word: Consent): void;

  /** Counts nothing in this browser any more, on any page of the site. */
  optOut(): void;

  /** Takes `optOut` back. */
  optIn(): void;

  /** Sends what is pending now, and tells what came of it. Never rejects. */
  flush(): Promise<Outcome>;

  /** Calls the listener whenever that happens. */
  on<K extends keyof Reports>(kind: K, listener: (report: Reports[K]) => void): void;

  /** Why nothing is counted on this page; not there if it is. */
  silent?: Silence;

  /** Calls made before this script had loaded. */
  q?: { push(call: ArrayLike<unknown>): void };
}

export type Consent = 'granted' | 'denied';

/** What a page says about how to count: `data-` attributes of the script tag, or `init`. */
export interface Options {
  /** The site's browser key. */
  key: string;
  /** Where the collector is; a script tag knows where it came from. */
  collector?: string | URL;
  /** Counts on the machine itself and in automated browsers, too. */
  includeLocal?: boolean;
  /** Hash routing: another fragment is another page. */
  hash?: boolean;
  /** Clicks on links to other hosts: `outbound`. */
  outbound?: boolean;
  /** Clicks on links to files: `download`. */
  downloads?: boolean;
  /** Forms that are sent, by name: `form`. Never what is written into them. */
  forms?: boolean;
  /** Errors and rejections that nobody handles: `error`. Each once, at most 10 a page. */
  errors?: boolean;
  /** LCP, INP, CLS, FCP, TTFB, when the page is hidden: `web_vital`. */
  vitals?: boolean;
  /** The share of visits that are counted, 0 to 1. */
  sample?: number | string;
  /** `'none'`: nothing is kept in the browser; visits are told apart by the edge's daily hash. */
  storage?: 'none';
  /** `'denied'`: waits for `consent('granted')`. */
  consent?: Consent;
  /** The collector keeps a hash, made with the site's key, in place of what `identify` was given. */
  hashIds?: boolean;
  /** `'off'`: `identify` does not tell by which anonymous id the visitor was known before. */
  stitch?: 'off';
  /** Where the WebAssembly module is, if not where it was put. */
  wasm?: string | URL;
}

export interface AiRequest extends Data {
  model: string;
  tokens?: number;
  /** In decimal; a text stays exact. */
  cost?: string | number;
}

/** What there is to tell about an event: whatever JSON can say. */
export type Data = Record<string, unknown>;

/** The types a page may send. Any other is refused by the collector, event by event. */
export type EventType =
  | 'page_view'
  | 'feature_use'
  | 'content_create'
  | 'ai_request'
  | 'error'
  | 'page_leave'
  | 'web_vital'
  | 'outbound'
  | 'download'
  | 'form'
  | 'identify'
  | (string & {});

/** Events by what became of them during a `flush`. */
export interface Outcome {
  /** In batches that the collector answered with 202, but for those it refused; or that the browser took over. */
  sent: number;
  /** Refused by the collector for good: batches, and single events of batches that it took. */
  rejected: number;
  /** Given up: see `dropped`. */
  dropped: number;
  /** Not answered for: they are sent again by themselves, later. */
  pending: number;
}

/** What is reported, by kind. */
export interface Reports {
  /** An event was made. (The title of a view may still change until it is sent.) */
  event: Event;
  /** A batch was taken, or handed to the browser: then status is 1, and there is no answer. */
  sent: BatchReport;
  /** A batch was refused for good (4xx): it is not sent again. */
  rejected: BatchReport;
  /** A batch was not taken now (status 0: no answer). The same batch is sent again later. */
  retry: BatchReport;
  /** Events will never be sent. 0 events: nothing is counted, or a call was not understood. */
  dropped: { events: number; reason: 'no_room' | 'too_large' | 'bad_data' | 'bad_call' | 'denied' | Silence };
}

export interface BatchReport {
  batchId: string;
  /** How many events are in it. */
  events: number;
  status: number;
  /** The collector's answer, where there was one that is JSON: see docs/EVENTS.md. */
  answer: any;
}

/** An event as it is sent. */
export interface Event {
  eventId: string;
  eventType: string;
  userId: string;
  sessionId: string;
  /** Unix milliseconds, by the visitor's clock. */
  timestamp: number;
  eventData: Data;
  metadata: { platform: 'web' };
}

/**
 * - `ignored`: the visitor does not want to be counted (`localStorage['shoreline.ignore']`).
 * - `local`, `automated`: a page of the machine itself; a browser driven by a program. Both count
 *   with the attribute `data-include-local` on the script tag.
 * - `no_key`: the script tag has no `data-key`.
 */
export type Silence = 'ignored' | 'local' | 'automated' | 'no_key';
