"""Counts in the lake of this folder, with DuckDB, what the API is asked: from docs/API.md, and from nothing of the
worker's.

In: {"asks": [ask], "named": {site: {dimension: {day: [key]}}}, "erased": {site: {user: at}}}; an ask has `site`,
`what`, and what that takes; days count from 1970.
Out: {"events": n, "ids": n, "answers": [{"json": answer, "csv": [[text]] or null}]}.
"""

import collections
import datetime
import decimal
import json
import sys

import duckdb

# No folder of compiled scripts beside this one.
sys.dont_write_bytecode = True
import questions
import walks

DAY = 86_400_000
DIMENSIONS = (
    "page referrer utm_source utm_medium utm_campaign country browser os device platform source feature error".split()
)
TRACKER = "page_view feature_use content_create ai_request error page_leave web_vital outbound download form".split()

task = json.load(sys.stdin)
lake = duckdb.connect()


def rows(sql, params=None):
    return lake.execute(sql, params).fetchall()


def date(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(day)).isoformat()


def share(part, whole):
    """To four places, half up, without a float in between."""
    return (20_000 * part + whole) // (2 * whole) / 10_000 if whole else 0.0


def mean(total, count):
    """To the nearest whole, half up."""
    return (2 * total + count) // (2 * count)


def number(value):
    """A decimal as JSON has it: whole where it is."""
    return int(value) if value == int(value) else float(value)


def cell(value):
    """A value in a table for spreadsheets."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value[:1] in tuple("=+-@\t\r\n＝＋－＠") else value
    if isinstance(value, decimal.Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(int(value)) if value == int(value) else str(value)


lake.execute("""
CREATE MACRO text(value, path) AS CASE WHEN json_type(value, path) = 'VARCHAR' THEN value->>path END;
-- A key is at most 128 characters, or its first 119 and a hash.
CREATE MACRO cut(key) AS
  CASE WHEN length(key) > 128 THEN left(key, 119) || '…' || left(sha256(key), 8) ELSE nullif(key, '') END;
-- The path of a URL, with a route behind #.
CREATE MACRO bare(url) AS regexp_replace(regexp_extract(url, '^[^?#]*'), '^([A-Za-z][A-Za-z0-9+.-]*:)?//+[^/]*', '');
CREATE MACRO route(url) AS regexp_extract(url, '^[^#]*#([/!][^?]*)', 1);
CREATE MACRO path(url) AS nullif(
  CASE WHEN bare(url) = '' AND regexp_extract(url, '^[^?#]*') <> '' THEN '/' ELSE bare(url) END
  || CASE WHEN route(url) <> '' THEN '#' || route(url) ELSE '' END, '');
-- An amount: a number, or a text that is one, from 0 to a bound.
CREATE MACRO amount(value, path, most) AS CASE
  WHEN json_type(value, path) IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')
    AND regexp_full_match(trim(value->>path), '[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?')
    AND (trim(value->>path))::DOUBLE <= most
  THEN (trim(value->>path))::DECIMAL(38, 12) END;
CREATE MACRO day_of(ms) AS floor(ms / 86400000.0)::BIGINT;

CREATE TABLE lines AS SELECT * FROM read_json('lake/events/*/*/*.ndjson.gz',
  format = 'newline_delimited', compression = 'gzip', columns = {
    eventId: 'VARCHAR', eventType: 'VARCHAR', siteId: 'VARCHAR', source: 'VARCHAR', userId: 'VARCHAR',
    sessionId: 'VARCHAR', "timestamp": 'BIGINT', receivedAt: 'BIGINT', country: 'VARCHAR', region: 'VARCHAR',
    browser: 'VARCHAR', os: 'VARCHAR', device: 'VARCHAR', eventData: 'JSON', metadata: 'JSON'
  });

