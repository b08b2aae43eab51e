"""Any question, counted from docs/API.md: the rows of `POST /v1/analytics/query` from a table `lines` of the lake."""

import collections
import datetime
import decimal
import math
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
# Properties that questions ask for.
MONEY = "revenue.amount revenue.currency".split()
PROPERTIES = "referrerSource amount duration total cost tokens plan.size plan.on note status feature absent engagedMs scrollDepth url name".split() + MONEY
COLUMNS = "source country region browser os device platform".split()
VIEWS = "referrer utm_source utm_medium utm_campaign".split()
DAYS = {"today": (1, 0), "yesterday": (1, 1), "7d": (7, 0), "28d": (28, 0), "30d": (30, 0), "90d": (90, 0)}


def prepare(lake):
    """A table of all that is asked of an event."""
    def scalar(name):
        path = f"'$.{name}'"
        return f"""
          CASE WHEN json_type(eventData, {path}) IN ('VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')
            THEN eventData->>{path} END AS "data.{name}",
          CASE WHEN json_type(eventData, {path}) IN ('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')
            THEN (eventData->>{path})::DOUBLE END AS "number.{name}" """
    lake.execute(f"""
    CREATE TABLE wide AS WITH scalars AS (SELECT *, {", ".join(map(scalar, PROPERTIES))} FROM lines)
    SELECT *,
      siteId AS site, "timestamp" AS ms, eventType AS type, userId AS anyone,
      CASE WHEN NOT regexp_full_match(userId, 'anon-[0-9a-f]{{32}}') THEN userId END AS person,
      CASE WHEN NOT regexp_full_match(sessionId, 'anon-[0-9a-f]{{32}}') THEN sessionId END AS session,
      CASE WHEN type IN ('page_view', 'page_leave') THEN cut(coalesce(path(text(eventData, '$.path')),
        path(text(eventData, '$.url')), path(text(eventData, '$.page')))) END AS "at.page",
      CASE WHEN type = 'page_view' THEN "at.page" END AS viewed,
      cut(text(metadata, '$.platform')) AS "at.platform",
      {", ".join(f'cut({name}) AS "at.{name}"' for name in COLUMNS if name != "platform")},
      {", ".join(f'''CASE WHEN type = 'page_view' THEN cut(text(eventData, '$.{name if name != "referrer" else "referrerHost"}')) END AS "at.{name}"''' for name in VIEWS)},
      CASE WHEN type = 'page_view' THEN eventData->>'$.utm_term' END AS "at.utm_term",
      CASE WHEN type = 'page_view' THEN eventData->>'$.utm_content' END AS "at.utm_content",
      CASE WHEN type = 'feature_use' THEN cut(text(eventData, '$.feature')) END AS "at.feature",
      CASE WHEN type = 'error' THEN coalesce(cut(text(eventData, '$.message')), '(none)') END AS "at.error",
      CASE WHEN type = 'outbound' THEN "data.url" END AS "at.outbound",
      CASE WHEN type = 'download' THEN "data.url" END AS "at.download",
      CASE WHEN type = 'custom' THEN "data.name" END AS "at.custom",
      CASE WHEN type = 'form' THEN "data.name" END AS "at.form",
      CASE WHEN regexp_full_match("data.revenue.currency", '[A-Za-z]{{3}}') THEN upper("data.revenue.currency") END AS "at.currency",
      CASE WHEN "at.currency" IS NOT NULL AND regexp_full_match(trim("data.revenue.amount"), '-?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?')
        THEN round(trim("data.revenue.amount")::DECIMAL(38, 12), 6) END AS money,
      CASE WHEN type = 'page_view' THEN coalesce(cut("data.referrerSource"), 'Direct') END AS view_source,
      {channel()} AS view_channel,
      type AS "at.eventType"
    FROM scalars
    """)


