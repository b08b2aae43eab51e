/**
 * The dashboard: plain modules on the JSON API.
 *
 * To add a view:
 * 1. `views/NAME.ts` exports `view: View` (`view.ts`). Its `show(context)` fills `context.root` at once,
 *    mostly with `panel(context, {...})` of `ui/panel.ts`, which loads, shows a skeleton, an error with a
 *    retry, stale data and the CSV button by itself. `show` is called anew at each change of the URL; what
 *    was read before is shown at once from memory, and the focus is kept on the element of the same id.
 * 2. A line in `VIEWS` (`view.ts`) gives it a name, a title and an icon. It becomes a chunk of its own.
 *
 * A view that shows events keeps to `context.filters`, `range`, `zone`, `interval` and `compare`: what it asks by
 * `ask(context, {...})` of `query.ts` does by itself, and rows lead on by `rowLink(context, dimension)`. Where
 * `context.plain`, the sums by days of UTC can answer instead.
 *
 * What a view is made of: `h()` of `dom.ts` (text is always text), `table()`, `figures()`, `chart()`,
 * `tabs()`, `progressBar()`, `empty()`, `form()`, `ask()` (before what cannot be undone) and `adminGate()` of
 * `ui/`, numbers and dates of `format.ts`. State belongs into the URL: `href({parameter: value})` for links and
 * `go()` for forms, both of `place.ts`; read it from `context.params`. Reads go through `context.get`, which
 * takes the admin token for the paths that need it, and questions too (`question()`); writes through `call()` of
 * `api.ts` (`{admin: true}`).
 * What goes on (timers, sockets, listeners) must end with `context.signal`.
 * The policy forbids inline styles: `h('div', {vars: {'--w': '40%'}})` and a class. Text that is not from us
 * never becomes a URL, a class or an attribute's name.
 */
import { shell } from './shell';

shell(document.getElementById('app') as HTMLElement);