CREATE TABLE events AS SELECT
  siteId AS site, eventId AS id, eventType AS type, receivedAt AS received, "timestamp" AS ms,
  day_of("timestamp") AS day, userId AS anyone,
  CASE WHEN NOT regexp_full_match(userId, 'anon-[0-9a-f]{32}') THEN userId END AS person,
  CASE WHEN regexp_full_match(userId, 'anon-[0-9a-f]{32}') THEN userId END AS anonymous,
  CASE WHEN NOT regexp_full_match(sessionId, 'anon-[0-9a-f]{32}') THEN sessionId END AS session,
  CASE WHEN type = 'page_view' THEN cut(coalesce(path(text(eventData, '$.path')), path(text(eventData, '$.url')),
    path(text(eventData, '$.page')))) END AS page,
  CASE WHEN type = 'page_view' THEN cut(text(eventData, '$.referrerHost')) END AS referrer,
  CASE WHEN type = 'page_view' THEN cut(text(eventData, '$.utm_source')) END AS utm_source,
  CASE WHEN type = 'page_view' THEN cut(text(eventData, '$.utm_medium')) END AS utm_medium,
  CASE WHEN type = 'page_view' THEN cut(text(eventData, '$.utm_campaign')) END AS utm_campaign,
  cut(country) AS country, cut(browser) AS browser, cut(os) AS os, cut(device) AS device,
  cut(text(metadata, '$.platform')) AS platform, cut(source) AS source,
  CASE WHEN type = 'feature_use' THEN cut(text(eventData, '$.feature')) END AS feature,
  CASE WHEN type = 'error' THEN coalesce(cut(text(eventData, '$.message')), '(none)') END AS error,
  CASE WHEN type = 'content_create' THEN coalesce(cut(text(eventData, '$.contentType')), '(none)') END AS content,
  CASE WHEN type = 'feature_use' THEN round(amount(eventData, '$.duration', 86400000), 0)::BIGINT END AS duration,
  CASE WHEN type = 'ai_request' THEN round(coalesce(amount(eventData, '$.tokens', 1000000), 0), 0)::BIGINT END AS tokens,
  CASE WHEN type = 'ai_request' THEN coalesce(amount(eventData, '$.cost', 1000000), 0)::DECIMAL(38, 6) END AS cost,
  coalesce(left(text(eventData, '$.status'), 64), '') AS status,
FROM lines;
""")

lake.execute("CREATE TABLE spans (site VARCHAR, first BIGINT, last BIGINT)")
spans = {(ask["site"], ask["first"], ask["last"]) for ask in task["asks"] if "first" in ask}
spans |= {(site, day, day) for site, first, last in spans for day in range(first, last + 1)}
if spans:
    lake.executemany("INSERT INTO spans VALUES (?, ?, ?)", sorted(spans))

# Keys of a day that is full: others count under (other).
lake.execute("CREATE TABLE named (site VARCHAR, dim VARCHAR, day BIGINT, key VARCHAR)")
full = [
    (site, dim, int(day), key)
    for site, dims in task["named"].items()
    for dim, days in dims.items()
    for day, keys in days.items()
    for key in keys
]
if full:
    lake.executemany("INSERT INTO named VALUES (?, ?, ?, ?)", full)
lake.execute(f"""
CREATE TABLE keys AS
  WITH every AS (UNPIVOT (SELECT site, day, person, {", ".join(DIMENSIONS)} FROM events)
    ON {", ".join(DIMENSIONS)} INTO NAME dim VALUE key)
  SELECT site, day, person, dim, CASE
    WHEN EXISTS (FROM named AS n WHERE n.site = e.site AND n.dim = e.dim AND n.day = e.day)
      AND NOT EXISTS (FROM named AS n WHERE n.site = e.site AND n.dim = e.dim AND n.day = e.day AND n.key = e.key)
    THEN '(other)' ELSE key END AS key
  FROM every AS e
""")


def grouped(sql):
    """Rows by the span that they begin with."""
    found = collections.defaultdict(list)
    for site, first, last, *rest in rows(sql):
        found[site, first, last].append(rest)
    return found


def of_spans(what, table, on, more=""):
    return grouped(
        f"SELECT s.site, s.first, s.last, {what} FROM spans AS s JOIN {table} AS t ON t.site = s.site AND {on} "
        f"GROUP BY s.site, s.first, s.last {more}"
    )


IN_SPAN = "t.day BETWEEN s.first AND s.last"
lake.execute("""
CREATE TABLE people AS SELECT site, person, day_of(min(ms)) AS day, day_of(coalesce(
    min(ms) FILTER (type IN ('iam.user-registered', 'community.user-registered')), min(ms))) AS signup
  FROM events WHERE person IS NOT NULL GROUP BY site, person;
CREATE TABLE sessions AS SELECT site, session, day_of(min(ms)) AS day, max(ms) - min(ms) AS length
  FROM events WHERE session IS NOT NULL GROUP BY site, session;