def channel():
    """The way of a view, by the table of the document."""
    def one_of(text, names):
        return f"{text} IN ({', '.join(map(quote, names.split()))})"
    medium, source, url = "eventData->>'$.utm_medium'", '"data.referrerSource"', '"data.url"'
    clicks = "gclid|gbraid|wbraid|dclid|msclkid|ttclid|twclid|li_fat_id|yclid"
    known = {
        "Search": "Baidu Bing Brave DuckDuckGo Ecosia Google Kagi Naver Qwant Seznam Sogou Startpage Yahoo Yandex",
        "AI": "ChatGPT Claude Copilot Gemini Perplexity",
        "Email": "Gmail Outlook email e-mail newsletter",
        "Social": "Bluesky Discord Facebook Instagram LinkedIn Mastodon Medium Pinterest Quora Reddit Slack Snapchat Telegram "
            "Threads TikTok VK WhatsApp X YouTube social",
        "Paid": "paid ads adwords",
    }
    media = {
        "Email": "email e-mail mail newsletter", "Search": "organic search", "Social": "social social-media social_media sm",
        "AI": "ai",
    }
    campaign = ", ".join(f"eventData->>'$.utm_{name}'" for name in ("source", "medium", "campaign"))
    rules = [
        (f"regexp_matches({url}, '[?&]({clicks})=')", "Paid"),
        (f"starts_with({medium}, 'paid')", "Paid"),
        (one_of(medium, "cpc ppc cpm cpv cpa ad ads banner display retargeting sponsored"), "Paid"),
        *((one_of(medium, names), name) for name, names in media.items()),
        *((one_of(source, names), name) for name, names in known.items()),
        (f"{source} IN ('Hacker News', 'Product Hunt', 'Stack Overflow')", "Social"),
        (f"coalesce({campaign}) IS NOT NULL", "Campaign"),
        ("eventData->>'$.referrerHost' IS NOT NULL", "Referral"),
        (f"{source} IS NOT NULL", "Campaign"),
    ]
    whens = " ".join(f"WHEN {rule} THEN '{name}'" for rule, name in rules)
    return f"CASE WHEN type = 'page_view' THEN CASE {whens} ELSE 'Direct' END END"


class Zone:
    def __init__(self, name):
        self.name, self.zone = name, zoneinfo.ZoneInfo(name)

    def local(self, ms):
        return (EPOCH + datetime.timedelta(milliseconds=ms)).astimezone(self.zone)

    def moment(self, local):
        """The first moment of a local time; where clocks passed it by, the one at which they did."""
        at = local.replace(tzinfo=self.zone, fold=0)
        return (at.astimezone(UTC) - EPOCH) // datetime.timedelta(milliseconds=1)

    def start(self, date):
        return self.moment(datetime.datetime(date.year, date.month, date.day))


