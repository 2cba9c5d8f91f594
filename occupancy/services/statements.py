"""The SQL of the sums: alike for SQLite and PostgreSQL, whole numbers only, so both give the same figures.

``__ZONES__`` stands for the zones. Named parameters: ``start``, ``end`` (instants), ``date``, and for
hours ``start_us``, ``end_us``; for days and months ``whole_us``, the length of a bucket without gaps.

What an hour opens with is a fact that sets the count at its start. Joined to the logs instead, it costs zones × logs
whenever the planner takes the newest hour for empty: its statistics are older than the hour.
"""

from __future__ import annotations

HOURS_FROM_LOGS = """
WITH opening AS (
    SELECT z.id AS zone_id,
        COALESCE((SELECT h.closing FROM occupancy_hour h WHERE h.zone_id = z.id AND h.start < %(start)s
            ORDER BY h.start DESC LIMIT 1), z.kept_count) AS raw,
        NOT EXISTS (SELECT 1 FROM occupancy_zoneline l WHERE l.zone_id = z.id AND NOT EXISTS (
            SELECT 1 FROM occupancy_livespan s WHERE s.camera_id = l.camera_id
                AND s.began_at <= %(start)s AND s.ended_at >= %(end)s)) AS is_complete
    FROM occupancy_zone z WHERE z.id IN (__ZONES__)
), facts AS (
    SELECT zone_id, CAST(%(start_us)s AS bigint) AS at_us, -1 AS id, 0 AS step, raw AS count, 0 AS is_log FROM opening
    UNION ALL
    SELECT zone_id, at_us, id, step, count, 1 FROM occupancy_log
    WHERE zone_id IN (__ZONES__) AND at_us >= %(start_us)s AND at_us < %(end_us)s
), placed AS (
    SELECT zone_id, id, at_us, step, count, is_log,
        SUM(CASE WHEN step = 0 THEN 1 ELSE 0 END) OVER in_order AS setting,
        LEAD(at_us, 1, CAST(%(end_us)s AS bigint)) OVER in_order AS until_us
    FROM facts WINDOW in_order AS (PARTITION BY zone_id ORDER BY at_us, id)
), counted AS (
    SELECT zone_id, at_us, until_us, step, is_log,
        MAX(count) OVER (PARTITION BY zone_id, setting)
        + SUM(step) OVER (PARTITION BY zone_id, setting ORDER BY at_us, id) AS raw
    FROM placed
), shown AS (
    SELECT zone_id, until_us - at_us AS lasted_us, until_us, step, is_log, raw,
        CASE WHEN raw > 0 THEN raw ELSE 0 END AS people FROM counted
), summed AS (
    SELECT zone_id, SUM(people * lasted_us) AS weighted_us, MAX(people) AS peak, MIN(people) AS low,
        SUM(CASE WHEN step = 1 THEN 1 ELSE 0 END) AS entries, SUM(CASE WHEN step = -1 THEN 1 ELSE 0 END) AS exits,
        SUM(is_log) AS logs, MAX(CASE WHEN until_us = %(end_us)s THEN raw END) AS closing
    FROM shown GROUP BY zone_id
)
INSERT INTO occupancy_hour (zone_id, start, date, length_us, weighted_us, peak, low, entries, exits, logs, closing,
    is_complete)
SELECT s.zone_id, %(start)s, %(date)s, CAST(%(end_us)s AS bigint) - CAST(%(start_us)s AS bigint), s.weighted_us,
    s.peak, s.low, s.entries, s.exits, s.logs, s.closing, o.is_complete
FROM summed s JOIN opening o ON o.zone_id = s.zone_id WHERE s.zone_id IS NOT NULL
ON CONFLICT (zone_id, start) DO UPDATE SET date = excluded.date, length_us = excluded.length_us,
    weighted_us = excluded.weighted_us, peak = excluded.peak, low = excluded.low, entries = excluded.entries,
    exits = excluded.exits, logs = excluded.logs, closing = excluded.closing, is_complete = excluded.is_complete
"""

_FROM_SMALLER = """
INSERT INTO {into} (zone_id, date, length_us, weighted_us, peak, low, entries, exits, logs, is_complete)
SELECT zone_id, %(date)s, SUM(length_us), SUM(weighted_us), MAX(peak), MIN(low), SUM(entries), SUM(exits), SUM(logs),
    MIN(CASE WHEN is_complete THEN 1 ELSE 0 END) = 1 AND SUM(length_us) = %(whole_us)s
FROM {source} WHERE zone_id IN (__ZONES__) AND {within} GROUP BY zone_id
ON CONFLICT (zone_id, date) DO UPDATE SET length_us = excluded.length_us, weighted_us = excluded.weighted_us,
    peak = excluded.peak, low = excluded.low, entries = excluded.entries, exits = excluded.exits,
    logs = excluded.logs, is_complete = excluded.is_complete
"""

DAYS_FROM_HOURS = _FROM_SMALLER.format(into="occupancy_day", source="occupancy_hour", within="date = %(date)s")
MONTHS_FROM_DAYS = _FROM_SMALLER.format(
    into="occupancy_month", source="occupancy_day", within="date >= %(date)s AND date < %(after)s"
)