""")
active = of_spans("count(DISTINCT person)", "events", IN_SPAN)
anonymous = of_spans("count(DISTINCT anonymous)", "events", "t.day = s.last")
daily = of_spans("count(DISTINCT person)", "events", "t.day = s.last")
weekly = of_spans("count(DISTINCT person)", "events", "t.day BETWEEN s.last - 6 AND s.last")
monthly = of_spans("count(DISTINCT person)", "events", "t.day BETWEEN s.last - 29 AND s.last")
total = of_spans("count(*)", "people", "t.day <= s.last")
signups = of_spans("count(*)", "people", "t.signup = s.last")
sessions = of_spans("count(*), sum(length)", "sessions", IN_SPAN)
contents = of_spans("content, count(*)", "events", IN_SPAN + " AND content IS NOT NULL", ", content")
requests = of_spans("count(*), sum(tokens), sum(cost)", "events", IN_SPAN + " AND type = 'ai_request'")
features = of_spans(
    "key, count(*), count(DISTINCT person)", "keys", IN_SPAN + " AND dim = 'feature'", ", key"
)
durations = of_spans(
    "feature, sum(duration), count(duration)", "events", IN_SPAN + " AND feature IS NOT NULL", ", feature"
)
breakdowns = of_spans("dim, key, count(*), count(DISTINCT person)", "keys", IN_SPAN, ", dim, key")
products = grouped(f"""
SELECT s.site, s.first, s.last, floor(ms / 3600000.0)::BIGINT * 3600000, type, status, count(*)
FROM spans AS s JOIN events AS t ON t.site = s.site AND {IN_SPAN}
WHERE type NOT IN ({", ".join(f"'{name}'" for name in TRACKER)}) GROUP BY ALL ORDER BY ALL
""")


def one(found, span):
    return found[span][0] if span in found else [0] * 3


def by_use(found):
    """Most first, equals by name."""
    return sorted(found, key=lambda row: (-row[1], row[0].encode()))


def figures(span):
    count, ms = one(sessions, span)[:2]
    asked, tokens, cost = one(requests, span)
    content = dict(contents[span]) if span in contents else {}
    people = one(daily, span)[0]
    private = one(anonymous, span)[0]
    return {
        "activeUsers": one(active, span)[0],
        "anonymousUsers": private,
        "totalUsers": one(total, span)[0],
        "newSignups24h": one(signups, span)[0],
        "dailyActiveUsers": people + private,
        "weeklyActiveUsers": one(weekly, span)[0],
        "monthlyActiveUsers": one(monthly, span)[0],
        "sessions": count,
        "averageSessionDuration": mean(int(ms), count) if count else 0,
        "featureUsage": {name: uses for name, uses, _ in features.get(span, [])},
        "contentCreated": {"total": sum(content.values()), "byType": content},
        "aiUsage": {"totalRequests": asked, "totalTokens": int(tokens), "totalCost": decimal.Decimal(cost)},
    }


def days_of(ask):
    return [(ask["site"], day, day) for day in range(ask["first"], ask["last"] + 1)]


def platform(ask):
    days = [{"date": date(span[1]), **figures(span)} for span in days_of(ask)]
    plain = list(days[0])[:10]
    table = [plain + ["featureUses", "contentCreated", "aiRequests", "aiTokens", "aiCost"]]
    for day in days:
        ai = day["aiUsage"]
        sums = [sum(day["featureUsage"].values()), day["contentCreated"]["total"], *ai.values()]
        table.append([day[name] for name in plain] + sums)
    return {**figures((ask["site"], ask["first"], ask["last"])), "days": days}, table


def engagement(ask):
    days = []
    for span in days_of(ask):
        people, private, month = one(daily, span)[0], one(anonymous, span)[0], one(monthly, span)[0]
        days.append({
            "date": date(span[1]), "dau": people + private, "anonymous": private, "wau": one(weekly, span)[0],
            "mau": month, "stickiness": share(people, month),
        })
    last = {name: value for name, value in days[-1].items() if name != "date"}
    return {**last, "days": days}, [list(days[0])] + [list(day.values()) for day in days]


def feature_table(ask):
    span = (ask["site"], ask["first"], ask["last"])
    told = {name: mean(int(ms), n) for name, ms, n in durations.get(span, []) if n}
    found = [
        {"feature": name, "uses": uses, "users": users, "averageDuration": told.get(name)}
        for name, uses, users in by_use(features.get(span, []))
    ]
    return {"features": found}, [["feature", "uses", "users", "averageDuration"]] + [list(row.values()) for row in found]


def product_table(ask):
    found = products.get((ask["site"], ask["first"], ask["last"]), [])
    def counts(some):
        types, statuses = collections.Counter(), {}
        for _, kind, status, n in some:
            types[kind] += n
            statuses.setdefault(kind, collections.Counter())[status] += n
        return types, statuses
    hours = []
    for hour in sorted({row[0] for row in found}):
        types, statuses = counts([row for row in found if row[0] == hour])
        hours.append({"hour": hour, "counts": types, "byStatus": statuses})
    types, statuses = counts(found)
    answer = {"total": sum(types.values()), "totals": types, "byStatus": statuses, "hours": hours}
    return answer, [["hour", "eventType", "status", "events"]] + sorted(found, key=lambda row: (row[0], row[1].encode(), row[2].encode()))


def breakdown(ask):
    found = [row[1:] for row in breakdowns.get((ask["site"], ask["first"], ask["last"]), []) if row[0] == ask["by"]]
    all_events = sum(events for _, events, _ in found)
    table = [
        {"key": key, "events": events, "users": users, "share": share(events, all_events)}
        for key, events, users in by_use(found)
    ]
    cells = [["key", "events", "users", "share"]] + [list(row.values()) for row in table[: ask["limit"]]]
    return {"by": ask["by"], "total": all_events, "rows": table}, cells


def summary(ask):
    start, end, step = ask["from"], ask["to"], ask["step"]
    found = rows(
        "SELECT received // ? * ?, type, source, count(*) FROM events WHERE site = ? AND received >= ? GROUP BY ALL",
        [step, step, ask["site"], start],
    )
    types, sources, buckets = collections.Counter(), collections.Counter(), {}
    for at in range(start // step * step, end + 1, step):
        buckets[at] = collections.Counter()
    for bucket, kind, source, n in found:
        types[kind] += n
        sources[source] += n
        buckets[bucket][kind] += n
    return {
        "from": end // 60_000 * 60_000 - (ask["window"] - 1) * 60_000, "to": end, "bucketMinutes": step // 60_000,
        "total": sum(types.values()), "byType": types, "bySource": sources,
        "buckets": [{"start": at, "byType": counts} for at, counts in buckets.items()],
    }, None


# What funnels and journeys look at: the stored events, in which those of erased users say nothing any more.
lake.execute("CREATE TABLE erased (site VARCHAR, person VARCHAR, until BIGINT)")
for site, users in task["erased"].items():
    for person, at in users.items():
        lake.execute("INSERT INTO erased VALUES (?, ?, ?)", [site, person, at])
lake.execute("""
CREATE TABLE stored AS SELECT e.* REPLACE (
    CASE WHEN x.person IS NULL THEN e.page END AS page, CASE WHEN x.person IS NULL THEN e.feature END AS feature),
  -- Whoever comes back after an erasure is somebody else.
  CASE WHEN x.person IS NULL THEN e.person ELSE 'erased ' || e.person END AS walker