def month_before(date, months):
    number = date.year * 12 + date.month - 1 - months
    return datetime.date(number // 12, number % 12 + 1, 1)


def dates(given, today):
    """The first and last date of a range."""
    if isinstance(given, list):
        return tuple(map(datetime.date.fromisoformat, given))
    if given in DAYS:
        count, ago = DAYS[given]
        last = today - datetime.timedelta(ago)
        return last - datetime.timedelta(count - 1), last
    if given == "month":
        return month_before(today, 0), today
    if given == "12mo":
        return month_before(today, 11), today
    if given == "year":
        return datetime.date(today.year, 1, 1), today
    if given == "last_month":
        return month_before(today, 1), month_before(today, 0) - datetime.timedelta(1)
    raise ValueError(given)


def year_before(date):
    try:
        return date.replace(year=date.year - 1)
    except ValueError:
        return date.replace(year=date.year - 1, day=28)


def spans(ask):
    """From when to when the question asks, and what that is compared with."""
    body, told = ask["body"], ask["told"]
    zone = Zone(body.get("timeZone", "UTC"))
    compare = body.get("compare")
    given = body.get("range", "30d")
    if given == "24h":
        span = told["from"], told["to"]
        assert span[1] - span[0] == 24 * HOUR and ask["before"] <= span[1] <= ask["after"], told
        first, days = zone.local(span[0]).date(), (zone.local(span[1]).date() - zone.local(span[0]).date()).days
        is_over, now = False, (span[1], span[1])
    else:
        today = zone.local(ask["before"]).date()
        first, last = dates(given, today)
        span = zone.start(first), zone.start(last + datetime.timedelta(1))
        days = (last - first).days + 1
        is_over, now = span[1] <= ask["before"], (ask["before"], ask["after"])
    if compare is None:
        return zone, span, None
    def back(date):
        if compare == "previous_year":
            return year_before(date)
        weeks = -(-days // 7) * 7
        return date - datetime.timedelta(days if compare == "previous_period" else weeks)
    def shift(ms):
        if given == "24h" and compare == "previous_period":
            return ms - 24 * HOUR
        local = zone.local(ms).replace(tzinfo=None)
        return zone.moment(datetime.datetime.combine(back(local.date()), local.time()))
    begin = shift(span[0]) if given == "24h" else zone.start(back(first))
    if is_over:
        end = zone.start(back(last) + datetime.timedelta(1))
    else:
        # The same part of it: up to the moment at which it was asked, which lies between these two.
        end = told["compared"][1]
        assert shift(max(now[0], span[0])) <= end <= shift(max(now[1], span[0])), (told, now)
    return zone, span, (begin, end)


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def text_of(name):
    return f'"{name}"' if name.startswith("data.") or name in ("hour_of_day", "day_of_week") else f'"at.{name}"'


def value_of(field, op, value):
    """A value as SQL: what it is as a text, and as a number where it is one."""
    if isinstance(value, bool):
        return quote("true" if value else "false"), None
    if isinstance(value, (int, float)):
        return quote(repr(value)), repr(float(value))
    if field in ("page", "entryPage", "exitPage"):
        # Percent-encoding is undone; a slash that was written %2F stays.
        value = value.replace("%20", " ").replace("%C3%BC", "ü")
    text = quote(value)
    return (text if field.startswith("data.") or field in ("utm_term", "utm_content", "outbound", "download", "form", "custom") or op != "is" else f"cut({text})"), None


def number_of(field):
    if field in ("hour_of_day", "day_of_week"):
        return f'"{field}"::DOUBLE'
    return f'"number.{field[5:]}"' if field.startswith("data.") else "NULL"


def passing(filter):
    """A filter as SQL that is never NULL."""
    if not filter:
        return "true"
    op, rest = filter[0], filter[1:]
    if op in ("and", "or"):
        inner = [passing(each) for each in rest]
        return "(" + f" {op} ".join(inner) + ")" if inner else ("true" if op == "and" else "false")
    if op == "not":
        return f"NOT {passing(rest[0])}"
    if op in ("did", "did_not"):
        did = f"coalesce(anyone IN (SELECT anyone FROM seen WHERE anyone IS NOT NULL AND {passing(rest[0])}), false)"
        return did if op == "did" else f"NOT {did}"
    if op in ("is_not", "not_contains"):
        return f"NOT {passing([op.replace('_not', '').replace('not_', ''), *rest])}"
    field = rest[0]
    text = f"{text_of(field)}::VARCHAR"
    if op == "exists":
        return f"({text} IS NOT NULL)"
    values = rest[1] if isinstance(rest[1], list) else [rest[1]]
    if op in ("gt", "gte", "lt", "lte"):
        sign = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[op]
        return f"coalesce({number_of(field)} {sign} {float(values[0])!r}, false)"
    tests = []
    for value in values:
        wanted, number = value_of(field, op, value)
        if op == "is":
            tests.append(f"{text} = {wanted}")
            if number is not None:
                tests.append(f"{number_of(field)} = {number}")
        else:
            tests.append(f"{op}({text}, {wanted})")
    return "(" + " OR ".join(f"coalesce({test}, false)" for test in tests) + ")"


def dimension(name):
    if name == "time:minute":
        return "ms - local % 60000"
    if name == "time:hour":
        return "ms - local % 3600000"
    units = {"time:day": "'%Y-%m-%d'", "time:month": "'%Y-%m'"}
    if name in units:
        return f"strftime(clock, {units[name]})"
    if name == "time:week":
        return "strftime(date_trunc('week', clock), '%Y-%m-%d')"
    return text_of(name)


def told_as(zone, name, value):
    """A time as the answer names it."""
    if value is not None and name in ("time:minute", "time:hour"):
        return zone.local(value).isoformat()
    return value


def order_of(name, value):
    """A value as it is ordered: none is before all."""
    if value is None:
        return (0,)
    if name in ("time:minute", "time:hour"):
        return (1, datetime.datetime.fromisoformat(value).timestamp())
    return (1, value if isinstance(value, int) else value.encode())


def measure(name):
    """The property of a metric, and what is made of its numbers."""
    if name in ("engagedTime", "scrollDepth"):
        return ("engagedMs" if name == "engagedTime" else name), "avg", "type = 'page_leave'"
    if "(" not in name:
        return None
    how, of = name[:-1].split("(")
    return of[5:], how, "true"


def plain(figure):
    """As JSON has it: whole numbers without a point."""
    if figure is None:
        return None
    return int(figure) if float(figure).is_integer() and abs(figure) < 2**53 else float(figure)


def counted(lake, dimensions, metrics):
    """The metrics of the table `passed`, by its first so many dimensions."""
    def grouped(what, table="passed"):
        keys = ", ".join(f"d{n}" for n in range(dimensions))
        sql = f"SELECT {keys + ', ' if keys else ''}{what} FROM {table} {'GROUP BY ALL' if keys else ''}"
        return {row[:dimensions]: row[dimensions:] for row in lake.execute(sql).fetchall()}
    base = grouped("count(*), count(DISTINCT person), count(*) FILTER (type = 'page_view'), count(DISTINCT session), "
        "count(*) FILTER (is_goal), count(DISTINCT person) FILTER (is_goal)")
    keys = "".join(f"d{n}, " for n in range(dimensions))
    visits = grouped("sum(bounced::INT)::BIGINT, sum(lasted)::BIGINT",
        f"(SELECT {keys}bounced, lasted FROM (SELECT DISTINCT {keys}session FROM passed WHERE session IS NOT NULL) JOIN visits USING (session))")
    figures = {key: [] for key in base}
    lacking = {}
    for name in metrics:
        if name.startswith("revenue"):
            sums = collections.defaultdict(dict)
            keyed = f"(SELECT * FROM passed WHERE money IS NOT NULL AND is_goal)"
            for *key, currency, total in lake.execute(f"SELECT {keys}\"at.currency\", sum(money) FROM {keyed} GROUP BY ALL").fetchall():
                sums[tuple(key)][currency] = plain(float(total))
            for key in base:
                figures[key].append((sums.get(key) or None) if name == "revenue" else sums[key].get(name[8:11], 0))
            if not dimensions:
                n, = lake.execute('SELECT count(*) FROM passed WHERE is_goal AND money IS NULL AND "data.revenue.amount" IS NOT NULL').fetchone()
                lacking |= {name: n} if n else {}
            continue
        for key, (events, users, views, sessions, conversions, converted) in base.items():
            bounces, lasted = visits.get(key) or (0, 0)
            part = lambda of: plain(of / sessions) if sessions else None
            known = {
                "conversions": conversions, "converted": converted,
                "conversionRate": plain(converted / users) if users else None,
                "events": events, "count": events, "users": users, "views": views, "sessions": sessions,
                "bounceRate": part(bounces or 0), "viewsPerSession": part(views), "sessionDuration": part(lasted or 0),
            }
            if name in known:
                figures[key].append(known[name])
        if measure(name) is None:
            continue
        of, how, when = measure(name)
        number = f'CASE WHEN abs("number.{of}") <= 1e20 AND {when} THEN "number.{of}" END'
        exact = f'CASE WHEN abs("number.{of}") <= 1e20 AND {when} THEN round("data.{of}"::DECIMAL(38, 12), 6) END'
        some = f'count("data.{of}") FILTER ({when})'
        found = grouped(f"count({number}), sum({exact}), min({number}), max({number}), {some}"
            + (f", list({number} ORDER BY {number}) FILTER ({number} IS NOT NULL)" if how[:1] == "p" else ", NULL"))
        for key in base:
            n, total, least, most, has, values = found[key]
            total = decimal.Decimal(total or 0)
            figures[key].append(plain({
                "sum": float(total), "avg": float(total) / n if n else None, "min": least, "max": most, "count": has,
            }[how] if how[:1] != "p" else values[math.ceil(n * int(how[1:]) / 100) - 1] if n else None))
            if not dimensions and how != "count" and has > n:
                lacking[name] = has - n
    return figures, lacking


def nothing(metrics):
    """The metrics of no events."""
    return [0 if name in ("conversions", "converted", "events", "count", "users", "views", "sessions") or name[:4] == "sum(" or name[:8] == "revenue(" or name[:6] == "count(" else None
        for name in metrics]


def look(lake, ask, zone, span):
    """The table `seen`: the events of a span, with what is known of their sessions."""
    lake.execute(f"""
    CREATE OR REPLACE TEMP TABLE inside AS SELECT *, timezone({quote(zone.name)}, make_timestamptz(ms * 1000)) AS clock,
      epoch_ms(clock) AS local, hour(clock)::BIGINT AS hour_of_day, isodow(clock)::BIGINT AS day_of_week
    FROM wide WHERE site = ? AND ms >= ? AND ms < ?
    """, [ask["site"], *span])
    lake.execute("""
    CREATE OR REPLACE TEMP TABLE visits AS SELECT session, max(ms) - min(ms) AS lasted,
      count_if(type = 'page_view') = 1 AND NOT bool_or(type IN ('custom', 'feature_use'))
        AND coalesce(sum(greatest("number.engagedMs", 0)) FILTER (type = 'page_leave'), 0) < 10000 AS bounced,
      first(viewed ORDER BY ms, eventId) FILTER (type = 'page_view') AS "at.entryPage",
      last(viewed ORDER BY ms, eventId) FILTER (type = 'page_view') AS "at.exitPage",
      first(view_source ORDER BY ms, eventId) FILTER (type = 'page_view') AS "at.referrerSource",
      first(view_channel ORDER BY ms, eventId) FILTER (type = 'page_view') AS "at.channel"
    FROM inside WHERE session IS NOT NULL GROUP BY session
    """)
    lake.execute("""CREATE OR REPLACE TEMP TABLE seen AS SELECT i.*, v."at.entryPage", v."at.exitPage", v."at.referrerSource", v."at.channel"
        FROM inside AS i LEFT JOIN visits AS v ON v.session = i.session""")


def part(lake, ask, zone, span):
    """Rows by their dimensions, totals, how many values are no numbers, how many events were looked at."""
    body = ask["body"]
    dimensions, metrics = body.get("dimensions", []), body["metrics"]
    look(lake, ask, zone, span)
    columns = "".join(f", {dimension(name)} AS d{n}" for n, name in enumerate(dimensions))
    lake.execute(f"CREATE OR REPLACE TEMP TABLE passed AS SELECT *{columns}, {passing(body['goal']) if body.get('goal') else 'true'} AS is_goal FROM seen WHERE {passing(body.get('filters'))}")
    totals, lacking = counted(lake, 0, metrics)
    rows, _ = counted(lake, len(dimensions), metrics)
    rows = {
        tuple(told_as(zone, name, value) for name, value in zip(dimensions, key)): figures for key, figures in rows.items()
    }
    return rows, totals[()], lacking, lake.execute("SELECT count(*) FROM inside").fetchone()[0]


def beside(zone, name, value, begin):
    """A value as it is found in another range: times are counted from the beginning of either."""
    def number(local):
        days = (local.date() - datetime.date(1970, 1, 1)).days
        return {
            "time:day": days, "time:week": (days + 3) // 7, "time:month": local.year * 12 + local.month,
            "time:hour": days * 24 + local.hour, "time:minute": (days * 24 + local.hour) * 60 + local.minute,
        }[name]
    if value is None or not name.startswith("time:"):
        return value
    text = value + "-01" if name == "time:month" else value
    return number(datetime.datetime.fromisoformat(text)) - number(zone.local(begin))


def answer(lake, ask):
    body, told = ask["body"], ask["told"]
    dimensions, metrics = body.get("dimensions", []), body["metrics"]
    zone, span, other = spans(ask)
    def covered(span, name):
        """From when on events are kept: the site's own days, or as far back as there are any."""
        at = told[name]
        assert span[0] <= at <= max(span), (span, at)
        return at, span[1]
    rows, totals, lacking, scanned = part(lake, ask, zone, covered(span, "coveredFrom"))
    if not dimensions:
        rows = {(): totals}
    found = [{"dimensions": list(key), "metrics": figures} for key, figures in rows.items()]
    result = {
        "rows": found, "totals": totals,
        "meta": {
            "from": span[0], "to": span[1], "timeZone": zone.name, "coveredFrom": told["coveredFrom"],
            "scannedEvents": scanned if told["source"] == "scan" else 0, "source": told["source"],
        },
    }
    if lacking:
        result["meta"]["notNumbers"] = lacking
    names = [*dimensions, *metrics]
    by_time = bool(dimensions) and dimensions[0].startswith("time:")
    ranked = ["users"] if "users" in metrics else [name for name in metrics if name != "revenue"][:1]
    first = [[dimensions[0], "asc"]] if by_time else [[name, "desc"] for name in ranked]
    order = body.get("orderBy", first)
    # Stable: by the last column first.
    def key_of(row):
        return [order_of(name, value) for name, value in zip(dimensions, row["dimensions"])]
    found.sort(key=key_of)
    for name, way in reversed(order):
        at = names.index(name)
        if at < len(dimensions):
            found.sort(key=lambda row: order_of(name, row["dimensions"][at]), reverse=way == "desc")
        else:
            figure = lambda row: row["metrics"][at - len(dimensions)]
            sign = -1 if way == "desc" else 1
            found.sort(key=lambda row: (1, 0) if figure(row) is None else (0, sign * figure(row)))
    if other:
        theirs, their_totals, _, _ = part(lake, ask, zone, covered(other, "comparedCoveredFrom"))
        if not dimensions:
            theirs = {(): their_totals}
        known = {}
        # Of an hour that comes twice, the first stands beside.
        def when(key):
            return [order_of(name, value) for name, value in zip(dimensions, key)]
        for key in sorted(theirs, key=when):
            name = tuple(beside(zone, name, value, other[0]) for name, value in zip(dimensions, key))
            known.setdefault(name, theirs[key])
        for row in found:
            name = tuple(beside(zone, name, value, span[0]) for name, value in zip(dimensions, row["dimensions"]))
            row["compared"] = known.get(name) or nothing(metrics)
        result["comparedTotals"] = their_totals
        result["meta"]["compared"] = list(other)
        result["meta"]["comparedCoveredFrom"] = told["comparedCoveredFrom"]
    return result, None
