"""The SQL of the sums: alike for SQLite and PostgreSQL, whole numbers only, so both give the same figures.

``__ZONES__`` stands for the zones. Named parameters: ``start``, ``end`` (instants), ``date``, and for
hours ``start_us``, ``end_us``; for days and months ``whole_us``, the length of a bucket without gaps.
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
), placed AS (
    SELECT zone_id, id, at_us, step, kind, count,
        SUM(CASE WHEN step = 0 THEN 1 ELSE 0 END) OVER in_order AS setting,
        LEAD(at_us, 1, CAST(%(end_us)s AS bigint)) OVER in_order AS until_us
    FROM occupancy_log WHERE zone_id IN (__ZONES__) AND at_us >= %(start_us)s AND at_us < %(end_us)s
    WINDOW in_order AS (PARTITION BY zone_id ORDER BY at_us, id)
), counted AS (
    SELECT p.zone_id, p.at_us, p.until_us, p.step,
        COALESCE(MAX(p.count) OVER (PARTITION BY p.zone_id, p.setting), o.raw)
        + SUM(p.step) OVER (PARTITION BY p.zone_id, p.setting ORDER BY p.at_us, p.id) AS raw
    FROM placed p JOIN opening o ON o.zone_id = p.zone_id
), shown AS (
    SELECT zone_id, at_us, until_us, step, raw, CASE WHEN raw > 0 THEN raw ELSE 0 END AS people FROM counted
), summed AS (
    SELECT zone_id, MIN(at_us) AS first_us, SUM(people * (until_us - at_us)) AS weighted_us,
        MAX(people) AS peak, MIN(people) AS low,
        SUM(CASE WHEN step = 1 THEN 1 ELSE 0 END) AS entries, SUM(CASE WHEN step = -1 THEN 1 ELSE 0 END) AS exits,
        COUNT(*) AS logs, MAX(CASE WHEN until_us = %(end_us)s THEN raw END) AS closing
    FROM shown GROUP BY zone_id
), begun AS (
    SELECT zone_id, raw, is_complete, CASE WHEN raw > 0 THEN raw ELSE 0 END AS people FROM opening
)
INSERT INTO occupancy_hour (zone_id, start, date, length_us, weighted_us, peak, low, entries, exits, logs, closing,
    is_complete)
SELECT b.zone_id, %(start)s, %(date)s, CAST(%(end_us)s AS bigint) - CAST(%(start_us)s AS bigint),
    COALESCE(s.weighted_us, 0) + b.people * (COALESCE(s.first_us, %(end_us)s) - CAST(%(start_us)s AS bigint)),
    CASE WHEN s.peak > b.people THEN s.peak ELSE b.people END, CASE WHEN s.low < b.people THEN s.low ELSE b.people END,
    COALESCE(s.entries, 0), COALESCE(s.exits, 0), COALESCE(s.logs, 0), COALESCE(s.closing, b.raw), b.is_complete
FROM begun b LEFT JOIN summed s ON s.zone_id = b.zone_id WHERE b.zone_id IS NOT NULL
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