FROM events AS e LEFT JOIN erased AS x ON x.site = e.site AND x.person = e.person AND e.received <= x.until
""")


def named(step):
    """The page and feature of a step, as keys are."""
    return {name: rows("SELECT cut(?)", [step[name]])[0][0] for name in ("page", "feature") if name in step}


def funnel(ask):
    steps = ask["steps"]
    lake.execute("CREATE OR REPLACE TEMP TABLE walk AS SELECT walker, ms, type, page, feature, "
        "row_number() OVER (PARTITION BY walker ORDER BY ms, id) AS place FROM stored "
        "WHERE site = ? AND day BETWEEN ? AND ? AND walker IS NOT NULL", [ask["site"], ask["first"], ask["last"]])
    reached = []
    for n, step in enumerate(steps):
        is_step, params = "type = ?", [step["eventType"]]
        for name in ("page", "feature"):
            if name in step:
                is_step += f" AND {name} = cut(?)"
                params.append(step[name])
        if n == 0:
            lake.execute(f"CREATE OR REPLACE TEMP TABLE step0 AS SELECT walker, ms AS begin, ms, place FROM walk WHERE {is_step}", params)
        else:
            # From each beginning to the first event afterwards that is the next step.
            lake.execute(f"""CREATE OR REPLACE TEMP TABLE step{n} AS SELECT b.walker, b.begin, w.ms, w.place
                FROM step{n - 1} AS b ASOF JOIN (SELECT * FROM walk WHERE {is_step}) AS w
                ON b.walker = w.walker AND b.place < w.place
                WHERE w.ms - b.begin <= ?""", [*params, ask["windowHours"] * 3_600_000])
        reached.append(rows(f"SELECT count(DISTINCT walker) FROM step{n}")[0][0])
    table = [
        {**step, **named(step), "users": users, "conversion": share(users, reached[0]), "fromPrevious": share(users, reached[max(n - 1, 0)])}
        for n, (step, users) in enumerate(zip(steps, reached))
    ]
    # Of each user the first time that all steps are done, by the latest beginning that leads there.
    took = sorted(took for (took,) in rows(
        f"SELECT first(ms - begin ORDER BY place, begin DESC) FROM step{len(steps) - 1} GROUP BY walker"))
    median = took[(len(took) + 1) // 2 - 1] if took else None
    return {"windowHours": ask["windowHours"], "order": "sequence", "steps": table, "medianMs": median}, None


def retention(ask):
    def period(day):
        # Weeks begin on Mondays; 1970-01-05 was one.
        return day if ask["period"] == "day" else (day - 4) // 7
    def begins(n):
        return n if ask["period"] == "day" else n * 7 + 4
    there = collections.defaultdict(set)
    for person, day in rows("SELECT DISTINCT person, day FROM events WHERE site = ? AND person IS NOT NULL", [ask["site"]]):
        there[person].add(day)
    now = period(ask["today"])
    cohorts = {n: [] for n in range(period(ask["first"]), period(min(ask["last"], ask["today"])) + 1)}
    for person, days in there.items():
        if ask["first"] <= min(days) <= min(ask["last"], ask["today"]):
            cohorts[period(min(days))].append({period(day) for day in days if day <= ask["today"]})
    return {"period": ask["period"], "cohorts": [
        {
            "date": date(begins(n)), "users": len(people),
            "retained": [sum(n + age in periods for periods in people) for age in range(min(ask["periods"], now - n) + 1)],
        }
        for n, people in cohorts.items()
    ]}, None


def journeys(ask):
    found = rows("""
        WITH seen AS (SELECT session, ms, id, CASE WHEN page IS NULL THEN ['feature', feature] ELSE ['page', page] END AS step
            FROM stored WHERE site = ? AND day BETWEEN ? AND ? AND session IS NOT NULL
            AND (page IS NOT NULL OR feature IS NOT NULL)),
          walked AS (SELECT session, list(step ORDER BY ms, id) AS steps FROM seen GROUP BY session),
          paths AS (SELECT list_filter(steps, lambda step, n: n = 1 OR step <> steps[n - 1])[:?] AS path FROM walked)
        SELECT to_json(path)::VARCHAR, count(*) FROM paths GROUP BY 1
    """, [ask["site"], ask["first"], ask["last"], ask["depth"]])
    all_sessions = sum(n for _, n in found)
    paths = [
        {"steps": json.loads(path), "sessions": n, "share": share(n, all_sessions)} for path, n in by_use(found)[: ask["limit"]]
    ]
    return {"sessions": all_sessions, "paths": paths}, None


def user(ask):
    found = rows("SELECT id FROM events WHERE site = ? AND anyone = ? AND day >= ? ORDER BY received DESC, id DESC",
        [ask["site"], ask["user"], ask["since"]])
    return [id for (id,) in found], None


def any_question(ask):
    return questions.answer(lake, ask)


def walk(ask):
    return walks.answer(lake, ask, share)


def totals(ask):
    types = dict(rows("SELECT type, count(*) FROM events WHERE site = ? GROUP BY 1", [ask["site"]]))
    return {"totalEvents": sum(types.values()), "eventsByType": types}, None


COUNTS = {
    "platform": platform, "engagement": engagement, "features": feature_table, "products": product_table,
    "breakdown": breakdown, "summary": summary, "funnel": funnel, "retention": retention, "journeys": journeys,
    "user": user, "totals": totals, "any": any_question,
    "walk": walk,
}
if any(ask["what"] in ("any", "walk") for ask in task["asks"]):
    questions.prepare(lake)
    walks.join(lake)


def plain(value):
    if isinstance(value, decimal.Decimal):
        return number(value)
    raise TypeError(type(value))


answers = []
for ask in task["asks"]:
    answer, table = COUNTS[ask["what"]](ask)
    answers.append({"json": answer, "csv": table and table[:1] + [[cell(value) for value in row] for row in table[1:]]})
(total_events, ids), = rows("SELECT count(*), count(DISTINCT (site, id)) FROM events")
json.dump({"events": total_events, "ids": ids, "answers": answers}, sys.stdout, default=plain)
